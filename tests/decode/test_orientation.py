"""Orientation from EXIF and XMP, against Pillow."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tarlight.decode import read_facts
from tarlight.decode.exif import EXIF_NAME, XMP_NAME, read_orientation
from tarlight.decode.orient import turn_upright
from tests.decode.jpegs import CAPS, drop, insert, save, segment
from tests.soak import repetitions

JFIF = save()
WITHOUT_JFIF = drop(JFIF, 0xE0)


def ask_pillow(jpeg: bytes) -> int | None:
    """Return the turn that `exif_transpose` takes, or None where Pillow raises for a malformed EXIF.

    It is asked where it looks, since turning also writes the EXIF anew, which fails for many odd fields.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(jpeg)) as image:
                found = image.getexif().get(274, 1)
        except (SyntaxError, struct.error, OSError, TypeError, ValueError):
            return None
    return next((turn for turn in range(1, 9) if turn == found), 1)


def compare(app1: list[bytes], *, jfif: bool) -> None:
    """Assert that our orientation is Pillow's, or any where Pillow raises."""
    jpeg = insert(JFIF if jfif else WITHOUT_JFIF, b"".join(segment(0xE1, payload) for payload in app1))
    expected = ask_pillow(jpeg)
    assert read_facts(jpeg, CAPS).orientation in ((expected,) if expected else range(1, 9))


@st.composite
def entries(draw, order: str) -> bytes:
    """Draw a directory entry: mostly orientations that make sense, with some of everything else."""
    tag = draw(st.sampled_from([274, 274, 274, 271, 282, 34665, 0]) | st.integers(0, 0xFFFF))
    kind = draw(st.sampled_from([3, 3, 3, 4, 1]) | st.integers(0, 18))
    count = draw(st.sampled_from([1, 1, 1, 0, 2, 3]) | st.integers(0, 2**32 - 1))
    packed = struct.pack(order + "HHL", tag, kind, count)
    if draw(st.booleans()):
        return packed + struct.pack(order + "HH", draw(st.integers(0, 9)), 0)
    return packed + struct.pack(order + "L", draw(st.integers(0, 120) | st.integers(0, 2**32 - 1)))


@st.composite
def tiffs(draw) -> bytes:
    """Draw a TIFF header with a directory, often at an odd offset, sometimes cut."""
    order = draw(st.sampled_from("<>"))
    magic = draw(st.sampled_from([b"II*\x00", b"II\x00*"] if order == "<" else [b"MM\x00*", b"MM*\x00"]))
    gap = draw(st.binary(max_size=9) | st.just(struct.pack(order + "LLHH", 6, 1, 8, 8)))
    fields = draw(st.lists(entries(order), max_size=5))
    offset = draw(st.just(8 + len(gap)) | st.integers(0, 60) | st.integers(0, 2**32 - 1))
    count = draw(st.just(len(fields)) | st.integers(0, 0xFFFF))
    tail = draw(st.binary(max_size=40) | st.just(struct.pack(order + "LLLd", 6, 1, 3, 7.0)))
    tiff = magic + struct.pack(order + "L", offset) + gap + struct.pack(order + "H", count)
    tiff += b"".join(fields) + tail
    return tiff[: draw(st.just(len(tiff)) | st.integers(0, len(tiff)))]


XMPS = st.sampled_from(
    [
        b'<x tiff:Orientation="6">',
        b"<tiff:Orientation>8</tiff:Orientation>",
        b'<x tiff:Orientation="0">',
        b'<x tiff:Orientation="33">',
        b"<x tiff:Orientation='6'>",
        b"",
        b'\x00tiff:Orientation="3" tiff:Orientation="5"',
    ]
)
PAYLOADS = (
    tiffs().map(EXIF_NAME.__add__)
    | tiffs().map(lambda tiff: EXIF_NAME * 2 + tiff)
    | XMPS.map(XMP_NAME.__add__)
    | st.binary(max_size=30)
    | st.sampled_from([EXIF_NAME, XMP_NAME, EXIF_NAME[:-1], EXIF_NAME + b"BAD!"])
)


@settings(deadline=None, max_examples=repetitions(300, 5000))
@given(st.lists(PAYLOADS, max_size=3), st.booleans())
def test_orientation_is_that_of_pillow(app1, jfif):
    """Any EXIF and XMP, sound or broken, in any order, turns the picture as Pillow turns it."""
    compare(app1, jfif=jfif)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16])
@pytest.mark.parametrize("value", range(10))
def test_every_field_type_counts_as_in_pillow(order, kind, value):
    """Whole numbers, fractions and floats of any width are orientations, bytes and text are not."""
    formats = {5: "LL", 10: "ll", 3: "H", 8: "h", 6: "b", 11: "f", 12: "d", 16: "Q", 4: "L", 9: "l", 13: "L"}
    numbers = (value, 1) if kind in (5, 10) else (value,)
    packed = struct.pack(order + formats.get(kind, "B"), *numbers)
    field = struct.pack(order + "L", 26) if len(packed) > 4 else packed.ljust(4, b"\x00")
    tiff = b"II*\x00" if order == "<" else b"MM\x00*"
    tiff += struct.pack(order + "LHHHL", 8, 1, 274, kind, 1) + field + bytes(4) + packed
    compare([EXIF_NAME + tiff], jfif=True)


@given(st.binary(max_size=200), st.binary(max_size=100))
def test_random_metadata_never_raises(exif, xmp):
    """Any bytes behind the names of EXIF and XMP give an orientation from 1 to 8."""
    for start in (b"", b"II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08"):
        assert read_orientation(EXIF_NAME + start + exif, xmp) in range(1, 9)


def test_a_camera_picture_lies_as_the_exif_says():
    """Orientation 6 turns a picture of three columns into one of three rows: stored right is shown below."""
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    turned = turn_upright(pixels, 6)
    assert turned.shape == (3, 2, 3)
    assert np.array_equal(turned[0, 1], pixels[0, 0])
    assert turn_upright(pixels, 1) is pixels
