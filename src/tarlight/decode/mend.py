"""Rebuilds the header of a JPEG from only what decoding needs.

Before the first scan, position decides: a bad ICC chunk, an unknown JFIF version, junk between segments say
nothing about the picture, yet strict libjpeg-turbo stops at them and would hide real damage behind them.
A rebuilt header has none of them; behind it, every byte stays as it was. Never raises for content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tarlight.decode.segment import DAC, DHT, DQT, DRI, SOS, walk_header

if TYPE_CHECKING:
    from tarlight.decode.protocol import JpegFacts

_NEEDED: Final = frozenset({DQT, DHT, DAC, DRI, 0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
_SEQUENTIAL: Final = frozenset({"baseline", "extended", "arithmetic"})
_SEQUENTIAL_PARAMETERS: Final = bytes((0, 63, 0))
"""Spectral start and end, no successive approximation: all that a sequential scan may have (T.81 B.2.3)."""
_JFIF: Final = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ADOBE: Final = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"


def mend_header(data: bytes, facts: JpegFacts) -> bytes:
    """Return the same image with a clean header.

    Args:
        data: a whole file, of which `read_facts` made `facts`.
        facts: what its header says.
    """
    parts = [b"\xff\xd8", _color_segment(facts)]
    for marker, start, end in walk_header(data):
        if marker in _NEEDED:
            parts.append(data[start - 4 : end])
        elif marker == SOS:
            parts += (_mend_scan_header(data[start - 4 : end], facts), data[end:])
    return b"".join(parts)


def _color_segment(facts: JpegFacts) -> bytes:
    """Say how the components are to be read, as libjpeg would have understood the file."""
    if facts.components == 3:  # noqa: PLR2004 (gray needs nothing said)
        if facts.jfif:
            return _JFIF
        return _adobe(facts.adobe_transform, allowed=(0, 1))
    return _adobe(facts.adobe_transform, allowed=(0, 2)) if facts.components > 1 else b""


def _adobe(transform: int, allowed: tuple[int, int]) -> bytes:
    """Return an Adobe segment; an unknown transform means the last allowed one, as in libjpeg."""
    if transform < 0:
        return b""
    return _ADOBE + bytes((transform if transform in allowed else allowed[1],))


def _mend_scan_header(segment: bytes, facts: JpegFacts) -> bytes:
    return segment[:-3] + _SEQUENTIAL_PARAMETERS if facts.process in _SEQUENTIAL else segment
