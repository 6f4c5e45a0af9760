"""Flaws of single images: bytes of a sound JPEG in, bytes of a bad one out."""

from __future__ import annotations

_SOF0 = b"\xff\xc0"
_PRECISION = 4
"""Where the frame header has its bits a sample: after the marker and the length."""


def shorten(jpeg: bytes) -> bytes:
    """Cut off the second half."""
    return jpeg[: len(jpeg) // 2]


def garble(jpeg: bytes) -> bytes:
    """Put restart markers, which no restart interval asked for, into the middle of the compressed data."""
    at = len(jpeg) * 3 // 5
    return jpeg[:at] + b"\xff\xd3" * 8 + jpeg[at + 16 :]


def bomb(jpeg: bytes) -> bytes:
    """Write 65,500 x 65,500 into the frame header (SOF0: marker, length, precision, height, width)."""
    at = jpeg.index(_SOF0) + _PRECISION + 1
    return jpeg[:at] + (65_500).to_bytes(2, "big") * 2 + jpeg[at + 4 :]


def twelve_bit(jpeg: bytes) -> bytes:
    """Claim 12 bits a sample, which medical images have."""
    at = jpeg.index(_SOF0) + _PRECISION
    return jpeg[:at] + b"\x0c" + jpeg[at + 1 :]


def mislabel(_jpeg: bytes) -> bytes:
    """Put a web page in the place of an image."""
    return b"<!DOCTYPE html>\n<title>404</title>\n<p>This image has moved.\n"


def empty(_jpeg: bytes) -> bytes:
    """Leave nothing."""
    return b""
