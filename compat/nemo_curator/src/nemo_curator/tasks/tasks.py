"""`Task` and the empty task, under the path of the module that defines them."""

from tarlight.tasks import EmptyTask as _EmptyTask
from tarlight.tasks import Task

EmptyTask = _EmptyTask(dataset_name="empty")
"""The one empty task; its class is `_EmptyTask`."""

__all__ = ["EmptyTask", "Task", "_EmptyTask"]
