"""Finds the orientation of a photo, as Pillow's `ImageOps.exif_transpose` does.

EXIF is a small TIFF file in an APP1 segment (CIPA DC-008, tag 274), XMP is XML in another. Pillow takes EXIF
where it has the tag at all, else XMP, and stops where the directory stops making sense; so do we, because the
pixels must be the same. Where Pillow raises for a malformed EXIF, the image is upright. Never raises.
"""

from __future__ import annotations

import re
import struct
from typing import Final

EXIF_NAME: Final = b"Exif\x00\x00"
XMP_NAME: Final = b"http://ns.adobe.com/xap/1.0/\x00"
UPRIGHT: Final = 1

_TAG: Final = 274
_INLINE: Final = 4
_HEADER: Final = 8
_BYTE_ORDERS: Final = {b"MM\x00*": ">", b"MM*\x00": ">", b"II*\x00": "<", b"II\x00*": "<"}
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_NUMBERS: Final = {3: "H", 4: "L", 6: "b", 8: "h", 9: "l", 11: "f", 12: "d", 13: "L", 16: "Q"}
_RATIOS: Final = {5: "2L", 10: "2l"}
_IN_XMP: Final = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def read_orientation(exif: bytes, xmp: bytes) -> int:
    """Return 1 to 8 from the joined EXIF segments and the last XMP segment; empty where there is none."""
    value: float | None = None
    tiff = _strip_name(exif)
    if tiff:
        order = _BYTE_ORDERS.get(tiff[:4])
        if order is None or len(tiff) < _HEADER:
            return UPRIGHT
        value = _from_directory(tiff, order)
    if value is None and xmp:
        value = _from_xmp(xmp)
    return int(value) if value is not None and value in range(1, 9) else UPRIGHT


def _strip_name(exif: bytes) -> bytes:
    # Some writers put the name twice, and Pillow forgives that.
    return exif.removeprefix(EXIF_NAME).removeprefix(EXIF_NAME)


def _from_xmp(xmp: bytes) -> int | None:
    found = _IN_XMP.search(xmp)
    return None if found is None else int(found[1])


def _from_directory(tiff: bytes, order: str) -> float | None:
    """Return the tag's value: None when it is not there, 0 when it is there but no number."""
    (position,) = struct.unpack_from(order + "L", tiff, 4)
    if position + 2 > len(tiff):
        return None
    (num_entries,) = struct.unpack_from(order + "H", tiff, position)
    block = tiff[position + 2 : position + 2 + 12 * num_entries]
    entries = struct.iter_unpack(order + "HHL4s", block[: len(block) // 12 * 12])
    claimed, taken = 0, set()
    for tag, kind, count, field in entries:
        size = _SIZES.get(kind, 0) * count
        if tag in taken or not size:
            continue
        raw = field[:size]
        if size > _INLINE:
            claimed += size
            if claimed > len(tiff):  # more values than bytes: Pillow passes over the entry
                continue
            (at,) = struct.unpack(order + "L", field)
            if at + size > len(tiff):  # a value outside the data: Pillow reads no further
                return None
            raw = tiff[at : at + size]
        if tag == _TAG:
            return _number(raw, kind, order)
        taken.add(tag)
    return None


def _number(raw: bytes, kind: int, order: str) -> float:
    """Return the first value of a field; 0 for bytes and text."""
    if kind in _RATIOS:
        above, below = struct.unpack_from(order + _RATIOS[kind], raw)
        return float(above) / below if below else 0
    return float(struct.unpack_from(order + _NUMBERS[kind], raw)[0]) if kind in _NUMBERS else 0
