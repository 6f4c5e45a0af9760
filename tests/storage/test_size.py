"""Sizes as numbers and text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.storage import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1048576", 1 << 20),
        ("128MB", 128_000_000),
        ("128MiB", 128 << 20),
        ("128 mib", 128 << 20),
        ("1GiB", 1 << 30),
        ("512k", 512_000),
        ("512Ki", 512 << 10),
        (" 1.5 GB ", 1_500_000_000),
        ("0.5KiB", 512),
        ("7b", 7),
        ("2TB", 2 * 10**12),
        (65, 65),
    ],
)
def test_sizes_read_as_written(text, size):
    """Decimal units count in thousands and binary ones in 1024s, in any case and spacing."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "MB", "-1", "1e6", "12 parsecs", "1..5", "0", "0.0001kB", 0, -5, "1 2", "٣MB", "nan"]
)
def test_what_is_no_size_names_the_argument(text):
    """Text that is no size, and sizes below one byte, are refused by the argument's name."""
    with pytest.raises(ArgumentError, match=r"^result_memory"):
        parse_size(text, "result_memory")


@pytest.mark.parametrize("value", [True, 1.5, None, b"1MB", [1]])
def test_other_types_are_no_sizes(value):
    """Only int and text are sizes; a bool or float is a mistake."""
    with pytest.raises(ArgumentTypeError, match=r"^blocksize"):
        parse_size(value)


@given(st.integers(1, 10**15), st.sampled_from(["", "b", "B"]))
def test_plain_numbers_survive(number, unit):
    """Bytes written as text are read back exactly."""
    assert parse_size(f"{number}{unit}") == number
