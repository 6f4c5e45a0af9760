"""A section of the ledger: what happened in one stretch of the dataset, as a value.

Sections travel with the batches that they lead up to, from thread to thread and from process to process, and
add up: whoever adds the sections of all batches that arrived has the books of exactly those.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tarlight.ledger.spool import KEPT_IN_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from tarlight.ledger.entry import Loss, Note, ShardAccount, Skip

    Entry = TypeVar("Entry", Skip, Loss, Note)

MAX_KINDS = 1_000
"""Distinct kinds of ignored members that are named; a hostile shard could hold a million extensions."""


@dataclass(slots=True)
class Counts:
    """The numbers of the ledger; see `Report` for their meaning."""

    seen: int = 0
    added: int = 0
    delivered: int = 0
    undelivered: int = 0
    shards: int = 0
    bytes_read: int = 0
    bytes_lost: int = 0
    unsized_losses: int = 0
    shards_withheld: int = 0
    pixels: int = 0
    unchecked: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    decoders: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    unbalanced_shards: list[str] = field(default_factory=list)
    choices: dict[str, None] = field(default_factory=dict)

    def ignore(self, kinds: Mapping[str, int]) -> None:
        """Count members that are not images; beyond `MAX_KINDS` kinds without their names."""
        ignored = self.ignored
        for kind, count in kinds.items():
            ignored[kind if kind in ignored or len(ignored) < MAX_KINDS else "(other)"] += count

    def finish_shard(self, account: ShardAccount) -> None:
        """Count a shard that was read to its end."""
        self.shards += 1
        if not account.is_balanced:
            self.unbalanced_shards.append(f"{account.shard}: {account}")

    def count_loss(self, loss: Loss) -> None:
        """Count lost bytes."""
        self.bytes_lost += loss.end - loss.start
        self.unsized_losses += not loss.is_sized

    def count_withheld(self, loss: Loss) -> None:
        """Count a shard that did not come, or not to its end."""
        self.count_loss(loss)
        self.shards += 1
        self.shards_withheld += 1

    def add_counts(self, other: Counts) -> None:
        """Add the numbers of `other`."""
        self.seen += other.seen
        self.added += other.added
        self.delivered += other.delivered
        self.undelivered += other.undelivered
        self.shards += other.shards
        self.bytes_read += other.bytes_read
        self.bytes_lost += other.bytes_lost
        self.unsized_losses += other.unsized_losses
        self.shards_withheld += other.shards_withheld
        self.pixels += other.pixels
        self.unchecked += other.unchecked
        for name in ("skipped", "filtered", "decoders", "fallbacks"):
            if counts := getattr(other, name):
                getattr(self, name).update(counts)
        if other.ignored:
            self.ignore(other.ignored)
        self.unbalanced_shards += other.unbalanced_shards
        self.choices |= other.choices


@dataclass(slots=True)
class Position:
    """How far a shard has been settled, in tar order."""

    entries: int = 0
    """Images and losses that are settled: go on after these."""

    images: int = 0
    """How many of them are images."""

    version: str = ""
    """Version of the shard that they were read from, `ShardStat.version`."""

    skipped: array[int] = field(default_factory=lambda: array("Q"))
    """Offsets of those images that were skipped; in a section, of those since the section before it."""


@dataclass(slots=True)
class Section(Counts):
    """What happened from the end of one batch to the end of the next, in tar order.

    Its books balance with what is delivered and filtered of its batch. Bytes read, ignored members, notes and
    account of a shard belong to the section in which the shard ends. Not thread-safe.
    """

    withheld: Section | None = None
    """What is true of this run only, and never committed: shards of which the rest did not come. `done` names
    them; with them go their bytes read, ignored members and notes."""
    sized_images: int = 0
    """Images with a whole payload that are settled."""
    sized_bytes: int = 0
    """What these take in their shards, with what lies before each of them."""

    num_losses: int = 0
    """Ranges that were lost; `losses` names at most 10,000."""
    num_notes: int = 0
    """Notes; `notes` holds at most 10,000."""
    skips: list[Skip] = field(default_factory=list)
    """The first 10,000 skips; `skipped` counts all."""
    losses: list[Loss] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """Shards that are settled to their end."""
    reading: dict[str, Position] = field(default_factory=dict)
    """Shard -> how far it is settled, where it is not done."""
    fields: set[str] = field(default_factory=set)
    """Fields that delivered images had."""

    def saw(self, images: int) -> None:
        """Count images that the tar room found."""
        self.seen += images

    def skip(self, entry: Skip) -> None:
        """Count a skipped image."""
        self.skipped[str(entry.reason)] += 1
        _keep(self.skips, (entry,))

    def lose(self, entry: Loss) -> None:
        """Count lost bytes."""
        self.count_loss(entry)
        self.num_losses += 1
        _keep(self.losses, (entry,))

    def withhold(self, entry: Loss) -> None:
        """Count a shard that did not come, or not to its end: lost for this run, and not settled."""
        self.withheld = withheld = self.withheld or Section()
        withheld.count_withheld(entry)
        withheld.num_losses += 1
        withheld.done.append(entry.shard)
        _keep(withheld.losses, (entry,))

    def note(self, entry: Note) -> None:
        """Keep a note."""
        self.num_notes += 1
        _keep(self.notes, (entry,))

    def add(self, later: Section) -> None:
        """Add a section that comes after this one. `later` must not be used any more."""
        self.add_counts(later)
        self.num_losses += later.num_losses
        self.num_notes += later.num_notes
        self.sized_images += later.sized_images
        self.sized_bytes += later.sized_bytes
        _keep(self.skips, later.skips)
        _keep(self.losses, later.losses)
        _keep(self.notes, later.notes)
        self.fields |= later.fields
        for shard, position in later.reading.items():
            self._advance(shard, position)
        for shard in later.done:
            self.reading.pop(shard, None)
        self.done += later.done
        if later.withheld is not None:
            self.withheld = self.withheld or Section()
            self.withheld.add(later.withheld)

    def _advance(self, shard: str, position: Position) -> None:
        before = self.reading.get(shard)
        if before is None:
            self.reading[shard] = position
            return
        before.entries, before.images = position.entries, position.images
        before.version = position.version
        before.skipped.extend(position.skipped)

    def copy(self) -> Section:
        """Return a section that is equal, and its own."""
        twin = Section()
        twin.add(self)
        twin.reading = {
            shard: Position(at.entries, at.images, at.version, at.skipped[:])
            for shard, at in self.reading.items()
        }
        return twin

    @property
    def num_unnamed(self) -> int:
        """Skips, losses and notes that are counted only."""
        named = len(self.skips) + len(self.losses) + len(self.notes)
        return self.num_skipped + self.num_losses + self.num_notes - named

    @property
    def num_skipped(self) -> int:
        """All skipped images."""
        return self.skipped.total()


def _keep(kept: list[Entry], entries: Iterable[Entry]) -> None:
    """Append entries as far as there is room."""
    if len(kept) < KEPT_IN_MEMORY:
        kept.extend(entries)
        del kept[KEPT_IN_MEMORY:]
