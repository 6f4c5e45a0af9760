"""Says what bytes are that are no JPEG, from their first bytes, for people. Never raises."""

from __future__ import annotations

from typing import Final

_MAGICS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89PNG", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"II+\x00", "a BigTIFF image"),
    (b"MM\x00+", "a BigTIFF image"),
    (b"II\xbc", "a JPEG XR image"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL codestream"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"qoif", "a QOI image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"OggS", "Ogg media"),
    (b"ID3", "MP3 audio"),
    (b"\x1a\x45\xdf\xa3", "Matroska media"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x93NUMPY", "a NumPy array"),
)

_TEXTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<svg", "an SVG image"),
    (b"<?xml", "XML"),
    (b"<", "XML or HTML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)

_HEIF_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_LOOKED_AT: Final = 512


def describe_kind(data: bytes) -> str:
    """Say what `data` is, for example `a PNG image` or `unknown bytes 0x00a1b2c3`."""
    head = bytes(data[:_LOOKED_AT])
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    return _container(head) or _text(head) or _nothing(head, data)


def _container(head: bytes) -> str:
    if head.startswith(b"RIFF"):
        return "a WebP image" if head[8:12] == b"WEBP" else "a RIFF file"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"avif", b"avis"):
            return "an AVIF image"
        return "a HEIC image" if brand in _HEIF_BRANDS else "an MP4-like file"
    return ""


def _text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for prefix, kind in _TEXTS:
        if start.startswith(prefix):
            return kind
    printable = bool(start) and all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in start)  # noqa: PLR2004 (space)
    return "text" if printable and b"\x7f" not in start and _is_utf8(start) else ""


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return 0 < error.start >= len(head) - 3  # the last character may have been cut
    return True


def _nothing(head: bytes, data: bytes) -> str:
    if not head.strip(b"\x00"):
        return "only zero bytes" if data.count(0) == len(data) else "bytes that start with zeros"
    return f"unknown bytes 0x{head[:8].hex()}"
