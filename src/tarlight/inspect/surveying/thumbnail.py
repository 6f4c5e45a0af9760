"""Small copies of pictures for a page, with a bound on their bytes.

The only module of this room that knows image libraries.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from tarlight.report.survey import Thumbnail

if TYPE_CHECKING:
    from tarlight.tasks import Pixels

SIDE = 400
"""Pixels of the longer side: sharp at 200 on a dense screen, and good to look at when enlarged."""
SMALL_SIDE = 200
"""The same for problems."""
MAX_BYTES = 64 * 1024
"""Photos of 400 pixels take 30 kB; noise takes 150 and is made smaller, so that a page has a bound."""
MAX_PNG_PIXELS = 40_000_000
"""A PNG that is named as a JPEG is decoded up to here: 160 MB for a moment."""

_STEPS = ((1.0, 82), (0.8, 70), (0.6, 60), (0.4, 50))
"""Part of the side, and JPEG quality, until the bytes fit; at the last step, any picture's do."""


def make_thumbnail(pixels: Pixels, side: int = SIDE) -> Thumbnail:
    """Return a small copy of `pixels`, (H, W, 3) uint8 RGB, with a longer side of at most `side` pixels."""
    return _encode(Image.fromarray(pixels), side)


def thumbnail_of_png(data: bytes, side: int = SMALL_SIDE) -> Thumbnail | None:
    """Return a small copy of a PNG; None when it is none, too large or damaged."""
    try:
        # The plug-in itself: Pillow's own limit, which is a global and a warning, does not come into play.
        with PngImageFile(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PNG_PIXELS:
                return None
            return _encode(picture.convert("RGB"), side)
    except (OSError, SyntaxError, ValueError):
        return None  # the page shows the reason without a picture


def _encode(picture: Image.Image, side: int) -> Thumbnail:
    copy = picture.copy() if max(picture.size) <= side else picture
    for part, quality in _STEPS:
        longest = max(int(side * part), 1)
        copy.thumbnail((longest, longest), Image.Resampling.HAMMING, reducing_gap=2.0)
        buffer = io.BytesIO()
        copy.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_BYTES:
            break
    return Thumbnail(buffer.getvalue(), copy.width, copy.height)
