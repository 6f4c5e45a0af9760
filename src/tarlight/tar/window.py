"""A window over chunks of bytes, whatever their lengths.

Strategy: knows chunks and offsets, nothing of tar. Everything it returns depends on the bytes alone, never on
where one chunk ends and the next begins. Raises only what the iterable of chunks raises.

The hot loop of the parser works on `view` and `pos` directly; everyone else uses the methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tarlight.tar.member import Chunk


class Window:
    """The bytes of a shard, seen through one chunk at a time."""

    __slots__ = ("_base", "_chunks", "_rest", "limit", "pos", "view")

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks: Iterator[Chunk] = iter(chunks)
        self._rest = memoryview(b"")
        self._base = 0
        self.view = memoryview(b"")
        """The chunk at hand."""
        self.pos = 0
        """Where the next byte lies in `view`."""
        self.limit = 0
        """Length of `view`."""

    @property
    def base(self) -> int:
        """Offset of the first byte of `view` in the whole."""
        return self._base

    @property
    def offset(self) -> int:
        """Offset of the next byte in the whole."""
        return self._base + self.pos

    def peek(self, num_bytes: int) -> memoryview:
        """The next bytes, without passing them; fewer only at the end of the data."""
        if self.limit - self.pos < num_bytes and not self._has(num_bytes):
            start = self.offset
            joined = memoryview(
                b"".join(self._pieces(2 * num_bytes))
            )  # twice: so steps do not copy each time
            self._rest = self.view[self.pos :]
            self._base, self.view, self.pos, self.limit = start, joined, 0, len(joined)
        return self.view[self.pos : self.pos + num_bytes]

    def take(self, num_bytes: int) -> memoryview:
        """The next bytes, passing them; a view into the chunk when they lie in one, else a copy."""
        if self.limit - self.pos < num_bytes and not self._has(num_bytes):
            return memoryview(b"".join(self._pieces(num_bytes)))
        self.pos += num_bytes
        return self.view[self.pos - num_bytes : self.pos]

    def skip(self, num_bytes: int) -> int:
        """Pass bytes in constant memory; returns how many there were."""
        if self.limit - self.pos >= num_bytes:
            self.pos += num_bytes
            return num_bytes
        return sum(map(len, self._pieces(num_bytes)))

    def drain(self) -> Iterator[memoryview]:
        """Pass everything that is left, piece by piece."""
        while self.pos < self.limit or self.refill():
            start, self.pos = self.pos, self.limit
            yield self.view[start:]

    def refill(self) -> bool:
        """Go on to the next chunk, once this one is passed; False at the end of the data."""
        while self.pos == self.limit:
            chunk = self._next()
            if chunk is None:
                return False
            self._base += self.limit
            self.view, self.pos, self.limit = chunk, 0, len(chunk)
        return True

    def _has(self, num_bytes: int) -> bool:
        """Whether the chunk at hand, or the next one when this one is passed, has that many bytes left."""
        if self.pos == self.limit:
            self.refill()
        return self.limit - self.pos >= num_bytes

    def _pieces(self, num_bytes: int) -> Iterator[memoryview]:
        while num_bytes and (self.pos < self.limit or self.refill()):
            start = self.pos
            self.pos = min(self.limit, start + num_bytes)
            num_bytes -= self.pos - start
            yield self.view[start : self.pos]

    def _next(self) -> memoryview | None:
        if len(self._rest):
            rest, self._rest = self._rest, memoryview(b"")
            return rest
        chunk = next(self._chunks, None)
        if chunk is None:
            return None
        view = memoryview(chunk)
        return view if view.format == "B" and view.ndim == 1 and view.contiguous else view.cast("B")
