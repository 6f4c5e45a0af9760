"""Writing to the ledger of a run and to a section of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tarlight.ledger.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tarlight.ledger.entry import Loss, Note, ShardAccount, Skip


class Books(Protocol):
    """What the rooms write to: a `Ledger`, or a `Branch` of one. See `Ledger` for the methods."""

    def saw(self, images: int) -> None:
        """The tar room found this many more images."""

    def skip(self, entry: Skip) -> None:
        """An image will not be delivered."""

    def lose(self, entry: Loss) -> None:
        """Bytes of a shard could not be read."""

    def withhold(self, entry: Loss) -> None:
        """A shard, or the rest of it, did not come."""

    def note(self, entry: Note) -> None:
        """Something worth knowing."""

    def ignore(self, kinds: Mapping[str, int]) -> None:
        """Members that are not images."""

    def read(self, num_bytes: int) -> None:
        """This many more bytes came from a store."""

    def finish_shard(self, account: ShardAccount) -> None:
        """A shard was read to its end."""

    def distrust(self, what: str) -> None:
        """Bytes of a shard are missing from the books."""

    def decoded(
        self, decoders: Mapping[str, int], fallbacks: Mapping[str, int], pixels: int, unchecked: int = 0
    ) -> None:
        """Images were decoded."""

    def choose(self, decoder: str) -> None:
        """A reader chose this decoder."""

    def leave(self, images: int) -> None:
        """The run was stopped while this many images were on their way."""


class Branch:
    """Passes all that is written on to the ledger of the run, and keeps it as a section. For one thread."""

    def __init__(self, ledger: Books) -> None:
        self.section = Section()
        """What was written since it was cut."""
        self._ledger = ledger

    def cut(self) -> Section:
        """Return the section, and begin the next one."""
        section, self.section = self.section, Section()
        return section

    def saw(self, images: int) -> None:
        """See `Ledger.saw`."""
        self.section.saw(images)
        self._ledger.saw(images)

    def skip(self, entry: Skip) -> None:
        """See `Ledger.skip`."""
        self.section.skip(entry)
        self._ledger.skip(entry)

    def lose(self, entry: Loss) -> None:
        """See `Ledger.lose`."""
        self.section.lose(entry)
        self._ledger.lose(entry)

    def withhold(self, entry: Loss) -> None:
        """See `Ledger.withhold`."""
        self.section.withhold(entry)
        self._ledger.withhold(entry)

    def note(self, entry: Note) -> None:
        """See `Ledger.note`."""
        self.section.note(entry)
        self._ledger.note(entry)

    def ignore(self, kinds: Mapping[str, int]) -> None:
        """See `Ledger.ignore`."""
        self.section.ignore(kinds)
        self._ledger.ignore(kinds)

    def read(self, num_bytes: int) -> None:
        """See `Ledger.read`."""
        self.section.bytes_read += num_bytes
        self._ledger.read(num_bytes)

    def finish_shard(self, account: ShardAccount) -> None:
        """See `Ledger.finish_shard`."""
        self.section.finish_shard(account)
        self._ledger.finish_shard(account)

    def distrust(self, what: str) -> None:
        """See `Ledger.distrust`."""
        self.section.unbalanced_shards.append(what)
        self._ledger.distrust(what)

    def decoded(
        self, decoders: Mapping[str, int], fallbacks: Mapping[str, int], pixels: int, unchecked: int = 0
    ) -> None:
        """See `Ledger.decoded`."""
        self.section.decoders.update(decoders)
        self.section.fallbacks.update(fallbacks)
        self.section.pixels += pixels
        self.section.unchecked += unchecked
        self._ledger.decoded(decoders, fallbacks, pixels, unchecked)

    def choose(self, decoder: str) -> None:
        """See `Ledger.choose`."""
        self.section.choices[decoder] = None
        self._ledger.choose(decoder)

    def leave(self, images: int) -> None:
        """See `Ledger.leave`; what is undelivered is in no section."""
        self._ledger.leave(images)
