"""The progress of a run on stderr: a live display on a terminal, else a plain line now and then.

A listener that keeps a thread of its own: the thread asks for the report a few times a second and draws it,
so that the display moves while a slow shard is being read, and the run itself does nothing for it. When the
run ends the thread is joined, the live display is wiped, and the ledger is printed as a table.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tarlight.events import Event, PartitionsPlanned, Preparing, RunEnded, RunStarted, ShardsSought
from tarlight.report.label import label
from tarlight.report.pace import Pace, Standing
from tarlight.report.plain import PlainDisplay
from tarlight.report.table import is_terminal, print_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tarlight.events import Listener
    from tarlight.ledger import Report

_TERMINAL = threading.Lock()
"""Held by the one run that draws a live display; a second run at the same time prints plain lines."""


class Display(Protocol):
    """Shows standings. Called by one thread."""

    def wait_s(self, seconds: float) -> float:
        """Return how long to wait before the next `show`, this many seconds into the run."""

    def show(self, standing: Standing) -> None:
        """Show where the run stands."""

    def close(self) -> None:
        """Take the display away, and leave the terminal as it was."""


def make_listener(
    report: Callable[[], Report], *, limit: int | None = None, with_ledger: bool = True
) -> Listener:
    """Return a listener that shows one run on stderr, and its ledger at the end.

    Args:
        report: gives the report of the run as it stands; called a few times a second, from another thread.
        limit: images after which the run will be stopped, so that the bar can show the part that is done.
        with_ledger: print the ledger at the end; else the display is wiped and nothing is left.
    """
    return _Progress(report, Pace(limit), with_ledger=with_ledger)


class _Progress:
    """Turns events into the beginning and the end of a display."""

    def __init__(self, report: Callable[[], Report], pace: Pace, *, with_ledger: bool) -> None:
        self._report = report
        self._pace = pace
        self._with_ledger = with_ledger
        self._planned = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        if sys.stderr is None:  # closed before Python began
            return
        if isinstance(event, PartitionsPlanned):
            self._pace.plan(event)
            self._planned = True
        elif isinstance(event, ShardsSought):
            self._pace.seek(event)
        elif isinstance(event, Preparing):
            self._pace.prepare(event)
        elif isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, RunEnded):
            self._end(event)

    def _start(self, event: RunStarted) -> None:
        name = f"tarlight-progress-{event.pipeline}"
        args = (label(event.pipeline, 30),)
        self._thread = threading.Thread(target=self._draw, args=args, name=name, daemon=True)
        self._thread.start()

    def _end(self, event: RunEnded) -> None:
        if self._thread is None:
            return
        self._ended.set()
        self._thread.join()
        # A run that failed before it knew its shards has read nothing: its error says all there is to say.
        if self._with_ledger and (self._planned or event.outcome != "failed"):
            with suppress(OSError):  # nobody reads stderr any more: that is no failure of the run
                print_ledger(replace(self._report(), outcome=event.outcome), sys.stderr)

    def _draw(self, title: str) -> None:
        with suppress(OSError):  # as above
            if is_terminal(sys.stderr) and _TERMINAL.acquire(blocking=False):
                try:
                    self._draw_live(title)
                finally:
                    _TERMINAL.release()
            else:
                self._draw_with(PlainDisplay(title, sys.stderr))

    def _draw_live(self, title: str) -> None:
        if self._ended.wait(0.1):  # a run this short needs no display, and need not pay for rich
            return
        from tarlight.report.live import LiveDisplay  # noqa: PLC0415 (imports rich)

        self._draw_with(LiveDisplay(title, sys.stderr))

    def _draw_with(self, display: Display) -> None:
        try:
            while not self._ended.wait(display.wait_s(self._report().seconds)):
                display.show(self._pace.stand(self._report()))
        finally:
            display.close()
