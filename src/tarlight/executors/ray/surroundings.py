"""What is arranged around a Ray that is started here, and taken back afterwards."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NODE = {"RAY_free_objects_period_milliseconds": "100"}
"""How soon a Ray that is started here gives memory back that nobody holds. By default it does so once a
second, in which two cores decode 1 GB: so much of its store would be touched for the first time, at a page
fault for every 4 KiB. With this it is some 200 MB."""


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
def own_sigterm() -> Iterator[None]:
    """Keep the program's handler of SIGTERM, if it has one: Ray sets one that exits at once."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
