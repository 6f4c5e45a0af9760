"""Calls libjpeg-turbo through simplejpeg, and is the one place that knows its error messages.

A strict call fails for any warning, with libjpeg's first one or with the error that came after it. Everything
simplejpeg raises for content is a ValueError; it releases the GIL while it decodes and returns a new array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from simplejpeg import decode_jpeg

from tarlight.decode.protocol import Refusal
from tarlight.ledger import SkipReason

if TYPE_CHECKING:
    from tarlight.decode.protocol import JpegFacts
    from tarlight.tasks import Pixels

_BEYOND_IT: Final = {
    "Could not determine subsampling level": "sampling that libjpeg-turbo does not do",
    "Could not determine colorspace": "color space that libjpeg-turbo does not do",
    "Unsupported color conversion request": "color conversion that libjpeg-turbo does not do",
}
"""Messages about a file that may be sound, and the phrase a report counts it by."""

_REASONS: Final = {
    "Premature end of JPEG file": SkipReason.TRUNCATED,
    "Insufficient memory": SkipReason.TOO_MANY_PIXELS,
    "Sorry, arithmetic coding is not implemented": SkipReason.UNSUPPORTED,
}
"""Messages that are not plain damage; any other means `corrupt`."""


_SMALLEST: Final = 8
"""Divisor of libjpeg-turbo's smallest output."""


def run_turbo(data: bytes, facts: JpegFacts, *, strict: bool = True) -> Pixels:
    """Decode with libjpeg-turbo; pixels as stored, (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        ValueError: libjpeg-turbo cannot decode it or, when strict, warns; the message is libjpeg's.
    """
    if facts.process == "lossless" and facts.components == 1:
        # Lossless files are not converted between color spaces, not even gray to RGB.
        pixels: Pixels = np.repeat(decode_jpeg(data, "GRAY", strict=strict), 3, axis=2)
        return pixels
    decoded: Pixels = decode_jpeg(data, "RGB", strict=strict)
    return decoded


def has_complaint(data: bytes, facts: JpegFacts) -> bool:
    """Return whether a strict call would fail, at well under half the cost of one.

    All data is parsed, where faults show, but only an eighth of the pixels across and down is computed.
    """
    try:
        decode_jpeg(data, "RGB", min_height=1, min_width=1, min_factor=_SMALLEST, strict=True)
    except (ValueError, MemoryError):  # whatever it is, the full decoder judges the file anew
        return True
    return facts.process == "lossless"


def name_limit(error: ValueError) -> str:
    """Return a phrase when the message is about what libjpeg-turbo does not do, else an empty string."""
    message = str(error)
    return next((phrase for known, phrase in _BEYOND_IT.items() if known in message), "")


def is_warning(error: ValueError) -> bool:
    """Return whether libjpeg found bad data and went on, and met no error later."""
    return "Corrupt JPEG data" in str(error)


def refuse(error: Exception) -> Refusal:
    """Turn what a decoder raised for one image into a refusal; nothing of the message is lost."""
    if isinstance(error, MemoryError):
        return Refusal(SkipReason.TOO_MANY_PIXELS, f"out of memory: {error!r}")
    message = str(error)
    if type(error) is not ValueError:
        return Refusal(SkipReason.CORRUPT, f"unexpected {type(error).__name__}: {message}")
    reason = next((why for known, why in _REASONS.items() if known in message), SkipReason.CORRUPT)
    return Refusal(reason, f"libjpeg-turbo: {message}")
