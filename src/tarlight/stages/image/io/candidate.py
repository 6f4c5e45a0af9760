"""Images on their way from the reader thread to a batch.

A group is what one decoding thread gets in one hand-over: candidates and losses of one shard, in tar order.
Groups wait in a `Line` in tar order while threads decode them in any order, and so order is kept for free.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tarlight.decode import Decoded, Encoded, Refusal
    from tarlight.ledger import Loss
    from tarlight.storage import ShardStat
    from tarlight.tar import ImageRecord
    from tarlight.tasks import FileGroupTask

ENTRY_BYTES = 1024
"""What an entry costs beside its pixels and encoded bytes: objects, names, fields."""


@dataclass(slots=True)
class Candidate:
    """An image that was seen, and what became of it."""

    record: ImageRecord
    """Where it lies, and its fields."""

    encoded: Encoded | None = None
    """What is to be decoded; None before and after, and for an image that is refused without decoding."""

    outcome: Decoded | Refusal | None = None
    """Pixels, or why there are none; None until it is decoded."""

    pixel_bytes: int = 0
    """Bytes of its pixels, known from its header."""


@dataclass(slots=True)
class Group:
    """Entries of one shard, in tar order, that travel together."""

    task: FileGroupTask
    """The partition that is being read."""

    shard: ShardStat
    """The shard they come from."""

    entries: list[Candidate | Loss] = field(default_factory=list)
    """Images, and damage between them."""

    num_bytes: int = 0
    """What it is charged for: pixels, encoded bytes and objects."""

    done: Future[None] | None = None
    """Done when every candidate has its outcome; None for a group that was never handed to a decoder."""

    position: int = 0
    """The first entry that has not been put into a batch or the ledger yet."""

    def add(self, entry: Candidate | Loss) -> None:
        """Append an entry."""
        self.entries.append(entry)
        self.num_bytes += ENTRY_BYTES
        if isinstance(entry, Candidate) and entry.encoded is not None:
            self.num_bytes += len(entry.encoded.data) + entry.pixel_bytes * _copies_held(entry.encoded)

    @property
    def num_waiting(self) -> int:
        """Images that have not been put into a batch or the ledger yet."""
        return sum(isinstance(entry, Candidate) for entry in self.entries[self.position :])


def _copies_held(encoded: Encoded) -> int:
    # A progressive image keeps all its coefficients while it is decoded, two bytes a sample.
    return 3 if encoded.facts.progressive else 1


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """The reader thread ended with an error, which belongs to the consumer."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class ReadEnd:
    """Everything has been read."""


class Line:
    """A first-in-first-out line between two threads; its length is bounded by the byte budget.

    `wait` may be interrupted and repeated without losing anything; `take` never blocks after it.
    """

    def __init__(self) -> None:
        self._items: deque[Group | ReadFailure | ReadEnd] = deque()
        self._filled = threading.Condition()

    def put(self, item: Group | ReadFailure | ReadEnd) -> None:
        """Append at the end."""
        with self._filled:
            self._items.append(item)
            self._filled.notify()

    def wait(self) -> Group | ReadFailure | ReadEnd:
        """Wait for the first item and return it without taking it."""
        with self._filled:
            self._filled.wait_for(lambda: bool(self._items))
            return self._items[0]

    def take(self) -> None:
        """Remove the first item."""
        self._items.popleft()

    def drain(self) -> list[Group]:
        """Take all groups that are left."""
        groups = [item for item in self._items if isinstance(item, Group)]
        self._items.clear()
        return groups
