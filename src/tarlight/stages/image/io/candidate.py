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
    from collections.abc import Sequence
    from concurrent.futures import Future

    from tarlight.decode import Decoded, Encoded, Refusal
    from tarlight.ledger import Loss, Section
    from tarlight.storage import ShardStat
    from tarlight.tar import ImageRecord
    from tarlight.tasks import FileGroupTask

ENTRY_BYTES = 1024
"""What an entry costs beside its pixels, encoded bytes and fields: objects and names."""

RGB = 3
"""Components of a colour image; one with more is decoded as it is, and converted."""


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

    @property
    def kept_bytes(self) -> int:
        """What it takes in a batch: pixels and fields."""
        return self.pixel_bytes + self.record.field_bytes

    def decoding_bytes(self, pixel_copies: int) -> int:
        """What it takes until it is in a batch, at most, with a decoder that makes so many copies."""
        if self.encoded is None:
            return self.record.field_bytes
        held = pixel_copies + _extra_copies(self.encoded)
        return len(self.encoded.data) + self.record.field_bytes + self.pixel_bytes * held


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

    has_work: bool = False
    """Whether there is anything to decode."""

    done: Future[None] | None = None
    """Done when every candidate has its outcome; None for a group that needs no decoder, or got none."""

    position: int = 0
    """The first entry that has not been put into a batch or the ledger yet."""

    entries_before: int = 0
    """Entries of the shard before these, as the reader thread counts them."""

    images_before: int = 0
    """Images of the shard before these, likewise."""

    names_before: Sequence[str] = ()
    """Names that a run before this one delivered from the shard; in every group of it."""

    def add(self, entry: Candidate | Loss, num_bytes: int = 0) -> None:
        """Append an entry that takes `num_bytes` beside its objects."""
        self.entries.append(entry)
        self.num_bytes += ENTRY_BYTES + num_bytes

    def following(self) -> Group:
        """Return an empty group for the entries behind these."""
        images = sum(isinstance(entry, Candidate) for entry in self.entries)
        return Group(
            self.task,
            self.shard,
            entries_before=self.entries_before + len(self.entries),
            images_before=self.images_before + images,
            names_before=self.names_before,
        )

    @property
    def num_waiting(self) -> int:
        """Images that have not been put into a batch or the ledger yet."""
        return sum(isinstance(entry, Candidate) for entry in self.entries[self.position :])


@dataclass(frozen=True, slots=True)
class ShardEnd:
    """A shard has been read to its end."""

    path: str
    """Path or URL of the shard."""

    section: Section
    """What the rooms before this one wrote of it."""

    withheld: Loss | None = None
    """What of it did not come: then it has not been read to its end."""


def _extra_copies(encoded: Encoded) -> int:
    """Copies of the pixels' bytes that this image needs beyond those of any image."""
    facts, data = encoded.facts, encoded.data
    # An image in several scans keeps all its coefficients, two bytes a sample. The byte after the SOS marker
    # and its length says how many components the first scan has.
    in_scans = facts.progressive or data[facts.scan_start + 4] < facts.components
    is_turned, is_cmyk = facts.orientation != 1, facts.components > RGB
    return 2 * in_scans + is_turned + 2 * is_cmyk


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """The reader thread ended with an error, which belongs to the consumer."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class ReadHungry:
    """The reader thread has no partition left to read."""


@dataclass(frozen=True, slots=True)
class ReadEnd:
    """Everything has been read."""


Item = Group | ShardEnd | ReadFailure | ReadHungry | ReadEnd
"""What stands in the line."""


class Line:
    """A first-in-first-out line between two threads; its length is bounded by the byte budget.

    `wait` may be interrupted and repeated without losing anything; `take` never blocks after it.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._filled = threading.Condition()

    def put(self, item: Item) -> None:
        """Append at the end."""
        with self._filled:
            self._items.append(item)
            self._filled.notify()

    def wait(self) -> Item:
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
