"""What the books say of a partition that is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.errors import WorkerLostError
from tarlight.ledger import Loss, LossReason, Section
from tarlight.tasks import FileGroupTask

if TYPE_CHECKING:
    from tarlight.executors.ray.partition import Partition


def lost_section(partition: Partition, cause: str) -> Section:
    """Return a section in which all shards of a partition that are not done are lost for this run (withheld).

    A shard that was begun is named whole: which of its bytes belong to images that have arrived nobody knows.

    Raises:
        WorkerLostError: it has no shards, and nothing could say what is lost.
    """
    task, course = partition.task, partition.course
    if not isinstance(task, FileGroupTask):
        raise WorkerLostError(f"task {task.task_id!r} cannot be run: {cause}")
    section = Section()
    sizes = list(task.sizes) or [None] * len(task.data)
    for shard, size in zip(task.data, sizes, strict=True):
        if course.is_done(shard):
            continue
        start = course.start_of(shard)
        before = f"; {start.images} of its images had been settled before" if start is not None else ""
        detail, is_sized = cause + before, size is not None
        section.withhold(Loss(shard, 0, size or 0, LossReason.READ_FAILED, detail, is_sized))
    return section
