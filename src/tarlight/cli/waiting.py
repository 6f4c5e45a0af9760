"""What `tarlight explain` shows while it works: the search for shards where that is long, then one line."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from tarlight.events import PartitionsPlanned, RunEnded, RunStarted, ShardsSought
from tarlight.ledger import Ledger
from tarlight.report.table import is_terminal

if TYPE_CHECKING:
    from tarlight.events import Event, Listener
    from tarlight.ledger import Report


class Waiting:
    """A listener. For one thread."""

    def __init__(self) -> None:
        self._search: Listener | None = None
        self._began = 0.0
        self._has_line = False

    def __call__(self, event: Event) -> None:
        """Show the search when it begins to take long; when it is over, what comes next."""
        if isinstance(event, ShardsSought):
            self._search = self._search or self._begin()
            self._search(event)
        elif isinstance(event, PartitionsPlanned):
            self._end_search()
            self._say("measuring, then loading ...")

    def end(self) -> None:
        """Leave nothing on the terminal."""
        self._end_search()
        if self._has_line:
            self._say("")

    def _begin(self) -> Listener:
        from tarlight.report.progress import make_listener  # noqa: PLC0415 (a long search only)

        self._began = time.monotonic()
        search = make_listener(self._report, with_ledger=False)
        search(RunStarted("explain"))
        return search

    def _report(self) -> Report:
        return Ledger().report("running", time.monotonic() - self._began)

    def _end_search(self) -> None:
        if self._search is not None:
            self._search(RunEnded("finished"))
            self._search = None

    def _say(self, text: str) -> None:
        if is_terminal(sys.stderr):
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()
            self._has_line = True
