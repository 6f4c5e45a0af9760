"""Small pictures for terminals: an encoded image becomes a few pixels, these become PNG or coloured blocks.

Strategy: images are decoded by our own decoder and written anew, so that a terminal never parses bytes out of
a shard.

Sources: PNG (ISO/IEC 15948) for the file format.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from tarlight.decode import Caps, Encoded, Refusal, read_facts, select_decoder

if TYPE_CHECKING:
    import numpy.typing as npt

    from tarlight.tasks import Pixels

MAX_PIXELS = 64_000_000
"""Larger images are not decoded for a thumbnail."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BIT, _RGB = 8, 2
_UPPER_HALF = "\u2580"
_CUBE, _FIRST_OF_CUBE = 6, 16


def make_thumbnail(data: bytes, width: int, height: int) -> Pixels | None:
    """Decode an image and scale it down to fit into `width` x `height` pixels; never up.

    Returns:
        (h, w, 3) uint8 RGB, or None for an image that is bad or too large.
    """
    facts = read_facts(data, Caps(max_pixels=MAX_PIXELS))
    if isinstance(facts, Refusal):
        return None
    (outcome,) = select_decoder("turbo", damaged="deliver").decode([Encoded(data, facts)])
    return None if isinstance(outcome, Refusal) else _shrink(outcome.pixels, width, height)


def _shrink(pixels: Pixels, width: int, height: int) -> Pixels:
    """Average the pixels that fall together."""
    rows, columns = pixels.shape[:2]
    scale = max(rows / height, columns / width, 1.0)
    new_rows, new_columns = max(1, round(rows / scale)), max(1, round(columns / scale))
    by_rows = _averaged(pixels, new_rows)
    averaged = _averaged(by_rows.transpose(1, 0, 2), new_columns).transpose(1, 0, 2)
    return np.ascontiguousarray(averaged.round().astype(np.uint8))


def _averaged(pixels: npt.NDArray[Any], count: int) -> npt.NDArray[np.float32]:
    """Average runs of the first axis, so that `count` are left; float32."""
    borders = np.linspace(0, len(pixels), count + 1).astype(int)
    sums = np.add.reduceat(pixels, borders[:-1], axis=0, dtype=np.float32)
    counts = np.diff(borders).astype(np.float32)
    return np.divide(sums, counts[:, None, None], dtype=np.float32)


def as_png(pixels: Pixels) -> bytes:
    """Write (h, w, 3) uint8 RGB as a PNG file."""
    height, width = pixels.shape[:2]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, _EIGHT_BIT, _RGB, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, payload) for kind, payload in chunks)


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def as_blocks(pixels: Pixels, *, true_colour: bool) -> list[str]:
    """Draw (h, w, 3) uint8 RGB with half blocks: one line for two rows of pixels, one column a pixel."""
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, pixels[-1:]])
    code = _true if true_colour else _nearest
    return [
        "".join(
            f"\x1b[38;{code(above)};48;{code(below)}m{_UPPER_HALF}"
            for above, below in zip(upper.tolist(), lower.tolist(), strict=True)
        )
        + "\x1b[0m"
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True)
    ]


def _true(colour: list[int]) -> str:
    red, green, blue = colour
    return f"2;{red};{green};{blue}"


def _nearest(colour: list[int]) -> str:
    """The nearest colour of the 6 x 6 x 6 cube that terminals with 256 colours have."""
    red, green, blue = (round(value / 255 * (_CUBE - 1)) for value in colour)
    return f"5;{_FIRST_OF_CUBE + _CUBE * _CUBE * red + _CUBE * green + blue}"
