"""The sidecars that the other records have: decided over the whole dataset, once all of it was seen.

Strategy: counts how many records with an image have each field. Which of them are expected is known at the
end only, so the first places of every set of fields are kept until then. What is counted is exact; places are
bounded.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.inspect.checking.record import Fields, Place

EXPECTED_FROM = 0.9
"""A field that this part of the records has is one that the others are expected to have."""
MAX_SETS = 1_000
"""Sets of fields whose places are kept."""
MAX_FIELDS = 10_000
"""Distinct fields that are counted; one that comes after so many others is not one that most have."""


class Lack(NamedTuple):
    """A record that lacks a field."""

    field: str
    shard: int
    place: Place


class Sidecars:
    """Which fields the records with an image have. For one thread."""

    def __init__(self, max_places: int) -> None:
        self.num_records = 0
        """Records with an image."""
        self._max_places = max_places
        self._counts: Counter[str] = Counter()
        self._places: dict[Fields, list[tuple[int, Place]]] = {}

    def add(self, fields: Fields, count: int) -> None:
        """Count records with these fields."""
        self.num_records += count
        for field in fields:
            if field in self._counts or len(self._counts) < MAX_FIELDS:
                self._counts[field] += count

    def wants_place(self, fields: Fields) -> bool:
        """Whether places of records with these fields are still kept."""
        kept = self._places.get(fields)
        return len(self._places) < MAX_SETS if kept is None else len(kept) < self._max_places

    def keep(self, fields: Fields, shard: int, place: Place) -> None:
        """Keep the place of a record with these fields."""
        self._places.setdefault(fields, []).append((shard, place))

    def missing(self) -> dict[str, int]:
        """Return field -> records that lack it, for the fields that most have."""
        least = EXPECTED_FROM * self.num_records
        return {
            field: self.num_records - count
            for field, count in self._counts.items()
            if least <= count < self.num_records
        }

    def lacks(self) -> Iterator[Lack]:
        """Yield the places that were kept of records that lack a field."""
        for field in self.missing():
            for fields, places in self._places.items():
                if field not in fields:
                    yield from (Lack(field, shard, place) for shard, place in places)
