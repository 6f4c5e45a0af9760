"""How many bytes of payload really follow a header, where headers and facts disagree.

Strategy: looks ahead in the window, by a bounded number of bytes, for where the next header is. What it
returns depends on the bytes alone. Raises nothing of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.tar.header import BLOCK, CHECKSUM, ZERO_BLOCK, decode_header, padding

if TYPE_CHECKING:
    from tarlight.tar.window import Window

LOOK_AHEAD = 16 << 20
"""Bytes of payload up to which a doubtful size is checked against what follows it."""

NO_DATA_KINDS = frozenset(
    ["hardlink", "symlink", "character_device", "block_device", "directory", "fifo"],
)
"""Kinds that mostly have no payload, whatever their size field says."""


def carries_nothing(window: Window) -> bool:
    """Whether a member of a kind without data is followed by the next header at once.

    A hard link in a PAX archive may carry data, one in an older archive has the size of its target and none.
    """
    return _is_border(window.peek(BLOCK))


def settle_size(window: Window, octal: int, pax: int | None) -> int | None:
    """The size of the payload that starts at the window, or None when no size is to be believed.

    The PAX size rules (POSIX), but no checksum protects it: where it leads into the middle of something and
    the header's own size leads to a border, that one is taken; and it may not swallow a sound header.
    """
    if pax is None or pax == octal:
        return octal
    if pax <= LOOK_AHEAD and _leads_to_border(window, pax):
        return pax
    if 0 < octal <= LOOK_AHEAD and _leads_to_border(window, octal):
        return octal
    return None if pax <= LOOK_AHEAD and _holds_header(window.peek(pax + padding(pax))) else pax


def _leads_to_border(window: Window, size: int) -> bool:
    span = size + padding(size)
    seen = window.peek(span + BLOCK)
    return len(seen) >= size and _is_border(seen[span:])


def _is_border(block: memoryview) -> bool:
    """Whether a payload may end here: at a header, at an end mark, or with the data."""
    return not len(block) or (len(block) == BLOCK and (bytes(block) == ZERO_BLOCK or _is_header(block)))


def _holds_header(payload: memoryview) -> bool:
    return any(_is_header(payload[start : start + BLOCK]) for start in range(0, len(payload), BLOCK))


def _is_header(block: memoryview) -> bool:
    field = bytes(block[CHECKSUM])
    return field.strip(b" \0").isdigit() and len(block) == BLOCK and decode_header(bytes(block)) is not None
