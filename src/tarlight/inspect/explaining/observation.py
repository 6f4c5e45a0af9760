"""A pipeline runs for a while, and is watched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tarlight.events import PartitionsPlanned, RunStarted
from tarlight.ledger.times import CONSUMER, DECODING, READING, ROOM, STORE, since

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.events import Event, Listener
    from tarlight.ledger import Report
    from tarlight.ledger.times import Times
    from tarlight.pipeline import Pipeline
    from tarlight.stream import Stream


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a run, from the moment its shards were known."""

    seconds: float
    """How long it was watched."""
    images: int
    """Images that came out of the reader or were skipped there."""
    seen: int
    """Images that were found in shards, those read ahead included."""
    bytes_read: int
    """Bytes that came from the store."""
    times: Times
    """What the threads did meanwhile."""
    is_whole: bool
    """Whether the dataset ended before the bounds were reached."""

    @property
    def images_s(self) -> float:
        """Images a second."""
        return self.images / self.seconds if self.seconds else 0.0

    @property
    def own_stages(self) -> tuple[str, ...]:
        """Stages that work in the consumer's thread, the part of the reader that does so among them."""
        return tuple(name for name in self.times if name not in {READING, DECODING, CONSUMER})

    def part(self, seconds: float) -> float:
        """Return the part of the time that was watched, 0 to 1."""
        return min(seconds / self.seconds, 1.0) if self.seconds else 0.0

    def busy(self, stage: str, num_threads: int = 1) -> float:
        """Return the part of the time that a stage worked, 0 to 1."""
        return self.part(self.times[stage].busy_s / num_threads) if stage in self.times else 0.0

    def waiting(self, stage: str, what: str) -> float:
        """Return the part of the time that a stage waited for something, 0 to 1."""
        return self.part(self.times[stage].waits_s.get(what, 0.0)) if stage in self.times else 0.0

    @property
    def store(self) -> float:
        """Part of the time that the reader thread waited for the store."""
        return self.waiting(READING, STORE)

    @property
    def room(self) -> float:
        """Part of the time that it waited for images to be taken."""
        return self.waiting(READING, ROOM)


class _Beginning:
    """Remembers how the books stood when the shards were known; else when the run began."""

    stream: Stream | None = None

    def __init__(self) -> None:
        self.at = time.monotonic()
        self.times: Times = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted | PartitionsPlanned):
            self.at = time.monotonic()
            if self.stream is not None:
                self.times = self.stream.report.times


def observe(
    pipeline: Pipeline, seconds: float, limit: int | None, listeners: Sequence[Listener] = ()
) -> Observation:
    """Run a pipeline until it ends or a bound is reached; raises whatever the run raises."""
    beginning = _Beginning()
    is_whole = True
    with pipeline.stream(listeners=[beginning, *listeners]) as stream:
        beginning.stream = stream
        for _ in stream:
            report = stream.report
            if time.monotonic() - beginning.at >= seconds or (limit and _settled(report) >= limit):
                is_whole = False
                break
        report, ended = stream.report, time.monotonic()
    return Observation(
        seconds=ended - beginning.at,
        images=_settled(report),
        seen=report.images_seen,
        bytes_read=report.bytes_read,
        times=since(report.times, beginning.times),
        is_whole=is_whole,
    )


def _settled(report: Report) -> int:
    return report.images_delivered + report.num_skipped + report.num_filtered
