"""A fair sample of any number of things, in bounded memory, that depends on nothing but their names.

Bottom-k sampling: each name gets a number by hashing it with the seed, and those with the lowest are kept. So
each thing has the same chance, and the sample does not depend on order, batches or threads.
"""

from __future__ import annotations

import heapq
from hashlib import blake2b
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class FairSample(Generic[Thing]):
    """Keeps up to `size` things. For one thread."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._salt = blake2b(str(seed).encode(), digest_size=16).digest()
        self._heap: list[tuple[int, int, Thing]] = []
        self._number = 0

    def rank(self, name: str) -> int:
        """Return where the thing of this name stands; the lowest are kept."""
        hashed = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, salt=self._salt)
        return int.from_bytes(hashed.digest())

    def wants(self, rank: int) -> bool:
        """Return whether a thing of this rank would be kept now; whoever makes it at a cost asks first."""
        return len(self._heap) < self._size or rank < -self._heap[0][0]

    def put(self, rank: int, thing: Thing) -> None:
        """Keep a thing, in place of the one that ranks highest when there is no room."""
        entry = (-rank, self._number, thing)
        self._number += 1
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def things(self) -> list[Thing]:
        """Return what was kept, in the order in which it came."""
        return [thing for _, _, thing in sorted(self._heap, key=lambda entry: entry[1])]
