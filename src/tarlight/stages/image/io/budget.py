"""Admission by bytes: the reader thread may be only so far ahead (C5)."""

from __future__ import annotations

import threading


class ByteBudget:
    """Bytes that may be in flight. Thread-safe.

    A request above the whole budget is admitted when nothing else is in flight: it goes alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._closed = False
        self._changed = threading.Condition()

    def acquire(self, num_bytes: int) -> bool:
        """Wait until `num_bytes` fit, and take them. Returns False when the budget was closed instead."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fits(num_bytes))
            if self._closed:
                return False
            self._used += num_bytes
            return True

    def release(self, num_bytes: int) -> None:
        """Give bytes back."""
        with self._changed:
            self._used -= num_bytes
            self._changed.notify_all()

    def close(self) -> None:
        """Let every waiter go; nothing is admitted any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, num_bytes: int) -> bool:
        return self._used == 0 or self._used + num_bytes <= self._limit
