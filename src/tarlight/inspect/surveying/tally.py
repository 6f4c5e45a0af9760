"""Distributions and shapes of any number of images, in bounded memory.

Values are put into fine logarithmic buckets, 256 from one value to its double, which keep their sum: so a
value that comes alone in its bucket, as those of most quantities of a real dataset do, is kept exactly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tarlight.report.survey import CELLS_AN_OCTAVE, Distribution

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

BUCKETS_AN_OCTAVE = 256
_SMALLEST, _LARGEST = 2.0**-30, 2.0**60
"""Values beyond share the outermost bucket, so that there are 23,000 at most."""


class Tally:
    """Counts the values of one quantity. For one thread."""

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[int, float]] = {}
        self._minimum = math.inf
        self._maximum = -math.inf

    def add(self, values: Values) -> None:
        """Count these values, which are 0 or more."""
        if not len(values):
            return
        self._minimum = min(self._minimum, float(values.min()))
        self._maximum = max(self._maximum, float(values.max()))
        clipped = np.clip(values, _SMALLEST, _LARGEST)
        places = np.floor(np.log2(clipped) * BUCKETS_AN_OCTAVE).astype(np.int64)
        buckets, which = np.unique(places, return_inverse=True)
        counts = np.bincount(which).tolist()
        sums = np.bincount(which, weights=values).tolist()
        for bucket, count, total in zip(buckets.tolist(), counts, sums, strict=True):
            before = self._buckets.get(bucket, (0, 0.0))
            self._buckets[bucket] = (before[0] + count, before[1] + total)

    def distribution(self) -> Distribution:
        """Return what has been counted so far."""
        if not self._buckets:
            return Distribution()
        ordered = [self._buckets[bucket] for bucket in sorted(self._buckets)]
        number = sum(count for count, _ in ordered)
        # Twelve digits: a bucket of one value, a million times, must give that value back.
        points = tuple((float(f"{total / count:.12g}"), count) for count, total in ordered)
        return Distribution(points, self._minimum, self._maximum, sum(total for _, total in ordered) / number)


class ShapeTally:
    """Counts images by width and height. For one thread."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], int] = {}

    def add(self, widths: Values, heights: Values) -> None:
        """Count these images; widths and heights are 1 or more."""
        for cell in zip(_cells(widths), _cells(heights), strict=True):
            self.cells[cell] = self.cells.get(cell, 0) + 1


def _cells(sides: Values) -> list[int]:
    cells: list[int] = np.floor(np.log2(sides) * CELLS_AN_OCTAVE).astype(np.int64).tolist()
    return cells
