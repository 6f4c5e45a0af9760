"""One block: sound or not, and what it says."""

from __future__ import annotations

import re
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.tar.header import BLOCK, checksum_holds, decode_header, parse_number
from tests.tar.shards import raw_header, seal

INFO = tarfile.TarInfo("train/000000.jpg")
INFO.size = 123_456
BLOCK_OF_INFO = INFO.tobuf(tarfile.USTAR_FORMAT)


@given(st.binary(min_size=BLOCK, max_size=BLOCK))
def test_the_checksum_is_the_one_of_tarfile(block: bytes) -> None:
    """A block passes exactly when its stored sum is one of the two that tarfile computes."""
    sealed = seal(block)
    unsigned, signed = tarfile.calc_chksums(sealed)
    assert checksum_holds(sealed)
    for total in (unsigned, signed, unsigned + 1, signed - 1):
        stored = block[:148] + (b"%06o\0 " % total if 0 <= total < 8**6 else b"        ") + block[156:]
        assert checksum_holds(stored) == (total in (unsigned, signed) and 0 <= total < 8**6)


@given(st.integers(0, BLOCK - 1), st.integers(1, 255))
def test_any_one_byte_breaks_the_checksum(offset: int, change: int) -> None:
    """A header with one byte changed is no header, unless it still stores the same sum."""
    block = bytearray(BLOCK_OF_INFO)
    block[offset] = (block[offset] + change) % 256
    stored = bytes(block[148:156]).strip(b" \0")
    same = re.fullmatch(rb"[0-7]+", stored) and int(stored, 8) in tarfile.calc_chksums(bytes(block))
    assert checksum_holds(bytes(block)) == bool(same)
    assert not same or 148 <= offset < 156


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"00000001234\0", 0o1234),
        (b"       1234 ", 0o1234),
        (b"1234\0 junk \0", 0o1234),
        (b"777777777777", 0o777777777777),
        (bytes(12), 0),
        (b" " * 12, 0),
        (b"\x80" + (1 << 40).to_bytes(11), 1 << 40),
        (b"\xff" * 12, None),
        (b"\xc0" + bytes(11), None),
        (b"\xbf" + b"\xff" * 11, None),
        (b"-0000000001\0", None),
        (b"0o000001234\0", None),
        (b"1_000000000\0", None),
        (b"00000000089\0", None),
        (b"0x0000000ff\0", None),
    ],
)
def test_numbers_in_every_spelling(field: bytes, value: int | None) -> None:
    """Octal with spaces and NULs and base-256 are read; negative, absurd and foreign spellings are not."""
    assert parse_number(field) == value


@given(st.binary(min_size=BLOCK, max_size=BLOCK))
def test_no_block_raises(block: bytes) -> None:
    """Any 512 bytes are a header or None, with a true checksum or without."""
    for candidate in (block, seal(block)):
        header = decode_header(candidate)
        assert header is None or header.size >= 0


def test_the_prefix_belongs_to_posix_and_star_only() -> None:
    """GNU headers keep times where POSIX has the prefix; star's prefix is shorter."""
    assert decode_header(raw_header(b"n", 0, prefix=b"p")).path == b"p/n"
    assert decode_header(raw_header(b"n", 0, prefix=b"p", magic=b"ustar  \0")).path == b"n"
    star = bytearray(raw_header(b"n", 0, prefix=b"p" * 131 + b"00000000001"))
    star[508:512] = b"tar\0"
    assert decode_header(seal(star)).path == b"p" * 131 + b"/n"
