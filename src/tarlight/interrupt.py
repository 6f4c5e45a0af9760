"""Ctrl-C, held back while books are being kept.

Python raises KeyboardInterrupt between any two bytecodes of the main thread, also between taking a batch and
counting it. While a run works for its consumer, the interrupt is therefore remembered, and raised only where
the run waits or a user's stage works: places that can be left without losing count.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class InterruptGate:
    """Holds Ctrl-C back inside `held`, except inside `waiting`.

    Does nothing in a thread that is not the main one (Python never interrupts those), or where the program
    has a SIGINT handler of its own.
    """

    def __init__(self) -> None:
        self.pending = False
        self._open = False
        self._held = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Remember an interrupt in `pending` instead of raising it."""
        if self._held or not _is_default():
            yield
            return
        self._held = True
        previous = signal.signal(signal.SIGINT, self._remember)
        try:
            yield
        finally:
            self._held = False
            signal.signal(signal.SIGINT, previous)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Raise KeyboardInterrupt here, at once if one is pending."""
        if not _is_main():
            yield
            return
        self._open = True
        try:
            self.check()
            yield
        finally:
            self._open = False

    def check(self) -> None:
        """Raise a pending interrupt."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt

    def _remember(self, _signal: int, _frame: FrameType | None) -> None:
        if self._open:
            self._open = False
            raise KeyboardInterrupt
        self.pending = True


def _is_default() -> bool:
    return _is_main() and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
