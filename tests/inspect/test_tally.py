"""Distributions in bounded memory, against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.inspect.surveying.tally import ShapeTally, Tally
from tarlight.report.survey import Distribution


def _tally(*batches):
    tally = Tally()
    for values in batches:
        tally.add(np.array(values, dtype=np.float64))
    return tally.distribution()


@given(st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=300), st.integers(1, 50))
def test_counts_extremes_and_mean_are_exact(values, size) -> None:
    """Whatever the batches, count, minimum and maximum are exact, and mean and quantiles close."""
    found = _tally(*(values[start : start + size] for start in range(0, len(values), size)))
    assert (found.count, found.minimum, found.maximum) == (len(values), min(values), max(values))
    assert found.mean == pytest.approx(np.mean(values))
    for part in (0.05, 0.5, 0.95):
        exact = float(np.quantile(values, part, method="inverted_cdf"))
        assert found.quantile(part) == pytest.approx(exact, rel=0.004)


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0, 1.5, 4 / 3, 512.0, 640.0]), min_size=1))
def test_values_apart_from_each_other_are_kept_exactly(values) -> None:
    """Values that stand alone come back as they were, with their counts, also zero."""
    points = _tally(values).points
    expected = sorted(set(values))
    assert [value for value, _ in points] == pytest.approx(expected, rel=1e-11)
    assert [count for _, count in points] == [values.count(value) for value in expected]


def test_memory_does_not_grow_with_the_number_of_values() -> None:
    """A million values over twenty orders of magnitude make less than 20,000 points."""
    values = 10 ** np.random.default_rng(0).uniform(-8, 12, 1_000_000)
    assert len(_tally(values).points) < 20_000


def test_a_distribution_of_nothing_has_no_values() -> None:
    """Without values there are no points, and every figure is not a number."""
    nothing = _tally([])
    assert nothing == Distribution() or nothing.points == ()
    assert math.isnan(nothing.quantile(0.5))
    assert math.isnan(nothing.mean)


@given(st.lists(st.tuples(st.integers(1, 70_000), st.integers(1, 70_000)), min_size=1))
def test_every_image_has_its_cell(shapes) -> None:
    """Each width and height lies between the borders of a cell, and cells count every image."""
    tally = ShapeTally()
    tally.add(*np.array(shapes, dtype=np.float64).T)
    assert sum(tally.cells.values()) == len(shapes)
    for sides in shapes:
        assert any(
            all(
                2 ** (place / 16) <= side * 1.000001 and side < 2 ** ((place + 1) / 16) * 1.000001
                for place, side in zip(cell, sides, strict=True)
            )
            for cell in tally.cells
        )
