"""A run as its consumer sees it: an iterator, a context manager, and a report."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from tarlight.errors import LedgerError
from tarlight.events import BatchDelivered, RunEnded, RunStarted
from tarlight.interrupt import InterruptGate
from tarlight.ledger import Ledger
from tarlight.stages.base import StageContext

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from tarlight.events import Event, Listener
    from tarlight.executors.base import Executor, Plan, Run
    from tarlight.ledger import Report
    from tarlight.tasks import Task

log = logging.getLogger(__name__)


class Stream:
    """The tasks of a pipeline's last stage, one at a time. For one thread.

    Use it in a `with` block, or just iterate: leaving a `for` loop early lets go of the stream, which ends
    it.
    """

    def __init__(self, name: str, plan: Plan, executor: Executor, listeners: Sequence[Listener]) -> None:
        self._name = name
        self._plan = plan
        self._executor = executor
        self._ledger = Ledger()
        self._gate = InterruptGate()
        self._telling = threading.Lock()
        self._listeners = [*listeners, *_own_listeners(plan, self._current)]
        self._run: Run | None = None
        self._outcome = "running"
        self._started_at = time.monotonic()
        self._seconds = 0.0

    @property
    def report(self) -> Report:
        """The ledger as it stands now; its `outcome` is `running` until the end."""
        return self._current()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._outcome != "running":
            raise StopIteration
        try:
            with self._gate.held():
                task = self._next_task()
        except StopIteration:
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

    def close(self) -> None:
        """End the run: all threads are gone when this returns. May be called again.

        Raises:
            LedgerError: the books do not balance.
        """
        if self._outcome == "running":
            with self._gate.held():
                if self._run is not None:
                    self._run.close()
                self._finish("stopped")
            self._gate.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            if getattr(self, "_outcome", "") == "running" and self._run is not None:
                self.close()
        except Exception:
            log.exception("a stream could not be ended when it was let go")

    def _next_task(self) -> Task:
        if self._run is None:
            self._started_at = time.monotonic()
            self._tell(RunStarted(self._name))
            context = StageContext(self._ledger, self._tell, self._gate.waiting, self._name)
            self._run = self._executor.start(self._plan, context)
        task = next(self._run)
        if self._gate.pending:
            self._ledger.leave(task.num_images)
            self._run.close()
            self._gate.check()
        self._ledger.deliver(task.num_images)
        return task

    def _finish(self, outcome: str, error: BaseException | None = None) -> None:
        self._seconds = time.monotonic() - self._started_at
        self._outcome = outcome
        self._tell(RunEnded(outcome))
        report = self._current()
        if report.is_balanced:
            return
        message = f"the books do not balance, which is a bug in tarlight; please report it:\n{report}"
        if error is None:
            raise LedgerError(message)
        error.add_note(message)

    def _current(self) -> Report:
        running = self._outcome == "running" and self._run is not None
        seconds = time.monotonic() - self._started_at if running else self._seconds
        return self._ledger.report(self._outcome, seconds)

    def _tell(self, event: Event) -> None:
        with self._telling:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception:
                    # Listeners watch, they never steer: a broken one is told no more, and the run goes on.
                    log.exception("a listener failed at %r and is not told any more", event)
                    self._listeners.remove(listener)


def _own_listeners(plan: Plan, report: Any) -> list[Listener]:
    if not any(stage.verbose for stage in plan.stages):
        return []
    from tarlight.report.progress import make_listener  # noqa: PLC0415 (only verbose runs pay for it)

    return [make_listener(report)]
