"""Where a run stands and how fast it goes, worked out from reports as they come."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tarlight.ledger.times import since
from tarlight.report.figure import clock, digits, num_bytes, plural, rate
from tarlight.report.label import label
from tarlight.report.stage import stage_figures

if TYPE_CHECKING:
    from tarlight.events import PartitionsPlanned, Preparing, ShardsSought
    from tarlight.ledger import Report, Stall
    from tarlight.ledger.times import Times

_LONG_S = 3.0
"""A wait for a shard that is worth a word: stores answer in fractions of a second."""

_WINDOW_S = 5.0
"""Rates are those of the last seconds: long enough to be calm, short enough to show a stall."""


_STEP = 120
"""Characters of what is being prepared."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a progress display shows at one moment."""

    seconds: float
    """Wall time so far."""
    shards: int
    """Shards read to their end."""
    total_shards: int | None
    """Shards planned; None before the dataset is known."""
    images: int
    """Images delivered."""
    images_s: float
    """Images delivered a second, lately."""
    bytes_s: float
    """Bytes read a second, lately."""
    pixels_s: float
    """Pixels decoded a second, lately."""
    skipped: int
    """Images skipped."""
    bytes_lost: int
    """Bytes of shards that could not be read."""
    fraction: float | None
    """Part of the work that is done, 0 to 1; None when the whole is not known."""
    times: Times = field(default_factory=dict)
    """What each stage did lately."""
    sought: ShardsSought | None = None
    """How far the search for the shards is; None where it is done, or was short."""
    stall: Stall | None = None
    """The shard that is waited for, where that takes long."""
    preparing: str = ""
    """What has to be done elsewhere before anything can be read; empty when all is ready."""

    @property
    def is_reading(self) -> bool:
        """True when there is something to tell of images."""
        return self.total_shards is not None and not self.preparing

    @property
    def seconds_left(self) -> float | None:
        """Seconds to go at the speed so far; None while that would be a guess."""
        if self.fraction is None or self.fraction < 0.01 or self.seconds < 1:  # noqa: PLR2004 (1 % done)
            return None
        return self.seconds * (1 - self.fraction) / self.fraction

    def figures(self) -> list[str]:
        """Return images, rates and troubles, each short and readable on its own."""
        texts = [
            plural(self.images, "image"),
            f"{digits(self.images_s)} images/s",
            f"{digits(self.bytes_s / 1e6)} MB/s",
            f"{digits(self.pixels_s / 1e6)} Mpix/s",
            f"{self.skipped:,} skipped",
        ]
        return [*texts, f"{num_bytes(self.bytes_lost)} lost"] if self.bytes_lost else texts

    def stage_texts(self, encoding: str = "utf-8") -> list[str]:
        """Return how busy each stage is, each short; the first begins with the word."""
        texts = [str(figure) for figure in stage_figures(self.times, encoding)]
        return [f"busy: {texts[0]}", *texts[1:]] if texts else []

    def stall_texts(self, encoding: str = "utf-8") -> list[str]:
        """Return what is waited for, and how often it was asked for again; empty where it is not for long."""
        if self.stall is None:
            return []
        seconds, shard, num_retries, cause = self.stall
        text = f"waiting {clock(seconds)} for {label(shard, 40, encoding)}"
        return [text, f"{_retries(num_retries)} ({cause})"] if num_retries else [text]

    def shard_text(self) -> str:
        """Return how many shards are done, and of how many; before that, what is being done."""
        if self.preparing:
            return self.preparing
        if self.total_shards is None:
            return "listing shards" if self.sought is None else _search_text(self.sought)
        return f"{self.shards:,}/{plural(self.total_shards, 'shard')}"

    def time_text(self) -> str:
        """Return the time that has passed, and what is left when that can be told."""
        left = self.seconds_left
        return clock(self.seconds) if left is None else f"{clock(self.seconds)}, {clock(left)} left"


def _retries(number: int) -> str:
    return "1 retry" if number == 1 else f"{number:,} retries"


def _search_text(sought: ShardsSought) -> str:
    if sought.total > 1:  # of a range in a bucket, a listing tells before its names are asked for
        return f"looking up {max(sought.asked, sought.found):,} of {sought.total:,} shards"
    return f"listing shards: {sought.found:,} so far"


class Pace:
    """Turns a sequence of reports into standings. Used by one thread at a time."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._plan: PartitionsPlanned | None = None
        self._sought: ShardsSought | None = None
        self._preparing = ""
        self._recent: deque[tuple[tuple[float, int, int, int], Times]] = deque([((0.0, 0, 0, 0), {})])

    def seek(self, event: ShardsSought) -> None:
        """Learn how far the search for the shards is."""
        self._sought = event

    def prepare(self, event: Preparing) -> None:
        """Learn what is waited for."""
        self._preparing = label(event.step, _STEP)

    def plan(self, event: PartitionsPlanned) -> None:
        """Learn how much there is to do."""
        self._plan = event

    def stand(self, report: Report) -> Standing:
        """Return where the run stands, by a report that is no older than the one before."""
        (images_s, bytes_s, pixels_s), times = self._lately(report)
        return Standing(
            seconds=report.seconds,
            shards=report.shards,
            total_shards=None if self._plan is None else self._plan.shards,
            images=report.images_delivered,
            images_s=images_s,
            bytes_s=bytes_s,
            pixels_s=pixels_s,
            skipped=report.num_skipped,
            bytes_lost=report.bytes_lost,
            fraction=self._fraction(report),
            times=times,
            sought=self._sought,
            stall=report.stall if report.stall is not None and report.stall.seconds >= _LONG_S else None,
            preparing=self._preparing,
        )

    def _lately(self, report: Report) -> tuple[tuple[float, float, float], Times]:
        """Rates, and what the stages did, since the last report that is older than the window."""
        now = (report.seconds, report.images_delivered, report.bytes_read, report.pixels)
        recent = self._recent
        recent.append((now, report.times))
        while len(recent) > 2 and recent[1][0][0] <= report.seconds - _WINDOW_S:  # noqa: PLR2004 (ends of a span)
            recent.popleft()
        seconds, images, bytes_read, pixels = (b - a for a, b in zip(recent[0][0], now, strict=True))
        rates = rate(images, seconds), rate(bytes_read, seconds), rate(pixels, seconds)
        return rates, since(report.times, recent[0][1])

    def _fraction(self, report: Report) -> float | None:
        """The part that is done: of the bytes where sizes are known, else of the shards; or of the limit."""
        parts = []
        if self._plan is not None and self._plan.num_bytes:
            parts.append(report.bytes_read / self._plan.num_bytes)
        elif self._plan is not None and self._plan.shards:
            parts.append(report.shards / self._plan.shards)
        if self._limit is not None:
            parts.append(report.images_delivered / self._limit)
        return min(max(parts), 1.0) if parts else None
