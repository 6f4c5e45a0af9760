"""What is arranged around a Ray that starts and stops: signals that wait."""

from __future__ import annotations

import ctypes
import signal

import pytest

from tarlight.executors.ray.surroundings import signals_held


@pytest.fixture
def struck():
    """Give a list of the signals that the program's own handlers have met."""
    met = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, _frame: met.append(number))
    yield met
    for number, handler in before.items():
        signal.signal(number, handler)


def take_away():
    """Take the handler of SIGTERM away as C++ does, without Python's knowledge."""
    ctypes.CDLL(None).signal(int(signal.SIGTERM), None)


def test_signals_wait_until_the_end(struck):
    """A signal that comes meanwhile meets the program's handler afterwards, whatever was set instead."""
    with signals_held():
        signal.signal(signal.SIGTERM, lambda *_: struck.append("Ray's"))
        signal.raise_signal(signal.SIGTERM)
        take_away()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert struck == []
    assert struck == [signal.SIGTERM, signal.SIGINT]


def test_alarm_of_the_core_is_put_off(struck):
    """The alarm by which Ray's core aborts a process after SIGTERM gives way to the program's own."""
    signal.alarm(1000)
    with signals_held():
        signal.alarm(3)
        signal.raise_signal(signal.SIGTERM)
        assert signal.alarm(0) > 3


def test_second_interrupt_strikes_at_once(struck):
    """Who presses Ctrl-C twice does not wait for Ray, and is not heard once more afterwards."""
    with signals_held():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert struck == [signal.SIGINT]
    assert struck == [signal.SIGINT]
