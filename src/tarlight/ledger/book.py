"""The ledger of a run while it is being written."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tarlight.ledger.entry import Loss, Note, ShardAccount, Skip
from tarlight.ledger.report import Report
from tarlight.ledger.section import Counts, Section
from tarlight.ledger.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tarlight.ledger.times import Timesheet


class Ledger:
    """The books of one run, open for writing. Thread-safe: every method takes one short lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()
        self.skips: Spool[Skip] = Spool(Skip)
        self.losses: Spool[Loss] = Spool(Loss)
        self.notes: Spool[Note] = Spool(Note)

    def saw(self, images: int) -> None:
        """The tar room found this many more images."""
        with self._lock:
            self._counts.seen += images

    def skip(self, entry: Skip) -> None:
        """An image will not be delivered, for a reason of its own."""
        with self._lock:
            self._counts.skipped[str(entry.reason)] += 1
        self.skips.append(entry)

    def lose(self, entry: Loss) -> None:
        """Bytes of a shard could not be read."""
        with self._lock:
            self._counts.count_loss(entry)
        self.losses.append(entry)

    def withhold(self, entry: Loss) -> None:
        """A shard, or the rest of it, did not come: lost in this run, and for the next one to try again."""
        with self._lock:
            self._counts.count_withheld(entry)
        self.losses.append(entry)

    def note(self, entry: Note) -> None:
        """Something worth knowing."""
        self.notes.append(entry)

    def ignore(self, kinds: Mapping[str, int]) -> None:
        """Members that are not images, by extension or kind."""
        with self._lock:
            self._counts.ignore(kinds)

    def read(self, num_bytes: int) -> None:
        """This many more bytes came from a store."""
        with self._lock:
            self._counts.bytes_read += num_bytes

    def finish_shard(self, account: ShardAccount) -> None:
        """A shard was read to its end; its columns must add up to its size."""
        with self._lock:
            self._counts.finish_shard(account)

    def distrust(self, what: str) -> None:
        """Bytes of a shard are missing from the books: they cannot balance."""
        with self._lock:
            self._counts.unbalanced_shards.append(what)

    def choose(self, decoder: str) -> None:
        """A reader chose this decoder, for this reason."""
        with self._lock:
            self._counts.choices[decoder] = None

    def decoded(
        self, decoders: Mapping[str, int], fallbacks: Mapping[str, int], pixels: int, unchecked: int = 0
    ) -> None:
        """Images were decoded by these decoders, after these fallbacks, some not checked for damage."""
        with self._lock:
            self._counts.decoders.update(decoders)
            self._counts.fallbacks.update(fallbacks)
            self._counts.pixels += pixels
            self._counts.unchecked += unchecked

    def add(self, images: int) -> None:
        """A user's stage handed on more images than it got."""
        with self._lock:
            self._counts.added += images

    def filter(self, stage: str, images: int) -> None:
        """A user's stage handed on fewer images than it got."""
        with self._lock:
            self._counts.filtered[stage] += images

    def deliver(self, images: int) -> None:
        """The consumer has got this many more images."""
        with self._lock:
            self._counts.delivered += images

    def leave(self, images: int) -> None:
        """The run was stopped while this many images were on their way."""
        with self._lock:
            self._counts.undelivered += images

    def cut(self) -> Section:
        """Return all that was written so far as a section, and begin anew.

        Of what is written meanwhile no count is lost; an entry may be counted and not named.
        """
        section = Section()
        with self._lock:
            counts, self._counts = self._counts, Counts()
            skips, losses, notes = self.skips, self.losses, self.notes
            self.skips, self.losses, self.notes = Spool(Skip), Spool(Loss), Spool(Note)
        section.add_counts(counts)
        section.skips, section.losses, section.notes = list(skips), list(losses), list(notes)
        section.num_losses, section.num_notes = len(section.losses), len(section.notes)
        return section

    def take_in(self, section: Section) -> None:
        """Add what happened elsewhere: in a run before this one, or in another process."""
        with self._lock:
            self._counts.add_counts(section)
        for skip in section.skips:
            self.skips.append(skip)
        for loss in section.losses:
            self.losses.append(loss)
        for note in section.notes:
            self.notes.append(note)
        if section.withheld is not None:
            self.take_in(section.withheld)

    def report(self, outcome: str, seconds: float, times: Timesheet | None = None) -> Report:
        """The books as they stand now, with the times of their run where it kept any."""
        with self._lock:
            counts = self._counts
            return Report(
                outcome=outcome,
                seconds=seconds,
                images_seen=counts.seen,
                images_added=counts.added,
                images_delivered=counts.delivered,
                images_skipped=dict(counts.skipped),
                images_filtered=dict(counts.filtered),
                undelivered=counts.undelivered,
                ignored=dict(counts.ignored),
                decoder_choice="; ".join(counts.choices),
                decoders=dict(counts.decoders),
                images_unchecked=counts.unchecked,
                fallbacks=dict(counts.fallbacks),
                shards=counts.shards,
                bytes_read=counts.bytes_read,
                bytes_lost=counts.bytes_lost,
                unsized_losses=counts.unsized_losses,
                shards_withheld=counts.shards_withheld,
                pixels=counts.pixels,
                unbalanced_shards=tuple(counts.unbalanced_shards),
                skips=self.skips,
                losses=self.losses,
                notes=self.notes,
                times={} if times is None else times.times(),
                stall=None if times is None else times.stall(),
                workers=() if times is None else times.workers,
            )
