"""Whose turn it is with a run: one thread at a time, and none twice."""

from __future__ import annotations

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
