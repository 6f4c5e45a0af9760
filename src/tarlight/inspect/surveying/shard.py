"""The strips of all shards of a run, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.inspect.surveying.strip import Strip
from tarlight.report.survey import Fold, ShardRow
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import FileGroupTask

if TYPE_CHECKING:
    from tarlight.ledger import Loss, Report, Skip
    from tarlight.tasks import ImageSource

MAX_STRIPS = 20_000
"""Shards that have a strip of their own: 10 MB. What is beyond is counted together."""
MAX_ROWS = 200
"""Shards that a survey shows: those in which most went wrong, and of the others the first."""


class ShardStrips:
    """Keeps a strip for each shard, up to 20,000. For one thread."""

    def __init__(self) -> None:
        self._strips: dict[str, Strip] = {}
        self._others = Strip("")

    def plan(self, path: str, size: int | None) -> None:
        """A shard is going to be read; `size` is the file's, where the listing told it."""
        self._strip(path).size = size

    def deliver(self, source: ImageSource) -> None:
        """An image was delivered."""
        strip = self._strip(source.shard)
        strip.inflated = strip.inflated or source.inflated
        strip.deliver(source.offset, source.size)

    def skip(self, entry: Skip) -> None:
        """An image was skipped."""
        self._strip(entry.shard).skip(entry.offset)

    def lose(self, entry: Loss) -> None:
        """Bytes were lost."""
        self._strip(entry.shard).lose(entry.start, entry.end)

    def rows(self, report: Report) -> tuple[tuple[ShardRow, ...], Fold]:
        """Return the rows to show, and the sum of all others. What was skipped and lost is in `report`."""
        everything = self._copy()
        for skip in report.skips:
            everything.skip(skip)
        for loss in report.losses:
            everything.lose(loss)
        return everything.chosen(report)

    def chosen(self, report: Report) -> tuple[tuple[ShardRow, ...], Fold]:
        """Return the rows to show, and the sum of all others, of what was told so far."""
        finished = report.outcome == "finished"
        strips = [strip for strip in self._strips.values() if finished or strip.was_read]
        worst = sorted(strips, key=lambda strip: (-strip.bytes_lost, -strip.skipped))
        chosen = {strip.path for strip in worst[:MAX_ROWS]}
        others = [*(strip for strip in strips if strip.path not in chosen), self._others]
        fold = Fold(
            shards=max(len(others) - 1, report.shards - len(chosen)),
            delivered=sum(strip.delivered for strip in others),
            skipped=sum(strip.skipped for strip in others),
            bytes_lost=sum(strip.bytes_lost for strip in others),
        )
        return tuple(strip.row() for strip in strips if strip.path in chosen), fold

    def _copy(self) -> ShardStrips:
        """Return the same strips, to be written on, so that a survey can be asked for more than once."""
        twin = ShardStrips()
        twin._strips = {path: strip.copy() for path, strip in self._strips.items()}
        twin._others = self._others.copy()
        return twin

    def _strip(self, path: str) -> Strip:
        strip = self._strips.get(path)
        if strip is None:
            if len(self._strips) >= MAX_STRIPS:
                return self._others
            strip = self._strips[path] = Strip(path)
        return strip


class ShardWatch(ProcessingStage[FileGroupTask, FileGroupTask]):
    """Tells a survey which shards a run is going to read, so that it knows of those without images."""

    name = "shard_watch"

    def __init__(self, shards: ShardStrips) -> None:
        self._shards = shards

    def process(self, task: FileGroupTask) -> FileGroupTask:
        """Return the partition as it came."""
        sizes = task.sizes or [None] * len(task.data)
        for path, size in zip(task.data, sizes, strict=True):
            self._shards.plan(path, size)
        return task
