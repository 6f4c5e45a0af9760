"""Axes and bars."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tarlight.report.page.scale import count_axis, histogram, log_ticks, round_up
from tarlight.report.survey import Distribution

_POSITIVE = st.floats(1e-4, 1e9)


def _distribution(values):
    ordered = sorted(values)
    points = {}
    for value in ordered:
        points[value] = points.get(value, 0) + 1
    return Distribution(tuple(points.items()), ordered[0], ordered[-1], sum(ordered) / len(ordered))


def _is_round(value):
    digits = f"{value:.6e}".split("e")[0].rstrip("0").rstrip(".").replace(".", "")
    return len(digits) <= 3


@given(st.lists(_POSITIVE, min_size=1, max_size=200))
def test_bars_count_every_value(values) -> None:
    """The bars of any values add up to all of them, lie side by side, and are neither few nor too many."""
    bars = histogram(_distribution(values))
    assert sum(bars.counts) == len(values)
    assert len(bars.edges) == len(bars.counts) + 1
    assert all(low < high for low, high in pairwise(bars.edges))
    assert 4 <= len(bars.counts) <= 76


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=200))
def test_bars_of_whole_numbers_have_whole_edges(values) -> None:
    """Each bar of whole numbers ends at whole numbers, and counts exactly the values between its edges."""
    bars = histogram(_distribution(map(float, values)), whole=True)
    assert all(math.isclose(edge, round(edge)) for edge in bars.edges)
    inside = [round(edge) for edge in bars.edges]
    assert sum(bars.counts) == len(values)
    for number, amount in list(enumerate(bars.counts))[1:-1]:
        assert amount == sum(inside[number] <= value < inside[number + 1] for value in values)


@given(st.lists(_POSITIVE, min_size=1, max_size=50))
def test_ticks_are_round_and_few(values) -> None:
    """There are one to eight ticks, ascending, on the axis, at numbers of few digits."""
    axis = histogram(_distribution(values)).axis
    assert 1 <= len(axis.ticks) <= 8
    assert list(axis.ticks) == sorted(set(axis.ticks))
    for tick in axis.ticks:
        assert -0.01 <= axis.place(tick) <= 1.01
    steps = {f"{high - low:.3e}" for low, high in pairwise(axis.ticks)}
    assert axis.is_log or len(steps) <= 1 or len(axis.ticks) > 1


@given(st.integers(1, 10**12))
def test_an_axis_of_counts_covers_them(most) -> None:
    """The axis of counts begins at 0, ends at a round number not below the largest, and not far above."""
    axis = count_axis(most)
    assert axis.start == 0
    assert most <= axis.end * (1 + 1e-9)
    assert axis.end <= max(3 * most, 1)
    assert all(_is_round(tick) and tick == int(tick) for tick in axis.ticks)


@given(st.floats(1e-9, 1e12))
def test_rounding_up_is_close(value) -> None:
    """The next round number is not below, and at most two and a half times as large."""
    rounded = round_up(value)
    assert value * (1 - 1e-8) <= rounded <= value * 2.5
    assert _is_round(rounded)


@given(_POSITIVE, st.floats(1.2, 1e6))
def test_logarithmic_ticks_lie_inside(start, ratio) -> None:
    """Between any two values there are at most eight ticks, all inside."""
    ticks = log_ticks(start, start * ratio)
    assert 1 <= len(ticks) <= 8
    assert all(start * 0.99 <= tick <= start * ratio * 1.01 for tick in ticks)
