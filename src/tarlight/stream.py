"""A run as its consumer sees it: an iterator, a context manager, and a report.

`Stream` is a handle that nothing else refers to, threads of the run least of all: so a consumer that lets go
of it, by leaving a `for` loop or by an exception, ends the run at once.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn, Self

from tarlight.checkpoint import Course, Trail, remarks_at_end, remarks_at_start
from tarlight.ending import Ending
from tarlight.errors import (
    ArgumentTypeError,
    CheckpointError,
    CheckpointWriteError,
    LedgerError,
    PipelineError,
)
from tarlight.events import BatchDelivered, RunEnded, RunStarted
from tarlight.executors.base import Plan
from tarlight.interrupt import InterruptGate
from tarlight.ledger.times import STAGES
from tarlight.progress import Progress
from tarlight.stages.base import StageContext
from tarlight.teller import Teller
from tarlight.turn import Owner, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from tarlight.checkpoint import CheckpointFile
    from tarlight.events import Listener
    from tarlight.executors.base import Executor, Run
    from tarlight.ledger import Report
    from tarlight.tasks import Task

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""How long a program that ends waits for a thread that waits for a batch."""


class Stream:
    """The tasks of a pipeline's last stage, one at a time.

    It belongs to the thread that takes the first batch, for as long as that lives; `report` and `close()` are
    for any thread.

    Use it in a `with` block, or just iterate: who leaves a `for` loop early lets go of it, which ends it.

    A batch is *committed*, that is, not delivered again by a run that goes on from a checkpoint, when the
    next one is asked for or `commit()` is called.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        executor: Executor,
        listeners: Sequence[Listener],
        checkpoint: CheckpointFile | None = None,
    ) -> None:
        self._name = name
        self._plan = plan
        self._executor = executor
        self._course = Course(plan.fingerprint())
        self._checkpoint = checkpoint
        self._gate = InterruptGate()
        self._progress = Progress()
        if any(stage.verbose for stage in plan.stages):
            from tarlight.report.progress import make_listener  # noqa: PLC0415 (only verbose runs pay for it)

            listeners = [*listeners, make_listener(self._progress.report)]
        self._tell = Teller(list(listeners))
        self._run: Run | None = None
        self._owner = Owner()
        self._turn = Turn(self._gate)
        self._ending = Ending(self._close_with_program)
        if checkpoint is not None and (state := checkpoint.load()) is not None:
            self._resume(state, str(checkpoint), is_kept=True)

    @property
    def report(self) -> Report:
        """The ledger as it stands now; its `outcome` is `running` until the end."""
        return self._progress.report()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self._progress.is_running:
            raise StopIteration
        self._owner.take()
        with self._turn.taken():
            if not self._progress.is_running:  # another thread has closed it meanwhile
                raise StopIteration
            try:
                self._commit_in_hand()
                task = self._next_task()
            except StopIteration:
                self._course.finish()
                for note in remarks_at_end(self._course) if self._checkpoint is not None else ():
                    self._progress.ledger.note(note)
                self._finish("finished")
                self._gate.check()
                raise
            except Exception as error:
                self._finish("failed", error)
                raise
            except BaseException as error:
                self._finish("stopped", error)
                raise
            self._tell(BatchDelivered(task.num_images))
        return task

    def commit(self) -> None:
        """Say that the batch in hand is done with, and save the checkpoint, if the run keeps one.

        With stages of your own between the reader and the consumer, a batch of the reader is committed when
        all tasks that were made of it are.

        Raises:
            CheckpointWriteError: it could not be written.
            CheckpointTakenError: another run writes it.
        """
        self._owner.take()
        with self._turn.taken():
            self._course.consume()
            self._save()
        self._gate.check()

    def state_dict(self) -> dict[str, Any]:
        """How far the run is, the batch in hand included: plain data that JSON or pickle can hold.

        Stored together with the output, in one transaction, it makes a resumed run deliver nothing twice and
        leave nothing out. Called in mid-run, after a batch and before the next; as in torchdata it changes
        nothing.
        """
        self._owner.check_thread()
        return self._course.state(self.report.seconds)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict()` gave, in this or another process. Before the first batch.

        Raises:
            CheckpointError: it is no such state, or a damaged one.
            CheckpointMismatchError: the reader has other options. Another dataset shows with the first batch.
            PipelineError: the run has begun.
        """
        if self._run is not None or not self._progress.is_running:
            raise PipelineError("load_state_dict() comes before the first batch; make a new stream for it")
        self._course = Course(self._plan.fingerprint())
        self._resume(state, "load_state_dict")

    def close(self) -> None:
        """End the run: all threads are gone when this returns. May be called again.

        Where another thread waits for a batch, that comes first. In a forked child it does nothing: the run,
        its checkpoint and its lock are the parent's.

        Raises:
            LedgerError: the books do not balance.
        """
        if not self._owner.is_here:
            return
        with self._turn.taken():
            if self._progress.is_running:
                self._finish("stopped")
        self._gate.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        run = getattr(self, "_run", None)
        if run is None or not self._owner.is_here or sys.is_finalizing():
            return
        if threading.current_thread().name.startswith("tarlight-"):
            # The collector came by in a thread that may be one of this run, and cannot wait for itself.
            threading.Thread(target=run.close, name="tarlight-close").start()
            return
        try:
            self.close()
        except Exception:
            log.exception("a stream could not be ended when it was let go")

    def __reduce__(self) -> NoReturn:
        raise ArgumentTypeError(
            "a stream can be neither copied nor pickled: its threads are in this process. Send the pipeline, "
            "and call stream() there; state_dict() tells how far this one is"
        )

    def _next_task(self) -> Task:
        if self._run is None:
            self._run = self._start()
        if self._course.is_finished:
            deque(self._run, maxlen=0)  # partitions, for nobody
            raise StopIteration
        with self._progress.times.stages.waiting_for(STAGES):
            task = next(self._run)
        self._ending.arm()
        if self._gate.pending:
            self._progress.ledger.leave(task.num_images)
            self._gate.check()
        self._progress.ledger.deliver(task.num_images)
        self._course.take(task)
        return task

    def _start(self) -> Run:
        self._progress.start()
        self._tell(RunStarted(self._name))
        course = self._course
        if self._checkpoint is not None and course.may_be_kept:
            self._checkpoint.claim()
        trail, times = Trail(course.arrive), self._progress.times
        context = StageContext(
            self._progress.ledger, self._tell, self._gate.waiting, self._name, course, trail, times
        )
        plan = self._plan
        if course.is_finished:  # only the first stage runs: it finds the dataset and compares it
            plan = Plan(plan.stages[:1], plan.initial_tasks)
        return self._executor.start(plan, context)

    def _resume(self, state: Any, origin: str, *, is_kept: bool = False) -> None:
        self._course.load(state, origin, is_kept=is_kept)
        self._progress.resume(self._course)
        for note in remarks_at_start(self._course, origin):
            self._progress.ledger.note(note)
        if self._course.is_finished:
            log.info("%s: the run was finished before; there is nothing left to do", origin)

    def _commit_in_hand(self) -> None:
        self._course.consume()
        if self._checkpoint is not None and self._course.has_progress:
            self._checkpoint.save_now_and_then(self._committed_state)

    def _save(self) -> None:
        if self._checkpoint is not None and self._course.has_progress:
            self._checkpoint.save(self._committed_state())

    def _committed_state(self) -> dict[str, Any]:
        return self._course.committed_state(self.report.seconds)

    def _close_with_program(self) -> None:
        if not self._owner.is_here or self._turn.comes_within(PATIENCE_S):
            self.close()
        else:
            log.warning("a stream is left open as the program ends: another thread waits for its next batch")

    def _finish(self, outcome: str, error: BaseException | None = None) -> None:
        self._ending.disarm()
        try:
            if self._run is not None:
                self._run.close()  # does nothing where it has ended itself
        except Exception as another:
            if error is None:
                self._finish("failed", another)
                raise
            error.add_note(f"and while the run was being ended: {another!r}")
        self._progress.end(outcome)
        self._tell(RunEnded(outcome))
        try:
            self._check_books(error)
            self._save_at_end(error)
        finally:
            if self._checkpoint is not None:
                self._checkpoint.release()

    def _save_at_end(self, error: BaseException | None) -> None:
        if self._run is None or isinstance(error, CheckpointError):
            return
        try:
            self._save()
        except (CheckpointWriteError, CheckpointError) as another:
            if error is None:
                raise
            error.add_note(str(another))

    def _check_books(self, error: BaseException | None) -> None:
        report = self.report
        if report.is_balanced:
            return
        message = f"the books do not balance, which is a bug in tarlight; please report it:\n{report}"
        if error is None:
            raise LedgerError(message)
        error.add_note(message)
