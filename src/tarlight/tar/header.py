"""One header block of 512 bytes: is it sound, and what does it say?

Strategy: looks at a single block and nothing else. Returns a `Header`, or None for a block that is not a
sound header: a wrong checksum, or a size that is negative, absurd or no number. Never raises for any 512
bytes.

Sources: POSIX.1-2001 pax (ustar interchange format), GNU tar's `tar.h` (base-256 numbers, old sparse maps),
star(5) for the short prefix of star archives. Old Sun tars sum *signed* bytes; that sum is accepted too.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
MAX_SIZE = 1 << 62
"""A larger size field is nonsense; no store holds 4 EiB in one object."""

FIELDS = struct.Struct("<100s24x11sc12x8sc100x88xB")
"""Name, 11 size digits, the byte after them, checksum field, type flag, first byte of the prefix."""

NAME = slice(0, 100)
SIZE = slice(124, 136)
CHECKSUM = slice(148, 156)
FLAG = slice(156, 157)
MAGIC = slice(257, 262)
MAGIC_AND_NUL = slice(257, 263)
IS_EXTENDED = 482
PREFIX = slice(345, 500)
STAR_PREFIX = slice(345, 476)
STAR_MAGIC = slice(508, 512)

KINDS = {
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "character_device",
    b"4": "block_device",
    b"5": "directory",
    b"6": "fifo",
    b"S": "sparse",
    b"D": "dumpdir",
    b"M": "continuation",
    b"N": "old_names",
    b"V": "volume_label",
}
"""Type flags that are no regular file; every other flag is one, as POSIX asks."""

EXTENSION_FLAGS = frozenset([b"x", b"X", b"g", b"L", b"K", b"A"])
"""What describe the next member: PAX, Solaris PAX, global PAX, GNU long name and link, Solaris ACL."""

NAMING_FLAGS = frozenset([b"x", b"X", b"L"])
"""Extension headers that can give the next member its name."""

_ADLER_MODULUS = 65521
_MAX_SUMS = 65536
_BASE_256 = 0x80
_NEGATIVE = 0x40
_SPACES = 8 * ord(" ")
_HIGH_BYTES = bytes(range(128, 256))

known_sums: dict[bytes, int] = {}
"""Checksum field -> low half of the Adler-32 that a block with this field and a true checksum has.

Filled on the slow path and read in the hot loop. The low half of Adler-32 is 1 + the sum of the bytes,
modulo 65521; a sum that is wrong by exactly that much would pass, but no single byte can move a sum by more
than 255.
"""


class Header(NamedTuple):
    """What a sound header block says."""

    name: bytes
    """The name field, up to its first NUL."""
    prefix: bytes
    """The prefix field of POSIX and star headers; empty elsewhere."""
    size: int
    """Bytes of the payload."""
    flag: bytes
    """The type flag, one byte."""
    is_extended: bool
    """Whether an old GNU sparse header is followed by more of its map."""

    @property
    def path(self) -> bytes:
        """Prefix and name together."""
        return self.prefix + b"/" + self.name if self.prefix else self.name


def decode_header(block: bytes) -> Header | None:
    """Read a header block; None when it is not a sound one."""
    if not checksum_holds(block):
        return None
    size = parse_number(block[SIZE])
    if size is None:
        return None
    return Header(_until_nul(block[NAME]), _prefix(block), size, block[FLAG], block[IS_EXTENDED] != 0)


def checksum_holds(block: bytes) -> bool:
    """Whether the block's stored checksum is the sum of its bytes, unsigned or signed."""
    field = block[CHECKSUM]
    expected = known_sums.get(field)
    if expected is None:
        stored = parse_checksum(field)
        if stored is None:
            return False
        expected = _expected_adler(field, stored)
        if len(known_sums) < _MAX_SUMS:
            known_sums[field] = expected
    return zlib.adler32(block) & 0xFFFF == expected or _signed_sum_holds(block)


def parse_checksum(field: bytes) -> int | None:
    """Value of a checksum field, or None when it is no octal number. A blank field is None too."""
    return _parse_octal(field.strip(b" \0"))


def stored_surplus(block: bytes) -> int | None:
    """How much larger the sum of the bytes is than the stored checksum; None when that is no number."""
    stored = parse_checksum(block[CHECKSUM])
    return None if stored is None else sum(block) - sum(block[CHECKSUM]) + _SPACES - stored


def parse_number(field: bytes) -> int | None:
    """A numeric field: octal with spaces and NULs around it, or base-256. None if negative or no number."""
    if field[0] & _BASE_256:
        value = int.from_bytes(field) - (_BASE_256 << 8 * (len(field) - 1))
        return value if not field[0] & _NEGATIVE and value <= MAX_SIZE else None
    digits = _until_nul(field).strip(b" ")
    return _parse_octal(digits) if digits else 0


def has_magic(block: bytes) -> bool:
    """Whether the block carries the ustar magic, as every damaged POSIX or GNU header most likely does."""
    return block[MAGIC] == b"ustar"


def padding(size: int) -> int:
    """Bytes between the end of a payload and the next block."""
    return -size % BLOCK


def _expected_adler(field: bytes, stored: int) -> int:
    return (1 + stored - _SPACES + sum(field)) % _ADLER_MODULUS


def _signed_sum_holds(block: bytes) -> bool:
    rest = block[:148] + block[156:]
    num_high = len(rest) - len(rest.translate(None, _HIGH_BYTES))
    return num_high > 0 and stored_surplus(block) == 256 * num_high


def _parse_octal(digits: bytes) -> int | None:
    if not digits.isdigit():
        return None
    try:
        return int(digits, 8)
    except ValueError:  # an 8 or a 9
        return None


def _prefix(block: bytes) -> bytes:
    if block[MAGIC_AND_NUL] != b"ustar\0":
        return b""
    return _until_nul(block[STAR_PREFIX if block[STAR_MAGIC] == b"tar\0" else PREFIX])


def _until_nul(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
