"""Gaps in a numbering, and shards with another number of records than their neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.inspect.checking.series import Series


def series(*shards: tuple[str, int | None]) -> Series:
    """A series of shards with so many records."""
    made = Series()
    for index, (path, count) in enumerate(shards):
        made.add(index, path, count)
    return made


def numbered(*counts: int | None) -> Series:
    """Shards 00000.tar, 00001.tar and so on, with so many records."""
    return series(*((f"a/{number:05}.tar", count) for number, count in enumerate(counts)))


@given(
    st.sets(st.integers(0, 60), min_size=2),
    st.sampled_from(["a/{:05}.tar", "x-{}.tar.gz", "t-{:04}-of-0061.tar"]),
)
def test_gaps_are_the_numbers_that_are_not_there(numbers: set[int], pattern: str) -> None:
    """Gaps name exactly the missing numbers, where at least two of three are there."""
    missing = set(range(min(numbers), max(numbers))) - numbers
    gaps = list(series(*((pattern.format(number), 1) for number in numbers)).gaps())
    if 2 * len(missing) > len(numbers):
        assert gaps == []
    else:
        assert sum(gap.num_missing for gap in gaps) == len(missing)
        assert {gap.first for gap in gaps} <= {pattern.format(number) for number in missing}
        assert {gap.last for gap in gaps} <= {pattern.format(number) for number in missing}


def test_each_series_is_judged_alone() -> None:
    """Shards of train and val, and those of two folders, do not fill each other's gaps."""
    paths = ["a/train-0.tar", "a/val-1.tar", "a/train-2.tar", "b/train-1.tar", "a/train-3.tar"]
    gaps = list(series(*((path, 1) for path in paths)).gaps())
    assert [(gap.first, gap.after) for gap in gaps] == [("a/train-1.tar", 0)]


@pytest.mark.parametrize(
    ("counts", "odd"),
    [
        ((8, 8, 8, 8), []),
        ((8, 8, 8, 3), []),
        ((8, 3, 8, 8), [1]),
        ((8, 9, 8, 8), [1]),
        ((8, 7, 8, 8), [1]),
        ((9, 9, 8, 8), []),
        ((9, 8, 8, 8), []),
        ((5, 9, 3, 7, 6), []),
        ((8, 8, None, 8), []),
        ((8, 3), []),
        ((8, 8, 8, None, 2, None), [4]),
    ],
)
def test_a_shard_differs_only_from_a_common_number(counts: tuple[int | None, ...], odd: list[int]) -> None:
    """Differing shards are found where most are equal; the last, even spreads and damaged ones are not."""
    assert [one.shard for one in numbered(*counts).odd_ones()] == odd


def test_names_without_a_number_are_no_series() -> None:
    """Shards whose names have no number are not compared."""
    unnumbered = series(("a.tar", 1), ("b.tar", 5), ("c.tar", 5), ("d.tar", 5))
    assert not [*unnumbered.gaps(), *unnumbered.odd_ones()]
