"""What a survey of a dataset found, as a value: the page is made of it, and of nothing else.

Everything here is bounded whatever the dataset's size: distributions have a fixed resolution, pictures and
problems are samples, shards beyond a limit are folded into one. Counts are exact all the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tarlight.ledger import Report

CELLS_AN_OCTAVE = 16
"""Resolution of `Survey.shapes`: cells from one width, or height, to its double."""

DELIVERED, SKIPPED, LOST = 1, 2, 4
"""Bits of a cell of `ShardRow.cells`: something of that kind lies in this part of the file."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How often each value of a quantity came; every image counts."""

    points: tuple[tuple[float, int], ...] = ()
    """Value and count, ascending. Values closer than about 0.3 % may have been put together at their mean."""
    minimum: float = math.nan
    """The smallest value, exactly; not a number where there are none."""
    maximum: float = math.nan
    """The largest value, exactly."""
    mean: float = math.nan
    """The mean, exactly but for rounding."""

    @property
    def count(self) -> int:
        """Values in all."""
        return sum(count for _, count in self.points)

    def quantile(self, part: float) -> float:
        """Return the value below which `part` (0 to 1) of the values lie; not a number without any."""
        left = part * self.count
        for value, count in self.points:
            left -= count
            if left <= 0:
                return value
        return self.maximum


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small copy of a picture."""

    jpeg: bytes
    """The JPEG file."""
    width: int
    """Pixels a row."""
    height: int
    """Rows."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of the sample."""

    key: str
    """Its record's key, `image_id`."""
    shard: str
    """Path or URL of its shard."""
    member: str
    """Name of the member."""
    width: int
    """Pixels a row, as delivered (upright)."""
    height: int
    """Rows, as delivered."""
    num_bytes: int
    """Bytes of the encoded image; 0 where it came out of no shard."""
    caption: str
    """Its caption; empty without one."""
    thumbnail: Thumbnail
    """How it looks."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One image that was skipped, or one range of bytes that was lost."""

    reason: str
    """A `SkipReason` or `LossReason`."""
    key: str
    """Key of the record; empty for a range of bytes."""
    shard: str
    """Path or URL of the shard."""
    offset: int
    """First byte of the payload, or of the range."""
    detail: str
    """What was found, for people."""
    num_bytes: int | None = None
    """Length of the range of bytes; None for an image."""
    thumbnail: Thumbnail | None = None
    """What can be seen of the image, where anything can."""


@dataclass(frozen=True, slots=True)
class ShardRow:
    """What became of one shard, and where in the file."""

    path: str
    """Path or URL."""
    size: int
    """Bytes that the cells cover: the file, or for a gzip shard what was seen of its contents."""
    cell_bytes: int
    """Bytes of one cell; the last one may be cut off by the end of the file."""
    cells: bytes
    """One byte a cell, of the bits DELIVERED, SKIPPED and LOST."""
    delivered: int
    """Images delivered."""
    skipped: int
    """Images skipped."""
    bytes_lost: int
    """Bytes lost."""

    @property
    def is_sound(self) -> bool:
        """True when nothing was skipped or lost."""
        return not self.skipped and not self.has_losses

    @property
    def has_losses(self) -> bool:
        """True when bytes were lost, however many nobody may know."""
        return any(cell & LOST for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Fold:
    """Shards that have no row of their own, added up."""

    shards: int = 0
    """How many."""
    delivered: int = 0
    """Images delivered out of them."""
    skipped: int = 0
    """Images skipped in them."""
    bytes_lost: int = 0
    """Bytes lost in them."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What was run, in words: the survey does not know these by itself."""

    title: str = "dataset"
    """The heading of the page."""
    sources: tuple[str, ...] = ()
    """What was read, as it was named."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Name -> value, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A dataset as a run saw it. Immutable; `tarlight.report.page.render_page` shows it."""

    facts: RunFacts
    """What was run."""
    report: Report
    """The ledger of the run."""
    version: str
    """Version of tarlight."""
    date: str
    """When the survey was finished, UTC, `2026-01-31 13:05`."""
    shapes: Mapping[tuple[int, int], int]
    """(column, row) -> images whose width and height lie in [2^(c/16), 2^((c+1)/16)); delivered images."""
    aspect: Distribution
    """Width / height."""
    megapixels: Distribution
    """Width x height / 1,000,000."""
    num_bytes: Distribution
    """Bytes of the encoded image."""
    density: Distribution
    """Bytes of the encoded image for each of its pixels."""
    luminance: Distribution
    """Mean luma of the image, 0 (black) to 255 (white), from up to 16 x 16 of its pixels."""
    captions: Distribution
    """Characters of the caption, of the images that have one."""
    pictures: tuple[Picture, ...]
    """A fair sample of the delivered images, in the order of delivery."""
    problems: tuple[Problem, ...]
    """A fair sample of each reason, in the order of the ledger; skips before losses."""
    shards: tuple[ShardRow, ...]
    """The shards in the order of reading: all, or those in which most went wrong."""
    folded: Fold
    """The other shards."""

    @property
    def problem_counts(self) -> dict[str, int]:
        """Reason -> how many images were skipped, or ranges of bytes lost, in all."""
        counts = dict(self.report.images_skipped)
        for loss in self.report.losses:
            counts[loss.reason.value] = counts.get(loss.reason.value, 0) + 1
        return counts
