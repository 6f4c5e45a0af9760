"""Reads JPEGs with Pillow: tolerant, so it may show damaged data as if it were good.

Pillow is imported at the first use, since most runs never need it. It is only given files with a rebuilt
header: there is no EXIF in them to warn about and no second picture. Since the plug-in is called directly,
Pillow's own limit on pixels, which is a global, does not come into play; ours has been checked on the header.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from tarlight.decode.protocol import Refusal
from tarlight.ledger import SkipReason

if TYPE_CHECKING:
    from tarlight.tasks import Pixels


def run_pillow(mended: bytes) -> Pixels:
    """Decode a file with a rebuilt header; pixels as stored, (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        OSError, SyntaxError, ValueError: Pillow cannot decode it.
    """
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415 (most runs never need it)

    with JpegImageFile(io.BytesIO(mended)) as image:
        return np.array(image.convert("RGB"))


def refuse_with_pillow(error: Exception) -> Refusal:
    """Turn what Pillow raised for one image into a refusal."""
    reason = SkipReason.TRUNCATED if "truncated" in str(error).lower() else SkipReason.CORRUPT
    return Refusal(reason, f"Pillow: {type(error).__name__}: {error}")
