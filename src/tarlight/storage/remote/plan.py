"""How a shard is cut into ranges, and how much of it may be out at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tarlight.errors import ArgumentError
from tarlight.storage.remote.part import Part

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes that a download goes by. Immutable."""

    range_bytes: int = 8 * MIB
    """Ranges have this many bytes to twice as many; the last one of a shard whose size was unknown may have
    fewer. A shard of up to twice as many takes one request."""

    window_bytes: int = 128 * MIB
    """Bytes on their way or waiting to be read, of all shards together."""

    max_requests: int = 16
    """Requests at once."""

    def __post_init__(self) -> None:
        if not 0 < 2 * self.range_bytes <= self.window_bytes or self.max_requests < 1:
            raise ArgumentError(
                f"ranges of {self.range_bytes} bytes to twice as many, and room for one: {self}"
            )

    def first_end(self, size: int | None) -> int:
        """Return where the first range ends, of a shard whose size may be unknown."""
        if not size or size <= 2 * self.range_bytes:
            return size or 2 * self.range_bytes
        return size // (size // self.range_bytes)

    def rest(self, start: int, end: int) -> list[Part]:
        """Return the ranges from `start` to `end`, of equal length."""
        count = (end - start) // self.range_bytes if end - start > 2 * self.range_bytes else 1
        borders = [start + (end - start) * index // count for index in range(count + 1)]
        return [Part(*border) for border in pairwise(borders) if border[0] < border[1]]


DEFAULT_PLAN = Plan()
