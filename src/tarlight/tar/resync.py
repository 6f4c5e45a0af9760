"""Finding the next header after damage, and telling what the damage hid.

Strategy: `scan` passes blocks of a window until one is a sound header, in constant memory; `hides_name`
judges a damaged block by what followed it. One flipped byte must not cost two images, so a damaged header
counts as a lost *long name* only on evidence that a flipped byte in an ordinary header cannot forge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tarlight.tar.extension import MAX_PAYLOAD
from tarlight.tar.header import (
    BLOCK,
    CHECKSUM,
    EXTENSION_FLAGS,
    FLAG,
    NAME,
    NAMING_FLAGS,
    ZERO_BLOCK,
    decode_header,
    has_magic,
    padding,
    stored_surplus,
)
from tarlight.tar.longname import starts_name
from tarlight.tar.pax import parse_pax, split_records

if TYPE_CHECKING:
    from tarlight.tar.window import Window

_FULL_NAME = 99
"""Writers give a member a long name when its own field is full: 100 bytes, or 99 and a NUL."""
_ZERO_CHECKSUM = bytes(8)
_NUL = 0


class Scan(NamedTuple):
    """How a scan ended."""

    is_found: bool
    """Whether the window now stands at the block that was looked for; else at the end of the data."""
    num_zeros: int
    """When nothing was found: zero bytes at the very end, counted from a block border."""
    passed: bytes
    """The bytes passed, when there were at most 1 MiB of them; else empty."""


def scan(window: Window, *, stop_at_magic: bool = False) -> Scan:
    """Pass blocks until a sound header (or, if asked for, one with the ustar magic) comes."""
    kept = bytearray()
    zeros_from = start = window.offset
    while len(window.peek(BLOCK)) == BLOCK:
        view, pos, base = window.view, window.pos, window.base
        stop, last = _sweep(view, pos, window.limit, stop_at_magic=stop_at_magic)
        if last > pos:
            zeros_from = base + last
        if window.offset - start <= MAX_PAYLOAD:
            kept += view[pos : min(stop, pos + MAX_PAYLOAD + 1)]
        window.pos = stop
        if stop + BLOCK <= window.limit:
            return Scan(is_found=True, num_zeros=0, passed=bytes(kept) if len(kept) <= MAX_PAYLOAD else b"")
    tail = bytes(window.take(BLOCK))
    zeros_from = window.offset if tail.strip(b"\0") else zeros_from
    return Scan(is_found=False, num_zeros=window.offset - zeros_from, passed=b"")


def _sweep(view: memoryview, pos: int, limit: int, *, stop_at_magic: bool) -> tuple[int, int]:
    """Look at the whole blocks of one chunk.

    Returns where the search stopped, a border with less than a block behind it when nothing was found, and
    the end of the last block that was not zero (`pos` when all were).
    """
    last = pos
    while pos + BLOCK <= limit:
        field = bytes(view[pos + CHECKSUM.start : pos + CHECKSUM.stop])
        if field == _ZERO_CHECKSUM and bytes(view[pos : pos + BLOCK]) == ZERO_BLOCK:
            pos += BLOCK
            continue
        if field.strip(b" \0").isdigit() and decode_header(bytes(view[pos : pos + BLOCK])):
            break
        if stop_at_magic and has_magic(bytes(view[pos : pos + BLOCK])):
            break
        pos += BLOCK
        last = pos
    return pos, last


def hides_name(damaged: bytes, payload: bytes, following: bytes) -> bool:
    """Whether a damaged block was an extension header that named the member at `following`.

    Args:
        damaged: the block whose checksum does not hold.
        payload: everything between it and the next sound header; empty when that is too much to be a name.
        following: the block of that next header.
    """
    records = split_records(payload)
    if records:
        facts = parse_pax(payload)
        return not facts.is_sound or facts.is_sparse or bool(facts.path) or facts.size is not None
    return _is_long_name(payload, following) or _was_naming_header(damaged)


def _is_long_name(payload: bytes, following: bytes) -> bool:
    text = payload.rstrip(b"\0")
    own = following[NAME].rstrip(b"\0")
    fits = len(payload) == len(text) + 1 + padding(len(text) + 1)
    return fits and len(own) >= _FULL_NAME and b"\0" not in text and starts_name(text, own)


def _was_naming_header(damaged: bytes) -> bool:
    """Judge by the type flag, and by the name when the flag itself may be the flipped byte."""
    flag, surplus = damaged[FLAG], stored_surplus(damaged)
    original = None if surplus is None else flag[0] - surplus
    if flag in NAMING_FLAGS:
        return not _is_ordinary(original)
    was_naming = original is not None and any(original == naming[0] for naming in NAMING_FLAGS)
    return was_naming and (b"@LongLink" in damaged[NAME] or b"PaxHeader" in damaged[NAME])


def _is_ordinary(flag: int | None) -> bool:
    """Whether this is the type flag of a member: then one flipped bit made it look like a name's."""
    if flag is None:
        return False
    return flag == _NUL or (ord("0") <= flag <= ord("9")) or _is_vendor_flag(flag)


def _is_vendor_flag(flag: int) -> bool:
    return ord("A") <= flag <= ord("Z") and bytes([flag]) not in EXTENSION_FLAGS
