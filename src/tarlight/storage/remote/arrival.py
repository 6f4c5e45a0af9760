"""Pieces of one shard that come in any order and leave in the order of their bytes.

The loop's thread puts, the reader's takes. A piece is found by its offset, so that a gap or an overlap cannot
pass unseen: what begins at the byte that is missing is handed out, and nothing else.
"""

from __future__ import annotations

import threading


class StoppedError(Exception):
    """What somebody waits for was closed meanwhile. Leaves the parser from wherever it reads."""


class Arrivals:
    """Pieces on their way from the network to the reader. Thread-safe."""

    def __init__(self) -> None:
        self._position = 0
        self._end: int | None = None
        self._pieces: dict[int, bytes] = {}
        self._failures: dict[int, BaseException] = {}
        self._closed = False
        self._changed = threading.Condition()

    @property
    def position(self) -> int:
        """The first byte that has not been taken."""
        return self._position

    def announce(self, end: int) -> None:
        """The shard has this many bytes."""
        with self._changed:
            self._end = end
            self._changed.notify_all()

    def put(self, offset: int, piece: bytes) -> bool:
        """Add a piece. Returns False, and keeps nothing, where nobody will take it any more."""
        with self._changed:
            if self._closed:
                return False
            self._pieces[offset] = piece
            if offset == self._position:
                self._changed.notify_all()
            return True

    def fail(self, offset: int, error: BaseException) -> None:
        """The byte at `offset` will not come; what is before it may still be taken."""
        with self._changed:
            self._failures.setdefault(offset, error)
            self._changed.notify_all()

    def wait_for_end(self) -> None:
        """Wait until the shard's size is known.

        Raises:
            Exception: what came instead of the first byte.
            StoppedError: closed from another thread.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._end is not None or 0 in self._failures)
            self._raise_if_closed()
            if self._end is None:
                raise self._failures[0]

    def take(self) -> bytes:
        """Wait for the next piece and take it; empty at the shard's end.

        Raises:
            Exception: what came instead of the next byte.
            StoppedError: closed from another thread.
        """
        with self._changed:
            self._changed.wait_for(self._is_ready)
            self._raise_if_closed()
            if (piece := self._pieces.pop(self._position, None)) is not None:
                self._position += len(piece)
                return piece
            if self._position in self._failures:
                raise self._failures[self._position]
            return b""

    def close(self) -> int:
        """Let go whoever waits. Returns the bytes of the pieces that nobody took."""
        with self._changed:
            self._closed = True
            left = sum(map(len, self._pieces.values()))
            self._pieces.clear()
            self._changed.notify_all()
            return left

    def _is_ready(self) -> bool:
        at = self._position
        return self._closed or at in self._pieces or at in self._failures or at == self._end

    def _raise_if_closed(self) -> None:
        if self._closed:
            raise StoppedError
