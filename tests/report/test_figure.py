"""Figures read well."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.report.figure import clock, digits, duration, num_bytes, plural, rate


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (384_123_456, "384 MB"),
        (12_345_678_901, "12.3 GB"),
        (10**18, "1,000 PB"),
    ],
)
def test_bytes_have_a_fitting_unit(number: int, shown: str) -> None:
    """Bytes are shown in powers of 1000 with three digits that count."""
    assert num_bytes(number) == shown


@given(st.floats(0.01, 1e9))
def test_shown_digits_are_within_half_a_percent(value: float) -> None:
    """What is shown of a figure is within half a percent of it, or half of its last digit."""
    assert float(digits(value).replace(",", "")) == pytest.approx(value, rel=0.005, abs=0.005)


def test_nothing_is_shown_as_a_bare_zero() -> None:
    """No amount at all is `0`, not `0.00`."""
    assert digits(0) == "0"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.9, "0:00"), (61, "1:01"), (3599, "59:59"), (3725, "1:02:05")]
)
def test_times_read_like_a_clock(seconds: float, shown: str) -> None:
    """Seconds are shown as minutes and seconds, with hours where there are any."""
    assert clock(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.5336, "0.53 s"), (12.34, "12.3 s"), (125, "2:05")])
def test_short_times_are_told_exactly(seconds: float, shown: str) -> None:
    """Times below a minute are shown with the digits that count."""
    assert duration(seconds) == shown


def test_one_thing_is_singular() -> None:
    """A count of one takes the noun as it is, any other its plural."""
    assert [plural(n, "shard") for n in (0, 1, 1234)] == ["0 shards", "1 shard", "1,234 shards"]


def test_no_time_gives_no_rate() -> None:
    """A rate over no time is 0 instead of an error."""
    assert rate(5, 0) == 0
