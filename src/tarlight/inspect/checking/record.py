"""The records of one shard: are their members side by side, does each name come once, is an image there?

Strategy: gets members in tar order, one record's run after the other, and tells what is wrong as soon as it
is known. Records next to damage are excused: what they lack may lie in the lost bytes, which are a finding
already. Holds about 300 bytes for each record of the shard at hand.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from tarlight.inspect.checking.key import DIGEST_BYTES
from tarlight.inspect.checking.kind import Kind
from tarlight.report.label import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[Kind, str, int, str], None]

MAX_FIELDS = 1_000
"""Fields of one record that are told apart; a hostile shard could have a million."""
MAX_NAME = 400
"""Longer names are shortened where they are kept."""

Fields = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record begins."""

    member: str
    """Name of its first image; of its first member where it has no image."""
    offset: int
    """First byte of that member's header."""


@dataclass(slots=True)
class _Run:
    """Members with one key that lie side by side."""

    key: str
    start: int
    is_excused: bool
    members: dict[str, Place] = field(default_factory=dict)
    image: Place | None = None


class Records:
    """The records of one shard. `tell` gets kind, member, offset and detail of what is wrong."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._run: _Run | None = None
        self._is_next_excused = False
        self._index: dict[bytes, int] = {}
        self._starts = array("Q")
        self._fields: list[Fields] = []
        self._places: list[Place] = []
        self._known: dict[Fields, Fields] = {}
        self._excused: set[int] = set()
        self.has_excuses = False
        """Whether any record was excused: the number of records then says nothing."""

    def __len__(self) -> int:
        return len(self._fields)

    def add(self, key: str, field_: str, member: str, offset: int, start: int, *, is_image: bool) -> None:
        """Add a member with its header at `offset`. At `start` the first of its PAX or GNU headers begins."""
        run = self._run
        if run is None or key != run.key:
            self._end_run()
            run = self._run = _Run(key, start, self._is_next_excused)
            self._is_next_excused = False
        members = run.members
        if field_ in members:
            self._tell_twice(member, offset, members[field_])
        elif len(members) < MAX_FIELDS:
            members[field_] = place = Place(member, offset)
            if is_image and run.image is None:
                run.image = place

    def excuse(self) -> None:
        """Something was lost here: neither the record before it nor the one after it is judged."""
        self.has_excuses = self._is_next_excused = True
        if self._run is not None:
            self._run.is_excused = True

    def close(self) -> None:
        """No more members come."""
        self._end_run()

    def keys(self) -> tuple[bytes, array[int]]:
        """Digests of all keys in a row, and where each record begins."""
        return b"".join(self._index), self._starts

    def judged(self) -> Iterator[tuple[Fields, Place]]:
        """Yield fields and place of every record that is not excused."""
        for number, found in enumerate(zip(self._fields, self._places, strict=True)):
            if number not in self._excused:
                yield found

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        fields = tuple(run.members)
        fields = self._known.setdefault(fields, fields)
        digest = digest_of(run.key)
        number = self._index.setdefault(digest, len(self._fields))
        if number == len(self._fields):
            self._starts.append(run.start)
            self._fields.append(fields)
            self._places.append(_kept(run.image or next(iter(run.members.values()))))
        else:
            self._join(number, run)
        if run.is_excused:
            self._excused.add(number)

    def _join(self, number: int, run: _Run) -> None:
        """Put a run to the record that began before it, apart from it."""
        fields = self._fields[number]
        twice = [field_ for field_ in run.members if field_ in fields]
        for field_ in twice:
            self._tell_twice(run.members[field_].member, run.members[field_].offset, self._places[number])
        if not twice:
            first = next(iter(run.members.values()))
            detail = f"its record begins at byte {self._starts[number]:,}, with others in between"
            self._tell(Kind.SPLIT_RECORD, first.member, first.offset, detail)
        joined = (*fields, *(field_ for field_ in run.members if field_ not in fields))[:MAX_FIELDS]
        self._fields[number] = self._known.setdefault(joined, joined)
        if run.image is not None and not twice:
            self._places[number] = _kept(run.image)

    def _tell_twice(self, member: str, offset: int, first: Place) -> None:
        detail = f"the record has {first.member!r} at byte {first.offset:,} already"
        self._tell(Kind.DUPLICATE_IN_SHARD, member, offset, detail)


def digest_of(key: str) -> bytes:
    """128 bits that stand for a key."""
    return blake2b(key.encode("utf-8", "surrogateescape"), digest_size=DIGEST_BYTES).digest()


def _kept(place: Place) -> Place:
    return place if len(place.member) <= MAX_NAME else Place(shorten(place.member, MAX_NAME), place.offset)
