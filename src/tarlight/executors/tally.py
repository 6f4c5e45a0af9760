"""What one stage takes and gives, counted for the ledger, and the sections that go through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tarlight.errors import PipelineError
from tarlight.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.stages.base import ProcessingStage, StageContext

    Stage = ProcessingStage[Any, Any]


class Tally:
    """Counts the images that one stage takes and gives. For one thread."""

    def __init__(self, stage: Stage, context: StageContext) -> None:
        self.task_id = ""
        self.is_finished = False
        self._stage = stage
        self._ledger = context.ledger
        self._trail = context.trail
        self._dataset_name = ""
        self._num_given = 0
        self._is_id_given = False
        self._given = 0

    def take(self, tasks: Iterator[Task]) -> Iterator[Task]:
        """Yield the tasks, counting their images before the stage can change them."""
        for task in tasks:
            self.task_id, self._dataset_name = task.task_id, task.dataset_name
            self._num_given, self._is_id_given = 0, False
            self._trail.take(task)
            yield task

    def give(self, task: object, *, is_last: bool = False) -> Task:
        """Count a task that the stage gives; it inherits an id and a data set name where it has none.

        Several that were made of one task are told apart, also where each has kept its id, as copies do.

        With the last one that was made of what the stage took, or with a task that it took itself, the stage
        is done with what it took.
        """
        if not isinstance(task, Task):
            raise PipelineError(not_a_task(self._stage, task))
        keeps_id = task.task_id == self.task_id
        if not task.task_id or (keeps_id and self._is_id_given):
            task.task_id = f"{self.task_id}.{self._num_given}"
        self._is_id_given = self._is_id_given or keeps_id
        task.dataset_name = task.dataset_name or self._dataset_name
        self._num_given += 1
        self._given += task.num_images
        if is_last:
            self._finish(self._trail.finish())
            self._trail.put_on(task)
        return task

    def give_same(self, task: Task) -> None:
        """A stage that works on several tasks gave one that it took: it is done with all up to this one."""
        if self._trail.has(task):
            self._finish(self._trail.finish(task))
            self._trail.put_on(task)

    def settle_task(self) -> None:
        """A task has been worked off: what was not handed on was filtered."""
        self._finish(self._trail.finish())
        self._trail.send_on()

    def settle(self) -> None:
        """The stage has ended: what it still held was filtered if it finished, else it is undelivered."""
        if self.is_finished:
            self.settle_task()
            return
        missing = self._missing(self._trail.finish())
        if missing > 0:
            self._ledger.leave(missing)
        elif missing < 0:
            self._ledger.add(-missing)

    def _finish(self, taken: int) -> None:
        missing = self._missing(taken)
        if missing > 0:
            self._ledger.filter(self._stage.label, missing)
            self._trail.count(stage=self._stage.label, filtered=missing)
        elif missing < 0:
            self._ledger.add(-missing)
            self._trail.count(added=-missing)

    def _missing(self, taken: int) -> int:
        """Images that were taken and not given; below 0 where more were given."""
        missing, self._given = taken - self._given, 0
        return 0 if self._stage.makes_images else missing


def not_a_task(stage: Stage, made: object) -> str:
    """What to say of a stage that made something else."""
    return (
        f"stage {stage.label!r} gave a {type(made).__name__}; process() gives a Task, several (a list or a "
        "generator), or None"
    )
