"""Walks the marker segments of a JPEG, as libjpeg does, without decoding and without copying.

May know: ITU-T T.81 annex B and how libjpeg resynchronises. Never raises: where the bytes end, a walk ends,
and a segment that claims more bytes than are there is yielded with an `end` beyond the data. Bytes between
segments are passed over, as libjpeg does with a warning; so are fill bytes.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TEM: Final = 0x01
DHT: Final = 0xC4
DAC: Final = 0xCC
RST0: Final = 0xD0
SOI: Final = 0xD8
EOI: Final = 0xD9
SOS: Final = 0xDA
DQT: Final = 0xDB
DNL: Final = 0xDC
DRI: Final = 0xDD
APP0: Final = 0xE0
APP1: Final = 0xE1
APP14: Final = 0xEE
COM: Final = 0xFE

MAX_SEGMENTS: Final = 16_384
"""Segments that one walk looks at. Real files have tens, with extended XMP hundreds; a hostile one could have
a quarter of its bytes, and keep a walk busy for minutes."""

Segment = tuple[int, int, int]
"""Marker code, first byte of the payload (after the length), one past its last byte."""

_START = struct.Struct(">BBH")
_STANDALONE = frozenset({TEM, *range(RST0, EOI + 1)})
_ODD = bytes(code in _STANDALONE or code in (0x00, 0xFF) for code in range(256))
_ANY_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def walk_header(data: bytes) -> Iterator[Segment]:
    """Yield the segments after SOI up to and with the first SOS or EOI, at most `MAX_SEGMENTS`."""
    position, last, read = 2, len(data) - 4, _START.unpack_from
    for _ in range(MAX_SEGMENTS):
        if position > last:
            yield from _last_marker(data, position)
            return
        fill, marker, length = read(data, position)
        if fill != 0xFF or _ODD[marker]:  # noqa: PLR2004 (every marker starts with it)
            found = find_marker(data, position)
            if found is None:
                return
            position, marker = found, data[found + 1]
            if marker in _STANDALONE:
                yield marker, position + 2, position + 2
                position += 2
            if marker == EOI:
                return
            continue
        end = position + 2 + (length if length > 1 else 2)
        yield marker, position + 4, end
        if marker == SOS:
            return
        position = end


def find_marker(data: bytes, position: int) -> int | None:
    """Return where the next marker starts at or after `position`, or None; restart markers count."""
    found = _ANY_MARKER.search(data, position)
    return None if found is None else found.start()


def _last_marker(data: bytes, position: int) -> Iterator[Segment]:
    """Yield a marker in the last three bytes, where no segment fits: standalone, or cut off."""
    found = find_marker(data, position)
    if found is not None:
        marker, start = data[found + 1], found + 2
        yield marker, start, start if marker in _STANDALONE else start + 2


def walk_scans(data: bytes, scan_start: int) -> Iterator[Segment]:
    """Yield what follows the first SOS, that one included and restart markers not, up to and with EOI.

    At most `MAX_SEGMENTS`. Entropy-coded bytes are passed over at the speed of a C search.
    """
    position = scan_start
    for _ in range(MAX_SEGMENTS):
        found = _MARKER_IN_SCAN.search(data, position)
        if found is None:
            return
        marker, position = data[found.start() + 1], found.end()
        if marker in _STANDALONE:
            yield marker, position, position
        else:
            length = int.from_bytes(data[position : position + 2], "big")
            yield marker, position + 2, position + max(length, 2)
            position += max(length, 2)
        if marker == EOI:
            return
