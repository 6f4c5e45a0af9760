"""The window: how many bytes may be on their way, or waiting to be read (C5).

First come, first served: a request that does not fit holds up those behind it, so that what is read next is
never kept waiting by what is read later. Whoever asks, asks in reading order.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class _Waiter:
    num_bytes: int
    num_requests: int
    admitted: asyncio.Future[None]
    is_admitted: bool = False


class Window:
    """Bytes and requests that may be out at once. `acquire` is for event loops, `release` for any thread."""

    def __init__(self, num_bytes: int, num_requests: int) -> None:
        self.num_bytes = num_bytes
        """Bytes that are never exceeded."""
        self.num_requests = num_requests
        """Requests that are never exceeded."""
        self.used_bytes = 0
        """Bytes that are out now."""
        self.used_requests = 0
        """Requests that are out now."""
        self._lock = threading.Lock()
        self._waiters: deque[_Waiter] = deque()

    async def acquire(self, num_bytes: int, num_requests: int = 1) -> None:
        """Wait in line until both fit, and take them. Cancelled, it has taken nothing.

        Raises:
            ValueError: more than the whole window.
        """
        if num_bytes > self.num_bytes or num_requests > self.num_requests:
            raise ValueError(f"{num_bytes} bytes never fit into a window of {self.num_bytes}")
        loop = asyncio.get_running_loop()
        waiter = _Waiter(num_bytes, num_requests, loop.create_future())
        with self._lock:
            self._waiters.append(waiter)
            self._admit()
        if waiter.is_admitted:
            return
        try:
            await waiter.admitted
        except asyncio.CancelledError:
            self._forget(waiter)
            raise

    def release(self, num_bytes: int, num_requests: int = 0) -> None:
        """Give bytes and requests back."""
        with self._lock:
            self.used_bytes -= num_bytes
            self.used_requests -= num_requests
            self._admit()

    def _forget(self, waiter: _Waiter) -> None:
        """Whoever waited was cancelled, perhaps a moment after it was admitted."""
        with self._lock:
            if waiter.is_admitted:
                self.used_bytes -= waiter.num_bytes
                self.used_requests -= waiter.num_requests
            else:
                self._waiters.remove(waiter)
            self._admit()

    def _admit(self) -> None:
        while self._waiters and self._fits(self._waiters[0]):
            waiter = self._waiters.popleft()
            self.used_bytes += waiter.num_bytes
            self.used_requests += waiter.num_requests
            waiter.is_admitted = True
            waiter.admitted.get_loop().call_soon_threadsafe(_wake, waiter.admitted)

    def _fits(self, waiter: _Waiter) -> bool:
        return (
            self.used_bytes + waiter.num_bytes <= self.num_bytes
            and self.used_requests + waiter.num_requests <= self.num_requests
        )


def _wake(admitted: asyncio.Future[None]) -> None:
    if not admitted.done():
        admitted.set_result(None)
