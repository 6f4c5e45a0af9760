"""Shards in a row: gaps in their numbering, and shards with another number of records than their neighbours.

Strategy: shards whose paths differ in one number only are a series. What is no clear pattern is no
finding: a numbering of which more than a third is missing, or shards of which no number of records is
the common one.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER = re.compile(r"[0-9]{1,18}(?![0-9])(?!.*[0-9])")
_TOTAL = re.compile(r"-of-[0-9]+")
_FEWEST = 3
"""Shards that must be there before one of them can differ from the others."""


class Gap(NamedTuple):
    """Numbers that no shard has."""

    first: str
    """Path that the first missing shard would have."""
    after: int
    """Index of the shard before the gap."""
    num_missing: int
    """How many are missing."""
    last: str
    """Path that the last missing shard would have."""


class Odd(NamedTuple):
    """A shard with an unusual number of records."""

    shard: int
    """Its index."""
    records: int
    """Records it has."""
    usual: int
    """Records that most of its series have."""


@dataclass(slots=True)
class _Row:
    """One series; parallel arrays, 20 bytes a shard."""

    width: int
    shards: array[int] = field(default_factory=lambda: array("q"))
    numbers: array[int] = field(default_factory=lambda: array("q"))
    records: array[int] = field(default_factory=lambda: array("q"))


class Series:
    """Numbers and sizes of all shards, in the order of the dataset."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], _Row] = {}

    def add(self, shard: int, path: str, num_records: int | None) -> None:
        """Add a shard. `num_records` is None where damage hides how many there should be."""
        parts = _split(path)
        if parts is None:
            return
        before, number, after = parts
        row = self._rows.setdefault((before, after), _Row(len(number)))
        row.width = min(row.width, len(number))
        row.shards.append(shard)
        row.numbers.append(int(number))
        row.records.append(-1 if num_records is None else num_records)

    def gaps(self) -> Iterator[Gap]:
        """Yield the gaps in the numbering, where it is one."""
        for (before, after), row in self._rows.items():
            order = sorted(zip(row.numbers, row.shards, strict=True))
            missing = order[-1][0] - order[0][0] + 1 - len(order)
            if not 0 < 2 * missing <= len(order):
                continue
            for (one, shard), (other, _) in pairwise(order):
                if other - one > 1:
                    first, last = (f"{before}{at:0{row.width}d}{after}" for at in (one + 1, other - 1))
                    yield Gap(first, shard, other - one - 1, last)

    def odd_ones(self) -> Iterator[Odd]:
        """Yield the shards whose number of records is not the usual one; the last of a series may differ."""
        for row in self._rows.values():
            order = sorted(zip(row.numbers, row.shards, row.records, strict=True))
            whole = [(shard, records) for _, shard, records in order if records >= 0]
            usual = _usual([records for _, records in whole])
            if usual is None:
                continue
            last = order[-1][1]
            yield from (
                Odd(shard, records, usual) for shard, records in whole if records != usual and shard != last
            )


def _usual(records: list[int]) -> int | None:
    """Return the number of records that more than half have; None where there is none, or an even spread."""
    if len(records) < _FEWEST or _is_even_spread(records):
        return None
    usual, count = Counter(records).most_common(1)[0]
    return usual if 2 * count > len(records) else None


def _is_even_spread(records: list[int]) -> bool:
    """Whether the numbers fall by one at most, once: so a writer spreads what cannot be divided evenly."""
    return records == sorted(records, reverse=True) and records[0] - records[-1] <= 1


def _split(path: str) -> tuple[str, str, str] | None:
    """Split a path at the last number of its name, `-of-00100` and the extension left out."""
    folder, slash, name = path.rpartition("/")
    stem, dot, extension = name.partition(".")
    total = _TOTAL.search(stem)
    head, tail = (stem[: total.start()], stem[total.start() :]) if total else (stem, "")
    found = _NUMBER.search(head)
    if found is None:
        return None
    before = f"{folder}{slash}{head[: found.start()]}"
    return before, found[0], f"{head[found.end() :]}{tail}{dot}{extension}"
