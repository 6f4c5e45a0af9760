"""Ctrl-C and SIGTERM, held back while books are being kept.

Python raises KeyboardInterrupt between any two bytecodes of the main thread, also between taking a batch and
counting it. While a run works for its consumer, the interrupt is therefore remembered, and raised only where
the run waits or a user's stage works: places that can be left without losing count.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class TerminatedError(KeyboardInterrupt):
    """SIGTERM, which ends a run as Ctrl-C does. Not one of ours: nothing went wrong."""


was_terminated = threading.Event()
"""Set when SIGTERM strikes: a library that is waited in may make a KeyboardInterrupt of it."""


def terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End what is being done; a signal handler."""
    was_terminated.set()
    raise TerminatedError


HANDLERS = (signal.default_int_handler, terminate)
"""Handlers that end a run, and can be held back. SIGTERM has one only where the program gives it one."""


class InterruptGate:
    """Holds the signals that end a run back inside `held`, except inside `waiting`.

    Does nothing in a thread that is not the main one (Python never interrupts those), or where the program
    has a handler of its own.
    """

    def __init__(self) -> None:
        self.pending = 0
        """The signal that came, or 0."""
        self._open = False
        self._held = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Remember an interrupt in `pending` instead of raising it."""
        if self._held or not _is_main():
            yield
            return
        self._held = True
        try:
            with self._holding(signal.SIGTERM), self._holding(signal.SIGINT):
                yield
        finally:
            self._held = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Raise the interrupt here, at once if one is pending."""
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
            number, self.pending = self.pending, 0
            _strike(number)

    @contextmanager
    def _holding(self, number: signal.Signals) -> Iterator[None]:
        handler = signal.getsignal(number)
        if handler not in HANDLERS:
            yield
            return
        signal.signal(number, self._remember)
        try:
            yield
        finally:  # also where the other signal strikes as its own handler comes back
            signal.signal(number, handler)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        if self._open:
            self._open = False
            _strike(number)
        self.pending = number


def _strike(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    terminate(number, None)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
