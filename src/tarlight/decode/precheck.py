"""Looks at what headers and markers show of damage, before a decoder that does not look itself.

DALI and nvJPEG decode damaged data without a word. What can be seen without decoding is seen here: segments,
tables, the restart markers' order, the end of the image. Whatever is not plainly in order is left to strict
libjpeg-turbo, which gives the verdict; so being too careful here costs time and never an image. What lies
between the markers stays unseen: such images are delivered as not checked for damage.

`stamp_orientation` gives a file the one orientation that is ours (EXIF, else XMP, else upright), so that a
library that turns images by itself turns them as we would.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from tarlight.decode.exif import EXIF_NAME, UPRIGHT
from tarlight.decode.mend import mend_header
from tarlight.decode.segment import EOI, MAX_SEGMENTS, RST0
from tarlight.decode.sound import BETWEEN_SCANS, find_fault

if TYPE_CHECKING:
    from tarlight.decode.protocol import Encoded

HEADER_FAULT: Final = "header that libjpeg-turbo has to judge"
MARKER_FAULT: Final = "markers that libjpeg-turbo has to judge"

_MARKER: Final = re.compile(rb"\xff[^\x00]")
_NUM_RESTARTS: Final = 8
_TIFF: Final = struct.Struct(">2sHLHHHLHHL")


def find_visible_fault(image: Encoded) -> str:
    """Return a phrase for what is out of order, or an empty string. Never raises for content.

    Costs about 26 microseconds for a photo of 27 kB, a twentieth of decoding it.
    """
    if not image.data.startswith(b"\xff\xd8\xff") or find_fault(*image):
        return HEADER_FAULT
    return "" if _markers_in_order(image.data, image.facts.scan_start) else MARKER_FAULT


def stamp_orientation(image: Encoded) -> bytes:
    """Return the file with a header that says how to turn it, and nothing else about orientation."""
    data, facts = image
    if facts.orientation == UPRIGHT and data.find(EXIF_NAME, 0, facts.scan_start) < 0:
        return data
    clean = mend_header(data, facts)
    if facts.orientation == UPRIGHT:
        return clean
    return clean[:2] + _exif_segment(facts.orientation) + clean[2:]


def _exif_segment(orientation: int) -> bytes:
    """Return an APP1 segment with one directory of one entry, the orientation (tag 274, one short)."""
    tiff = _TIFF.pack(b"MM", 42, 8, 1, 274, 3, 1, orientation, 0, 0)
    return struct.pack(">HH", 0xFFE1, 2 + len(EXIF_NAME) + len(tiff)) + EXIF_NAME + tiff


def _markers_in_order(data: bytes, scan_start: int) -> bool:
    """Return whether there are only scans with restart markers in sequence, tables between them, and EOI."""
    position, restart = scan_start, 0
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            return False
        marker, position = data[found.start() + 1], found.end()
        if marker == EOI:
            return True
        if marker == RST0 + restart:
            restart = (restart + 1) % _NUM_RESTARTS
        elif marker in BETWEEN_SCANS:
            position += max(2, int.from_bytes(data[position : position + 2], "big"))
            restart = 0
        else:
            return False
    return False
