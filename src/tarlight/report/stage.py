"""How busy each stage is, in few words; the names of stages are made printable."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tarlight.ledger.times import CONSUMER, DECODING, NOTHING, READING, STAGES
from tarlight.report.label import label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.ledger.times import StageTime, Times

_ALWAYS = (READING, DECODING)
_LEAST = 0.01
_MUCH = 0.5
"""A wait is worth a word on a line of all stages when it takes this part of the time."""
_NAME = 24


class StageFigure(NamedTuple):
    """One stage."""

    name: str
    busy: str
    """Part of the time at work."""
    waits: tuple[str, ...]
    """What it waited for, and for which part of the time, longest first."""
    much: str
    """The wait that most of the time went to; empty without one."""

    def __str__(self) -> str:
        return f"{self.name} {self.busy}" + (f" ({self.much})" if self.much else "")


def stage_figures(times: Times, encoding: str = "utf-8") -> Iterator[StageFigure]:
    """Yield reading and decoding, and those of the other stages that did anything worth a word."""
    for name, spent in sorted(times.items(), key=_place):  # stable: stages stay in their order
        waits = sorted(_waits(spent), reverse=True)
        if name in _ALWAYS or spent.busy >= _LEAST:
            texts = tuple(f"{what} {part:.0%}" for part, what in waits)
            much = f"waits for {texts[0]}" if waits and waits[0][0] >= _MUCH else ""
            yield StageFigure(label(name, _NAME, encoding), f"{spent.busy:.0%}", texts, much)


def _place(item: tuple[str, StageTime]) -> int:
    """As images go: reading and decoding first, the consumer last."""
    return {READING: 0, DECODING: 1, CONSUMER: 3}.get(item[0], 2)


def _waits(spent: StageTime) -> Iterator[tuple[float, str]]:
    hidden = STAGES if spent.stage == CONSUMER else NOTHING
    for what in spent.waits_s:
        if what != hidden and spent.waiting(what) >= _LEAST:
            yield spent.waiting(what), what
