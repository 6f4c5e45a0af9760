"""Tasks, under their documented paths.

There, `EmptyTask` is one task and `_EmptyTask` its class, which code uses as
`pipeline.run(initial_tasks=[EmptyTask])` and `ProcessingStage[_EmptyTask, FileGroupTask]`; so it is here.
"""

from nemo_curator.tasks.file_group import FileGroupTask
from nemo_curator.tasks.image import ImageBatch, ImageObject
from nemo_curator.tasks.tasks import EmptyTask, Task, _EmptyTask

__all__ = ["EmptyTask", "FileGroupTask", "ImageBatch", "ImageObject", "Task", "_EmptyTask"]
