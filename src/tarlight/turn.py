"""Whose a run is: of one process and one thread, and one thread at a time."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tarlight.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.interrupt import InterruptGate


class Turn:
    """A lock that knows who has it. Thread-safe.

    Args:
        gate: holds interrupts back meanwhile.
    """

    def __init__(self, gate: InterruptGate) -> None:
        self._gate = gate
        self._lock = threading.Lock()
        self._holder: threading.Thread | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn, and have it.

        Raises:
            PipelineError: this thread has it already, in a stage or a listener.
        """
        if self._holder is threading.current_thread():
            raise PipelineError(
                "a stage can neither ask the stream of its own run for a batch nor close it; raise an "
                "exception to end it there"
            )
        with self._lock, self._gate.held():
            self._holder = threading.current_thread()
            try:
                yield
            finally:
                self._holder = None

    def comes_within(self, seconds: float) -> bool:
        """Return whether nobody has the turn, after so long a wait at most."""
        if not self._lock.acquire(timeout=seconds):
            return False
        self._lock.release()
        return True


class Owner:
    """The process and the thread that a stream belongs to."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._thread: threading.Thread | None = None

    @property
    def is_here(self) -> bool:
        """Whether this is its process, and not one that was forked from it."""
        return os.getpid() == self._process

    def take(self) -> None:
        """Check that a run may go on here, and bind it to this thread.

        Raises:
            PipelineError: it belongs to another process, or to another thread that is alive.
        """
        if not self.is_here:
            raise PipelineError("a stream does not survive a fork: its threads are in the parent; make one")
        self.check_thread()
        self._thread = threading.current_thread()

    def check_thread(self) -> None:
        """Check that it does not belong to another thread that is alive.

        Raises:
            PipelineError: it does.
        """
        thread = self._thread
        if thread is not None and thread is not threading.current_thread() and thread.is_alive():
            raise PipelineError(
                f"a stream belongs to the thread that took its first batch ({thread.name!r}), and this is "
                f"{threading.current_thread().name!r}; take batches there and hand them on by a queue, or "
                "make a stream for each thread, each over shards of its own"
            )
