"""What is gathered over all shards, and the findings that only the whole dataset shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from tarlight.inspect.checking.finding import Collector, Finding
from tarlight.inspect.checking.image import FastJudge, FullJudge, Judge, Sight
from tarlight.inspect.checking.kind import OF_SKIP, Kind
from tarlight.inspect.checking.locate import locate
from tarlight.inspect.checking.series import Series
from tarlight.ledger import Ledger, Skip
from tarlight.report.figure import plural
from tarlight.storage import open_store
from tarlight.tar.header import BLOCK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tarlight.decode import Refusal
    from tarlight.inspect.checking.key import KeyFile, Repeat
    from tarlight.inspect.checking.sidecar import Sidecars
    from tarlight.storage import ShardStat

    Options = Mapping[str, Any] | None


@dataclass(slots=True)
class Dossier:
    """Everything that one check knows. For one thread."""

    collector: Collector
    keys: KeyFile
    sidecars: Sidecars
    ledger: Ledger = field(default_factory=Ledger)
    """Feeds the progress display: images seen, bytes read, shards done, bad images."""
    series: Series = field(default_factory=Series)
    num_records: int = 0
    shards_refused: int = 0
    """Shards that were missing, denied or out of reach."""
    first_refusal: str = ""
    """What the first of them said."""
    judge: Judge = field(init=False)

    def open(self, *, fast: bool, num_threads: int) -> None:
        """Appoint the judge of images; `judge.close` ends its threads."""
        self.judge = FastJudge(self._refuse) if fast else FullJudge(self._refuse, num_threads)

    def refuse_shard(self, why: str) -> None:
        """Note a shard that was missing, denied or out of reach; its finding is added by who read it."""
        self.shards_refused += 1
        self.first_refusal = self.first_refusal or why

    def _refuse(self, sight: Sight, why: Refusal) -> None:
        finding = Finding(OF_SKIP[why.reason], sight.path, sight.member, sight.offset, None, why.detail)
        self.collector.add(finding, sight.shard)
        # A ledger's offsets are those of payloads, which can be read again.
        self.ledger.skip(Skip("", sight.path, sight.member, sight.offset + BLOCK, why.reason))

    def conclude(self, shards: Sequence[ShardStat], options: Options) -> None:
        """Judge what only the whole dataset shows."""
        self._conclude_sidecars(shards)
        self._conclude_series(shards)
        self._conclude_keys(shards, options)

    def _conclude_sidecars(self, shards: Sequence[ShardStat]) -> None:
        missing = self.sidecars.missing()
        if not missing:
            return
        self.collector.counts[Kind.MISSING_SIDECAR] = sum(missing.values())
        total = self.sidecars.num_records
        for lack in self.sidecars.lacks():
            having = total - missing[lack.field]
            detail = f"no {lack.field!r}, which {having:,} of {plural(total, 'record')} have"
            place, path = lack.place, shards[lack.shard].path
            finding = Finding(Kind.MISSING_SIDECAR, path, place.member, place.offset, None, detail)
            self.collector.keep(finding, lack.shard)

    def _conclude_series(self, shards: Sequence[ShardStat]) -> None:
        for gap in self.series.gaps():
            until = f", up to {gap.last}" if gap.num_missing > 1 else ""
            detail = f"{plural(gap.num_missing, 'number')} missing after {shards[gap.after].path}{until}"
            self.collector.add(Finding(Kind.MISSING_SHARD, gap.first, detail=detail), gap.after)
        for odd in self.series.odd_ones():
            detail = f"{plural(odd.records, 'record')}, most of the others have {odd.usual:,}"
            path = shards[odd.shard].path
            self.collector.add(Finding(Kind.UNEVEN_SHARD, path, detail=detail), odd.shard)

    def _conclude_keys(self, shards: Sequence[ShardStat], options: Options) -> None:
        """Count every repeat; look at the first ones again, to name them and to be sure."""
        repeats = self.keys.repeats()
        first = sorted(
            islice(repeats, self.collector.max_examples), key=lambda repeat: (repeat.shard, repeat.start)
        )
        num_more = sum(1 for _ in repeats)
        self.collector.counts[Kind.DUPLICATE_ACROSS_SHARDS] += num_more
        for repeat in first:
            self._name(repeat, shards, options)

    def _name(self, repeat: Repeat, shards: Sequence[ShardStat], options: Options) -> None:
        shard, other = shards[repeat.shard], shards[repeat.first_shard]
        member = locate(open_store(shard.path, options), shard, repeat.start, repeat.digest)
        first = locate(open_store(other.path, options), other, repeat.first_start, repeat.digest)
        if member is None or first is None:
            return  # two keys with one digest, or a shard that cannot be read again
        detail = f"{other.path} has this key too, at byte {first.offset - BLOCK:,}"
        at = member.offset - BLOCK
        finding = Finding(Kind.DUPLICATE_ACROSS_SHARDS, shard.path, member.name, at, None, detail)
        self.collector.add(finding, repeat.shard)
