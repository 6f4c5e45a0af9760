"""What was found, as a value: `Findings`.

Strategy: counts are exact; of each kind the first findings are kept as examples, so that a dataset that is
wrong from end to end takes bounded memory.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

from tarlight.inspect.checking.kind import Kind, Severity
from tarlight.report.label import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COLUMNS = ("severity", "kind", "shard", "member", "offset", "end", "detail")
"""Columns of the CSV."""

_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    kind: Kind
    """One of the closed list."""
    shard: str
    """Path or URL of the shard; of a missing one, where it would be."""
    member: str = ""
    """Name of the member, at most 400 characters of it; empty where the finding is about the shard."""
    offset: int | None = None
    """First byte of the member's header, or of the damage, in the (inflated) shard; None for all of it."""
    end: int | None = None
    """One past the last damaged byte; None where the finding is no range of bytes."""
    detail: str = ""
    """What was found, for people."""
    advice: str = ""
    """What to do about this one; empty where the advice of its kind holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The answer of `check`: what is wrong with a dataset."""

    outcome: str
    """`finished`, or `stopped` before all shards were checked."""
    depth: str
    """`full`: every image was decoded; `fast`: only headers were looked at."""
    shards: int
    """Shards that were checked to their end."""
    planned_shards: int
    """Shards of the dataset."""
    records: int
    """Records in the shards that were checked."""
    images: int
    """Images seen."""
    bytes_read: int
    """Bytes that came from the store."""
    seconds: float
    """Wall time."""
    counts: Mapping[Kind, int]
    """Kind -> findings, most harmful first; kinds without any are not in it."""
    examples: tuple[Finding, ...]
    """The first findings of every kind: by kind, most harmful first, then in the order of the dataset."""
    notes: tuple[str, ...] = ()
    """What is to be known of the listing, such as files that were passed over."""
    shards_refused: int = 0
    """Shards that were missing, denied or out of reach when they were to be read."""
    first_refusal: str = ""
    """What the first of them said; empty where there are none."""

    @property
    def is_clean(self) -> bool:
        """True when nothing was found, notes included, and everything was looked at."""
        return not self.counts and self.outcome == "finished"

    @property
    def num_findings(self) -> int:
        """All findings."""
        return sum(self.counts.values())

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """Return the examples of one kind, in the order of the dataset."""
        return tuple(finding for finding in self.examples if finding.kind is kind)

    def count(self, severity: Severity) -> int:
        """Return the number of findings of exactly this severity."""
        return sum(number for kind, number in self.counts.items() if kind.severity is severity)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON.

        Every `offset`, and every byte that a `detail` names, is where a member's header begins (its payload
        comes 512 bytes later), or the first byte of damage; in a gzip shard, of what comes out of it.
        """
        names = ("outcome", "depth", "shards", "planned_shards", "shards_refused", "records", "images")
        return {
            **{name: getattr(self, name) for name in (*names, "bytes_read", "seconds")},
            "is_clean": self.is_clean,
            "findings": [self._group(kind) for kind in self.counts],
            "notes": list(self.notes),
        }

    def write_csv(self, stream: IO[str]) -> None:
        """Write the examples as CSV, one a row, with a head of `COLUMNS`.

        Names are escaped where they cannot be shown; a cell that a spreadsheet would take for a formula
        begins with an apostrophe.
        """
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in self.examples:
            texts = (_cell(text) for text in (one.shard, one.member))
            writer.writerow((one.kind.severity, one.kind, *texts, one.offset, one.end, _cell(one.detail)))

    def _group(self, kind: Kind) -> dict[str, Any]:
        examples = []
        for finding in self.of(kind):
            plain = asdict(finding)
            del plain["kind"]
            examples.append(plain)
        return {
            "kind": kind.value,
            "severity": kind.severity.value,
            "count": self.counts[kind],
            "meaning": kind.meaning,
            "advice": kind.advice,
            "examples": examples,
        }


class Collector:
    """Gathers findings. For one thread."""

    def __init__(self, max_examples: int) -> None:
        self.counts: Counter[Kind] = Counter()
        """Kind -> findings."""
        self.max_examples = max_examples
        """Findings of one kind that are kept."""
        self._examples: dict[Kind, list[tuple[tuple[int, int], Finding]]] = {}

    def add(self, finding: Finding, shard_index: int) -> None:
        """Count one finding, and keep it while there are few of its kind."""
        self.counts[finding.kind] += 1
        self.keep(finding, shard_index)

    def keep(self, finding: Finding, shard_index: int) -> bool:
        """Keep an example of something that is counted elsewhere; returns False where there are enough."""
        kept = self._examples.setdefault(finding.kind, [])
        if len(kept) >= self.max_examples:
            return False
        kept.append(((shard_index, -1 if finding.offset is None else finding.offset), finding))
        return True

    def ordered_counts(self) -> dict[Kind, int]:
        """Return kind -> findings, most harmful first."""
        return {kind: self.counts[kind] for kind in Kind if self.counts[kind]}

    def ordered_examples(self) -> Iterable[Finding]:
        """Yield the examples by kind, then by place."""
        for kind in Kind:
            for _, finding in sorted(self._examples.get(kind, []), key=lambda kept: kept[0]):
                yield finding


def _cell(text: str) -> str:
    safe = printable(text)
    return f"'{safe}" if safe.startswith(_FORMULA) else safe
