"""The report: the ledger of a run as a value."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tarlight.ledger.spool import KEPT_IN_MEMORY

if TYPE_CHECKING:
    import os

    from tarlight.ledger.entry import Loss, Note, Skip
    from tarlight.ledger.spool import Spool
    from tarlight.ledger.stall import Stall
    from tarlight.ledger.times import Times


ENTRIES = ("skips", "losses", "notes")
"""The parts of a report that can be long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The ledger of a run as a value: `results.report` and `stream.report`."""

    outcome: str
    """`running`, `finished`, `stopped` (left early, Ctrl-C) or `failed` (ended by an error)."""
    seconds: float
    """Wall time of the run so far."""
    images_seen: int
    """Images that the tar room found."""
    images_added: int
    """Images that stages handed on beyond those they got."""
    images_delivered: int
    """Images that the consumer got."""
    images_skipped: dict[str, int]
    """Reason -> count."""
    images_filtered: dict[str, int]
    """Stage -> images it dropped."""
    undelivered: int
    """Images that were on their way when the run was stopped."""
    ignored: dict[str, int]
    """Extension or kind of member -> count."""
    decoder_choice: str
    """Which decoder the reader chose, and why."""
    decoders: dict[str, int]
    """Decoder -> images it decoded."""
    images_unchecked: int
    """Of these, images in whose data damage would not have been seen: `image.damage_checked` is False."""
    fallbacks: dict[str, int]
    """Why another decoder took over -> count."""
    shards: int
    """Shards that were read to their end, or that did not come."""
    bytes_read: int
    """Bytes that came from the store."""
    bytes_lost: int
    """Bytes named in `losses`."""
    unsized_losses: int = 0
    """Of the losses, those of which nobody told how many bytes they are: more than are in `bytes_lost`."""
    shards_withheld: int = 0
    """Shards that did not come, or not to their end: they are in `losses`, and a run that goes on from a
    checkpoint of this one tries them again."""
    pixels: int
    """Pixels decoded."""
    unbalanced_shards: tuple[str, ...]
    """Shards whose bytes do not add up: always empty, or tarlight has a bug."""
    skips: Spool[Skip]
    """Every skipped image."""
    losses: Spool[Loss]
    """Every lost range of bytes."""
    notes: Spool[Note]
    """Whatever else was noticed."""
    times: Times = field(default_factory=dict)
    """Stage -> how long it worked, and how long it waited for what, added up over all threads and workers; of
    this run, not of those before."""
    workers: tuple[str, ...] = ()
    """Processes elsewhere that worked for the run, `host/pid` each; empty where all was done in this one."""

    stall: Stall | None = None
    """The shard that the run waits for at this moment, if it does; not kept by `to_dict`, and not known of
    workers elsewhere."""

    @property
    def num_skipped(self) -> int:
        """All skipped images."""
        return sum(self.images_skipped.values())

    @property
    def num_filtered(self) -> int:
        """All filtered images."""
        return sum(self.images_filtered.values())

    @property
    def is_balanced(self) -> bool:
        """True when every image is accounted for, and every byte of the shards whose size is known."""
        gone = self.images_delivered + self.num_skipped + self.num_filtered + self.undelivered
        return self.images_seen + self.images_added == gone and not self.unbalanced_shards

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the first 10,000 entries of each kind."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in {*ENTRIES, "stall"}}
        plain["times"] = {name: asdict(spent) for name, spent in self.times.items()}
        for name in ENTRIES:
            first = zip(range(KEPT_IN_MEMORY), getattr(self, name), strict=False)
            plain[name] = [entry._asdict() for _, entry in first]
            plain[f"num_{name}"] = len(getattr(self, name))
        return {**plain, "is_balanced": self.is_balanced}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report as JSON to `path`.

        Beyond 10,000 skips, losses or notes, all of them go as JSON lines beside it (`NAME.skips.jsonl`).
        """
        target = Path(path)
        text = json.dumps(self.to_dict(), indent=2) + "\n"
        target.write_text(text, encoding="utf-8")
        for name in ENTRIES:
            entries = getattr(self, name)
            if len(entries) > KEPT_IN_MEMORY:
                entries.write_lines(target.with_suffix(f".{name}.jsonl"))

    def __str__(self) -> str:
        rows = _rows(self)
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _rows(report: Report) -> list[tuple[str, str]]:
    rows = [
        ("outcome", report.outcome),
        ("shards", f"{report.shards:,}"),
        ("seen", f"{report.images_seen:,}"),
    ]
    if report.images_added:
        rows.append(("added", f"{report.images_added:,}"))
    rows.append(("delivered", f"{report.images_delivered:,}"))
    rows += [(f"skipped: {reason}", f"{count:,}") for reason, count in sorted(report.images_skipped.items())]
    rows += [(f"filtered: {stage}", f"{count:,}") for stage, count in sorted(report.images_filtered.items())]
    if report.undelivered:
        rows.append(("undelivered", f"{report.undelivered:,}"))
    rows += [(f"ignored: {kind}", f"{count:,}") for kind, count in sorted(report.ignored.items())]
    if report.decoder_choice:
        rows.append(("decoder chosen", report.decoder_choice))
    rows += [(f"decoder: {name}", f"{count:,}") for name, count in sorted(report.decoders.items())]
    if report.images_unchecked:
        rows.append(("not checked for damage", f"{report.images_unchecked:,}"))
    rows += [(f"fallback: {why}", f"{count:,}") for why, count in sorted(report.fallbacks.items())]
    rows.append(("bytes lost", f"{report.bytes_lost:,} in {len(report.losses)} places"))
    if report.unsized_losses:
        rows.append(("lost, size unknown", f"{report.unsized_losses:,}"))
    if report.shards_withheld:
        rows.append(("shards withheld", f"{report.shards_withheld:,}"))
    rows.append(("bytes read", f"{report.bytes_read:,}"))
    rows.append(("seconds", f"{report.seconds:.2f}"))
    balanced = "yes" if report.is_balanced else "NO"
    rows.append(("balanced", "(still running)" if report.outcome == "running" else balanced))
    return rows
