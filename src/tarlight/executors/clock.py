"""How long a run is in each of its stages."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.ledger import Ledger
    from tarlight.tasks import Task


class StageClock:
    """Measures the wall time that one stage takes, without that of the stage before it. For one thread."""

    def __init__(self, stage: str, ledger: Ledger) -> None:
        self._stage = stage
        self._ledger = ledger
        self._elsewhere = 0.0

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The stage is asked for a task."""
        start, self._elsewhere = time.perf_counter(), 0.0
        try:
            yield
        finally:
            self._ledger.spend(self._stage, time.perf_counter() - start - self._elsewhere)

    def outside(self, tasks: Iterator[Task]) -> Iterator[Task]:
        """Yield the tasks that the stage takes; until one comes, the time is not its own."""
        while True:
            start = time.perf_counter()
            task = next(tasks, None)
            self._elsewhere += time.perf_counter() - start
            if task is None:
                return
            yield task
