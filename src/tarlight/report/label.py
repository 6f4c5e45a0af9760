"""Names for people's eyes: made harmless, and shortened in the middle.

Names of members and shards come from whoever wrote the shard. Printed as they are, they could move the
cursor, retitle the window or reverse the text around them; here every character that is not printable is
written as an escape.
"""

from __future__ import annotations

_GAP = "..."


def printable(text: str, encoding: str = "utf-8") -> str:
    r"""Return `text` with everything that a terminal could act on, or cannot show, as an escape.

    Control and format characters (bidirectional overrides among them) become `\x1b` or `\u202e`, bytes that
    were no UTF-8 become `\xff`, and what `encoding` lacks is escaped as well.
    """
    if text.isascii() and text.isprintable():
        return text
    safe = "".join(char if char.isprintable() else _escape(char) for char in text)
    return safe.encode(encoding, "backslashreplace").decode(encoding)


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` characters, with the middle left out; paths differ at their ends."""
    if len(text) <= width:
        return text
    tail = max((width - len(_GAP)) * 2 // 3, 1)
    head = max(width - len(_GAP) - tail, 0)
    return text[:head] + _GAP + text[-tail:]


def label(text: str, width: int, encoding: str = "utf-8") -> str:
    """Return `text` printable and in at most `width` characters, however long it was."""
    return shorten(printable(shorten(text, 2 * width), encoding), width)


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # surrogateescape: a byte that was no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("ascii", "backslashreplace").decode() if char > "\x7f" else f"\\x{ord(char):02x}"
