"""Makes JPEGs for the tests, and says what Pillow sees in them."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
from PIL import Image, ImageOps

from tarlight.decode import Caps, Encoded, JpegFacts, read_facts
from tarlight.decode.segment import SOS, walk_header

CAPS = Caps()


def paint(width: int = 40, height: int = 28, channels: int = 3) -> np.ndarray:
    """Draw a picture with edges, slopes and noise, the same every time."""
    rows, columns = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(7).integers(0, 60, (height, width, channels))
    slopes = [(columns * 5 + index * 40 + rows * (index + 1)) % 190 for index in range(channels)]
    return (np.stack(slopes, axis=-1) + noise).astype(np.uint8)


def save(pixels: np.ndarray | None = None, mode: str = "RGB", **options) -> bytes:
    """Encode with Pillow."""
    if pixels is None:
        pixels = paint(channels={"L": 1, "CMYK": 4}.get(mode, 3))
    image = (
        Image.fromarray(pixels[:, :, 0])
        if mode == "L"
        else Image.frombytes(mode, pixels.shape[1::-1], pixels)
    )
    file = io.BytesIO()
    image.save(file, "JPEG", **{"quality": 85, **options})
    return file.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """Return one marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def insert(jpeg: bytes, piece: bytes, before: int | None = None) -> bytes:
    """Put bytes in front of the first segment with that marker, or right after SOI."""
    at = 2 if before is None else find(jpeg, before)
    return jpeg[:at] + piece + jpeg[at:]


def drop(jpeg: bytes, marker: int) -> bytes:
    """Take all segments with that marker out of the header."""
    for code, start, end in reversed(list(walk_header(jpeg))):
        if code == marker:
            jpeg = jpeg[: start - 4] + jpeg[end:]
    return jpeg


def find(jpeg: bytes, marker: int) -> int:
    """Return where the first segment with that marker starts."""
    return next(start - 4 for code, start, _ in walk_header(jpeg) if code == marker)


def flat_jpeg(width: int, height: int, sampling: tuple[int, ...], process: int = 0xC0) -> bytes:
    """Encode middle gray with any sampling factors (0x41 is 4 across, 1 down), three components.

    With the tables of T.81 annex K a block without any difference is 001010 in luma and 0000 in chroma.
    """
    base = save()
    across = 8 * max(factors >> 4 for factors in sampling)
    down = 8 * max(factors & 15 for factors in sampling)
    blocks = [(factors >> 4) * (factors & 15) for factors in sampling]
    unit = "001010" * blocks[0] + "0000" * sum(blocks[1:])
    bits = unit * (-(-width // across) * -(-height // down))
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    frame = struct.pack(">BHHB", 8, height, width, 3)
    frame += b"".join(bytes((index + 1, factors, index > 0)) for index, factors in enumerate(sampling))
    start = find(base, 0xC0)
    header = base[:start] + segment(process, frame) + base[start + 4 + len(frame) :]
    end = next(end for code, _, end in walk_header(header) if code == SOS)
    return header[:end] + scan + b"\xff\xd9"


def with_frame(jpeg: bytes, **fields: int) -> bytes:
    """Change precision, height, width, components or marker of the frame header."""
    at = next(start for code, start, _ in walk_header(jpeg) if code in (0xC0, 0xC1, 0xC2))
    names = ("precision", "height", "width", "components")
    old = dict(zip(names, struct.unpack_from(">BHHB", jpeg, at), strict=True))
    new = struct.pack(">BHHB", *(fields.get(name, old[name]) for name in names))
    marker = bytes((fields.get("marker", jpeg[at - 3]),))
    return jpeg[: at - 3] + marker + jpeg[at - 2 : at] + new + jpeg[at + 6 :]


def encoded(jpeg: bytes) -> Encoded:
    """Return the image with its facts, which must be readable."""
    facts = read_facts(jpeg, CAPS)
    assert isinstance(facts, JpegFacts), facts
    return Encoded(jpeg, facts)


def see(jpeg: bytes) -> np.ndarray:
    """Return what Pillow sees, turned upright. Raises what Pillow raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(jpeg)) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
