"""What is arranged around a Ray that is started here, and taken back afterwards."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

NODE = {"RAY_free_objects_period_milliseconds": "100", "RAY_event_stats": "0"}
"""What a Ray that is started here is told. By default it gives memory that nobody holds back once a second,
in which two cores decode 1 GB: so much of its store would be touched for the first time, at a page fault for
every 4 KiB; with this it is some 200 MB. And it need not time every event of its own for its debugging logs,
which costs 3 % of a run's CPU."""


_TOKENS = "ray._private.authentication.authentication_token_setup"
"""The logger of one module of Ray; no other says what is kept away."""

_NUMBERS = int(signal.SIGINT), int(signal.SIGTERM)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for processes that are started meanwhile, but for those that are set."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Ray from warning that a cluster which it starts is protected by a token, as it is by default."""
    logger = logging.getLogger(_TOKENS)
    logger.addFilter(_is_worth_a_word)
    try:
        yield
    finally:
        logger.removeFilter(_is_worth_a_word)


def _is_worth_a_word(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Token authentication is enabled")


@contextmanager
def signals_held() -> Iterator[None]:
    """Keep SIGINT and SIGTERM that come inside for afterwards: then they meet the program's handlers.

    Ray cannot be left while its C++ core is made or taken apart: the process might abort. A second Ctrl-C
    takes that into account, and strikes at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    hold = _Hold()
    try:
        yield
    finally:
        hold.end()


class _Hold:
    """Stands in for the program's handlers. For the main thread.

    Three things would take its place. `ray.init` gives SIGTERM a handler that exits at once: `signal.signal`
    is kept from it (Ray does the same where it defers SIGINT). Ray's C++ core has one that writes a stack
    trace, arms an alarm that aborts three seconds later, and only then calls ours: the alarm is put back. As
    it ends, the core takes away whatever handler SIGTERM has, at a time that only it knows: it is put back
    whenever Python calls or leaves a function.
    """

    def __init__(self) -> None:
        self._set = signal.signal
        handlers = {number: signal.getsignal(number) for number in _NUMBERS}
        # One that was set in C, as a program that holds Python may do, could not be given back.
        self._before = {number: handler for number, handler in handlers.items() if handler is not None}
        self._is_ending = False
        self._wanted: dict[int, Any] = {}
        self._came: list[int] = []
        self._alarm = signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGALRM)
        for number in self._before:
            self._set(number, self._remember)
        signal.signal = self._refuse  # type: ignore[assignment]  # narrower than the overloads of signal.signal
        self._renews = sys.getprofile() is None and signal.SIGTERM in self._before
        if self._renews:
            sys.setprofile(self._renew)

    def end(self) -> None:
        """Give the program its handlers back, and raise anew what came."""
        self._is_ending = True
        if self._renews:
            sys.setprofile(None)
        signal.signal = self._set
        try:
            self._give_back(signal.SIGTERM)
        finally:  # the handler may have met a signal already, and raised
            self._give_back(signal.SIGINT)
        for number in self._came:
            signal.raise_signal(number)

    def _give_back(self, number: int) -> None:
        if (handler := self._before.get(number)) is not None:
            # Who has no handler of SIGTERM gets that of Ray, as from a plain `ray.init`.
            self._set(number, self._wanted.get(number, handler) if handler is signal.SIG_DFL else handler)

    def _refuse(self, number: int, handler: Any) -> Any:
        if number not in self._before:
            return self._set(number, handler)
        before = self._wanted.get(number, self._before[number])
        self._wanted[number] = handler
        return before

    def _renew(self, _frame: FrameType, _event: str, _argument: object) -> None:
        self._set(signal.SIGTERM, self._remember)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if number not in self._came:
            self._came.append(number)
        elif number == signal.SIGINT and callable(handler := self._before[number]) and not self._is_ending:
            self._came.remove(number)
            handler(number, frame)
        if number == signal.SIGTERM:
            self._put_alarm_back()

    def _put_alarm_back(self) -> None:
        timer, handler = self._alarm
        signal.setitimer(signal.ITIMER_REAL, *timer)
        if handler is not None:
            self._set(signal.SIGALRM, handler)
