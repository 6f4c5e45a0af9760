"""What is said of fields that cannot be parsed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.tar.sidecar import decode_field


@pytest.mark.parametrize(
    ("field", "data", "says"),
    [
        ("txt", b"caf\xe9", "no UTF-8 at byte 3"),
        ("json", b'{"a": \xff}', "no UTF-8 at byte 6"),
        ("json", b'{"a": 1,\n b}', r"no JSON at line 2, column 2 \("),
        ("json", b"", r"no JSON at line 1, column 1 \("),
        ("json", b"[" * 100_000, "JSON nested too deeply"),
        ("json", b"9" * 5_000, "JSON with too long a number"),
    ],
)
def test_a_broken_field_says_what_and_where(field: str, data: bytes, says: str) -> None:
    """The reason is one of ours, and names the place where there is one."""
    with pytest.raises(ValueError, match=f"^{says}"):
        decode_field(field, data)


@given(st.binary(max_size=40))
def test_json_is_what_python_reads(data: bytes) -> None:
    """Whatever the bytes are, the value is the standard library's, or a ValueError where it has none."""
    try:
        expected = json.loads(data)
    except ValueError:
        with pytest.raises(ValueError, match=r"^(no UTF-8|no JSON|JSON )"):
            decode_field("json", data)
    else:
        assert decode_field("json", data) == expected or expected != expected  # noqa: PLR0124 (NaN)
