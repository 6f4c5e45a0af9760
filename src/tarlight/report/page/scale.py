"""Axes: which part of a distribution to show, in which bins, with ticks at which round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.report.survey import Distribution

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_WIDE = 12.0
"""From this ratio of the largest to the smallest value on, an axis is logarithmic."""
_NARROW = 4.0
"""Below this ratio, 1, 2, 5 of each power of ten would give an axis of two ticks."""
_BINS = 36
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places, and back."""

    start: float
    """Value at the left end, or at the bottom."""
    end: float
    """Value at the other end."""
    is_log: bool
    """Whether equal distances are equal ratios."""
    ticks: tuple[float, ...]
    """Round values inside, ascending."""

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 to 1; values outside lie at the ends."""
        low, high, value = (
            math.log(x) if self.is_log else x for x in (self.start, self.end, self._clip(value))
        )
        return (value - low) / (high - low)

    def _clip(self, value: float) -> float:
        return min(max(value, self.start), self.end)


@dataclass(frozen=True, slots=True)
class Histogram:
    """A distribution as bars."""

    axis: Axis
    """The axis of values."""
    edges: tuple[float, ...]
    """Borders of the bars, ascending: one more than bars."""
    counts: tuple[int, ...]
    """Values in each bar; those outside the axis are in the first and the last."""


def histogram(
    shown: Distribution, *, whole: bool = False, bounds: tuple[float, float] | None = None
) -> Histogram:
    """Return a distribution in about 36 bars that end at round values.

    The axis covers all but the outermost thousandth of the values, which is put into the first and last bar.

    Args:
        shown: The distribution; it has values.
        whole: Values are whole numbers, so no bar is narrower than 1.
        bounds: Both ends of the axis, which is then linear.
    """
    low, high = bounds or (shown.quantile(0.0005), shown.quantile(0.9995))
    if bounds is None and low > 0 and high / low >= _WIDE:
        axis, edges = _logarithmic(low, high, whole=whole)
    else:
        axis, edges = _linear(low, high, least=1.0 if whole else 0.0)
    return Histogram(axis, tuple(edges), tuple(_count(shown, edges)))


def count_axis(most: float) -> Axis:
    """Return an axis of counts from 0 to a round number not below `most`."""
    step = max(round_up(most / 3), 1.0)
    step = step if step == int(step) else 2 * step  # there are no 2.5 images
    end = step * max(math.ceil(most / step - 1e-9), 1)
    return Axis(0.0, end, is_log=False, ticks=tuple(_multiples(step, 0.0, end)))


def round_up(value: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((part * power for part in _ROUND if part * power >= value * (1 - 1e-9)), 10.0 * power)


def log_ticks(start: float, end: float, most: int = _TICKS) -> tuple[float, ...]:
    """Return round values between two: 1, 2, 5 of each power of ten, thinned out to at most `most`.

    Between two that are close, equal steps instead.
    """
    if end / start < _NARROW:
        return tuple(_multiples(round_up((end - start) / most), start, end))
    powers = range(math.floor(math.log10(start)), math.ceil(math.log10(end)) + 1)
    for parts in ((1, 2, 5), (1, 3), (1,)):
        ticks = [part * 10.0**power for power in powers for part in parts]
        inside = [tick for tick in ticks if start * 0.999 <= tick <= end * 1.001]
        if len(inside) <= most:
            return tuple(inside)
    return tuple(inside[:: -(-len(inside) // most)])


def _linear(low: float, high: float, least: float) -> tuple[Axis, list[float]]:
    span = max(high - low, abs(high) * 0.02, least * 4, 1e-9)
    width = max(_bin_width(span / _BINS) if least else round_up(span / _BINS), least)
    start = math.floor(low / width + 1e-9) * width
    bars = max(math.floor((high - start) / width + 1e-9) + 1, 4)
    end = start + bars * width
    axis = Axis(
        start, end, is_log=False, ticks=tuple(_multiples(round_up((end - start) / _TICKS), start, end))
    )
    return axis, [start + number * width for number in range(bars + 1)]


def _bin_width(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten: a whole number where it is above 1."""
    width = round_up(value)
    power = 10.0 ** math.floor(math.log10(width) + 1e-9)
    return 5 * power if math.isclose(width, 2.5 * power) else width


def _logarithmic(low: float, high: float, *, whole: bool) -> tuple[Axis, list[float]]:
    bars = min(_BINS, max(math.ceil(math.log(high / low) / math.log(1.1)), 8))
    ratio = (high / low * 1.0001) ** (1 / bars)
    edges = [low * ratio**number for number in range(bars + 1)]
    if whole:  # the first bars of small numbers would cover none, so they are put together
        edges = sorted({float(math.floor(edge)) for edge in edges[:-1]} | {float(math.floor(high) + 1)})
    axis = Axis(edges[0], edges[-1], is_log=True, ticks=log_ticks(edges[0], edges[-1]))
    return axis, edges


def _multiples(step: float, start: float, end: float) -> list[float]:
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _count(shown: Distribution, edges: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    bar = 0
    for value, count in shown.points:
        while bar < len(counts) - 1 and value >= edges[bar + 1] * (1 - 1e-9):
            bar += 1
        counts[bar] += count
    return counts
