"""A stage that lets so many images through."""

from __future__ import annotations

from tarlight.stages.base import ProcessingStage
from tarlight.tasks import ImageBatch


class FirstImages(ProcessingStage[ImageBatch, ImageBatch]):
    """Lets the first images through and filters the rest, so that a limit is exact and the books say so.

    For the local executor: workers of a cluster would each count for themselves.
    """

    name = "limit"

    def __init__(self, limit: int) -> None:
        self._left = limit

    def process(self, task: ImageBatch) -> ImageBatch | None:
        """Return the batch with as many images as are still wanted; None when it has none."""
        del task.data[self._left :]
        self._left -= len(task.data)
        return task if task.data else None
