"""Where in a file images were delivered, skipped and lost: a strip of a fixed number of cells.

The size of a file need not be known: when something lies beyond the last cell, cells are put together in twos
until it fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tarlight.report.survey import DELIVERED, LOST, SKIPPED, ShardRow

NUM_CELLS = 128
"""Cells of a strip; each becomes a few pixels of the page."""
_FIRST_CELL = 512
"""Bytes of a cell at the start: nothing in a tar is shorter."""


@dataclass(slots=True)
class Strip:
    """The strip and the counts of one shard: about 400 bytes besides its path. For one thread."""

    path: str
    """Path or URL of the shard."""
    size: int | None = None
    """Bytes of the file, where the listing told them."""
    delivered: int = 0
    """Images delivered."""
    skipped: int = 0
    """Images skipped."""
    bytes_lost: int = 0
    """Bytes lost."""
    extent: int = 0
    """One past the last byte that anything was said about."""
    inflated: bool = False
    """True when offsets count inflated bytes, and `size` does not."""
    _cells: bytearray = field(default_factory=lambda: bytearray(NUM_CELLS))
    _cell_bytes: int = _FIRST_CELL

    @property
    def was_read(self) -> bool:
        """True when anything was found in it."""
        return self.extent > 0

    def deliver(self, offset: int, size: int) -> None:
        """An image of `size` bytes at `offset` was delivered."""
        self.delivered += 1
        self._mark(offset, offset + size, DELIVERED)

    def skip(self, offset: int) -> None:
        """The image at `offset` was skipped."""
        self.skipped += 1
        self._mark(offset, offset + 1, SKIPPED)

    def lose(self, start: int, end: int) -> None:
        """The bytes from `start` to `end` were lost."""
        self.bytes_lost += end - start
        # What has no length, or none that anybody knows, marks the cell in which it lies.
        self._mark(start if end > start else max(start - 1, 0), max(end, 1), LOST)

    def copy(self) -> Strip:
        """Return one of its own that says the same."""
        return replace(self, _cells=bytearray(self._cells))

    def row(self) -> ShardRow:
        """Return the strip as it stands."""
        size = self.extent if self.inflated or self.size is None else max(self.size, self.extent)
        while size > self._cell_bytes * NUM_CELLS:  # a long rest in which nothing lies
            self._halve()
        cells = bytes(self._cells[: -(-size // self._cell_bytes)])
        return ShardRow(
            self.path, size, self._cell_bytes, cells, self.delivered, self.skipped, self.bytes_lost
        )

    def _mark(self, start: int, end: int, kind: int) -> None:
        self.extent = max(self.extent, end)
        while end > self._cell_bytes * NUM_CELLS:
            self._halve()
        for cell in range(start // self._cell_bytes, (max(end, start + 1) - 1) // self._cell_bytes + 1):
            self._cells[cell] |= kind

    def _halve(self) -> None:
        """Make every cell twice as long."""
        pairs = zip(self._cells[::2], self._cells[1::2], strict=True)
        self._cells = bytearray(one | other for one, other in pairs).ljust(NUM_CELLS, b"\0")
        self._cell_bytes *= 2
