"""What is said of files that are no JPEG."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tarlight.decode import read_facts
from tarlight.decode.kind import describe_kind
from tarlight.ledger import SkipReason
from tests.decode.jpegs import CAPS


@pytest.mark.parametrize(
    ("encoder", "told"),
    [
        ("PNG", "a PNG image"),
        ("GIF", "a GIF image"),
        ("BMP", "a BMP image"),
        ("TIFF", "a TIFF image"),
        ("WEBP", "a WebP image"),
        ("JPEG2000", "a JPEG 2000 image"),
        ("ICO", "an icon (ICO)"),
        ("PDF", "a PDF document"),
        ("AVIF", "an AVIF image"),
    ],
)
def test_files_of_other_encoders_are_named(encoder, told):
    """What Pillow writes in another format is called by that format's name."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(file, encoder)
    assert read_facts(file.getvalue(), CAPS) == (SkipReason.NOT_JPEG, told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "a HEIC image"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00", "an MP4-like file"),
        (b"\xff\x0a\xfa", "a JPEG XL codestream"),
        (b"\x00\x00\x00\x0cJXL \r\n", "a JPEG XL image"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\xef\xbb\xbf\r\n<html lang='en'>", "an HTML page"),
        (b"<?xml version='1.0'?><Error>", "XML"),
        (b"<svg xmlns=", "an SVG image"),
        (b'{"error": "not found"}', "JSON"),
        ("404 nicht gefunden, schöner Tag".encode(), "text"),
        (("é" * 600).encode(), "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "text"),
        (gzip.compress(b"x"), "gzip data"),
        (b"RIFF\x00\x00\x00\x00WAVE", "a RIFF file"),
        (bytes(4096), "only zero bytes"),
        (bytes(4096) + b"x", "bytes that start with zeros"),
        (b"\x01\x02\x03", "unknown bytes 0x010203"),
        (b" \n ", "unknown bytes 0x200a20"),
    ],
)
def test_other_content_is_named(data, told):
    """Pages, texts, archives and emptiness are told apart."""
    assert describe_kind(data) == told


@given(st.binary(min_size=1, max_size=600))
def test_something_is_said_of_any_bytes(data):
    """Any bytes get a description and no exception."""
    assert describe_kind(data)
