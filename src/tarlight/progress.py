"""How far a run is: its books, its outcome, its time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tarlight.ledger import Ledger, Timesheet
from tarlight.ledger.times import CONSUMER

if TYPE_CHECKING:
    from tarlight.checkpoint import Course
    from tarlight.ledger import Report


class Progress:
    """The ledger of a run, its outcome and its time. `report` is for any thread."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        """The books of the run."""
        self.times = Timesheet()
        """What its stages do with their time."""
        self._outcome = "running"
        self._started_at: float | None = None
        self._seconds = 0.0
        self._seconds_before = 0.0

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._outcome == "running"

    def resume(self, course: Course) -> None:
        """Begin with the books and the time of the runs before."""
        self.ledger = Ledger()
        self.ledger.take_in(course.resumed)
        self._seconds_before = self._seconds = course.resumed_seconds

    def start(self) -> None:
        """The clock runs from now on."""
        self._started_at = time.monotonic()
        self.times.stages.start(CONSUMER)

    def end(self, outcome: str) -> None:
        """The clock stands still from now on."""
        self._seconds = self._elapsed()
        self._outcome = outcome
        self.times.stages.stop()

    def report(self) -> Report:
        """The books as they stand now."""
        seconds = self._elapsed() if self.is_running else self._seconds
        return self.ledger.report(self._outcome, seconds, self.times)

    def _elapsed(self) -> float:
        elapsed = 0.0 if self._started_at is None else time.monotonic() - self._started_at
        return self._seconds_before + elapsed
