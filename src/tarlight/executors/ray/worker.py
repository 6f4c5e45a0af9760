"""A worker: one process of the cluster that runs every stage of a pipeline after the partitioning.

It is the local executor cut into steps. Each `take` runs the first stage up to its next batch, and that batch
through all other stages; what comes out is sent off together with the books of exactly that batch. So a batch
arrives whole or not at all, and a worker can be killed at any moment without leaving half of one in the
books.

Knows nothing of Ray. All methods but `stop` are called by one thread.
"""

from __future__ import annotations

import os
import pickle
import socket
import threading
from collections import deque
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tarlight.checkpoint import Course, Trail
from tarlight.executors.local import apply_stage, set_up, tear_down
from tarlight.executors.ray.failure import pack_error
from tarlight.executors.ray.parcel import Hello, Parcel, Reply
from tarlight.executors.ray.section_books import SectionBooks
from tarlight.ledger import Ledger, Timesheet
from tarlight.stages.base import StageContext

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from tarlight.executors.ray.failure import Dumps, Failure
    from tarlight.executors.ray.parcel import PickledStage, Work
    from tarlight.stages.base import ProcessingStage
    from tarlight.tasks import Task

    Stage = ProcessingStage[Any, Any]


class StoppedError(BaseException):
    """The driver wants no more. Not an Exception, so that no stage takes it for one of its own."""


class Worker:
    """Runs partitions, one after the other.

    Args:
        stages: what it runs.
        dataset_name: the name of the pipeline.
        dumps: pickles exceptions for the driver.
    """

    def __init__(
        self, stages: Sequence[PickledStage], dataset_name: str, dumps: Dumps = pickle.dumps
    ) -> None:
        self._pickled_stages = stages
        self._dataset_name = dataset_name
        self._dumps = dumps
        self._name = f"{socket.gethostname()}/{os.getpid()}"
        self._times = Timesheet()
        self._stages: list[Stage] = []
        self._set_up: list[Stage] = []
        self._works: deque[Work] = deque()
        self._steps: Generator[tuple[Parcel, list[Task]], None, None] | None = None
        self._stopping = threading.Event()

    def arrive(self) -> None:
        """Answer, as soon as there is a process for it: so that the driver knows it has been placed."""

    def open(self) -> Hello:
        """Set all stages up, once. Where one fails, those that began are torn down; at `stop` by `close`."""
        try:
            self._stages = [one.stage() for one in self._pickled_stages]
            for stage in self._stages:
                if self._stopping.is_set():
                    break
                self._set_up.append(stage)
                set_up(stage, self._context(Ledger()))
        except BaseException as error:  # noqa: BLE001 (whatever it is, the consumer must see it)
            self._tear_down(error)
            return Hello(self._name, self._pack(error))
        self._times.stages.idle()
        return Hello(self._name)

    def take(self, works: Sequence[Work]) -> tuple[Reply, list[Task]]:
        """Run on to the next batch, or to the end of what there is to do.

        Args:
            works: partitions to run after those that it has already.
        """
        self._works.extend(works)
        parcels: list[Parcel] = []
        tasks: list[Task] = []
        while not self._stopping.is_set() and (self._steps is not None or self._works):
            if (made := self._step()) is None:
                break
            parcel, tasks = made
            parcels.append(parcel)
            if not parcel.is_last:
                break
        return Reply(tuple(parcels), self._times.times()), tasks

    def stop(self) -> None:
        """Give up what is being done, at the next place where a run can be left. For any thread."""
        self._stopping.set()

    def close(self) -> Failure | None:
        """End all threads and tear the stages down. Returns the first exception of that, if there was one."""
        self._stopping.set()
        error: BaseException | None = None
        try:
            if self._steps is not None:
                self._steps.close()
        except BaseException as first:  # noqa: BLE001 (as above)
            error = first
        error = self._tear_down(error)
        return None if error is None else self._pack(error)

    def _step(self) -> tuple[Parcel, list[Task]] | None:
        """Return what is made next; None when it was given up meanwhile."""
        if self._steps is None:
            self._steps = self._run(self._works.popleft())
        made = next(self._steps, None)
        if made is None or made[0].is_last or made[0].failure is not None:
            self._steps = None
        return made

    def _run(self, work: Work) -> Generator[tuple[Parcel, list[Task]], None, None]:
        """Run one partition: a parcel for every batch of its first stage, and one for its end."""
        books = SectionBooks()
        try:
            with closing(self._batches(work, books)) as batches:
                for batch, stages in batches:
                    tasks = self._finish(batch, stages, books.ledger)
                    num_bytes = sum(task.num_bytes for task in tasks)
                    yield self._parcel(work, books, num_bytes=num_bytes), tasks
            yield self._parcel(work, books, is_last=True), []
        except StoppedError:
            return
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 (as above)
            yield self._parcel(work, books, failure=self._pack(error)), []

    def _pack(self, error: BaseException) -> Failure:
        return pack_error(error, self._dumps)

    def _parcel(self, work: Work, books: SectionBooks, **facts: Any) -> Parcel:
        return Parcel(work.index, work.attempt, books.cut(), is_settling=books.is_settling, **facts)

    def _batches(
        self, work: Work, books: SectionBooks
    ) -> Generator[tuple[Task, Sequence[Stage]], None, None]:
        """Yield the batches of a partition, each with the stages that are still to come."""
        if work.task.num_images:  # it is a batch already
            books.bring(work.task)
            yield work.task, self._stages
            return
        first, *others = self._stages
        first.context = self._context(books.source, work.course, books.trail)
        with closing(apply_stage(first, iter([work.task]), first.context)) as batches:
            for number, batch in enumerate(batches):
                if books.begin(batch, is_counted=first.makes_images) or number >= work.num_done:
                    yield batch, others
                else:  # it has arrived before; a stage that cannot begin behind it has made it again
                    books.cut()

    def _finish(self, batch: Task, stages: Sequence[Stage], ledger: Ledger) -> list[Task]:
        """Return what the other stages make of one batch."""
        made: list[Task] = []
        tasks: Iterator[Task] = iter([batch])
        layers: list[Generator[Task, None, None]] = []
        for stage in stages:
            stage.context = self._context(ledger)
            layers.append(apply_stage(stage, tasks, stage.context))
            tasks = layers[-1]
        try:
            made.extend(tasks)
        except BaseException:
            ledger.leave(sum(task.num_images for task in made))
            raise
        finally:
            for layer in reversed(layers):
                layer.close()
        return made

    def _context(
        self, ledger: Ledger, course: Course | None = None, trail: Trail | None = None
    ) -> StageContext:
        return StageContext(
            ledger,
            waiting=self._waiting,
            dataset_name=self._dataset_name,
            course=course or Course(),
            trail=trail or Trail(),
            times=self._times,
        )

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        if self._stopping.is_set():
            raise StoppedError
        yield

    def _tear_down(self, error: BaseException | None) -> BaseException | None:
        """Tear down what was set up, last to first. Returns the first error, with later ones as notes."""
        while self._set_up:
            try:
                tear_down(self._set_up.pop())
            except BaseException as another:  # noqa: BLE001 (as above)
                if error is None:
                    error = another
                else:
                    error.add_note(f"and while the run was being ended: {another!r}")
        return error
