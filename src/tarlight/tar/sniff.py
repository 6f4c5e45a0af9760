"""What a stream is, by its first bytes.

Strategy: looks at the first 512 bytes only. A sound tar header always wins, since a member's name may begin
with anything.
"""

from __future__ import annotations

SNIFF_BYTES = 512

_COMPRESSIONS = (
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4 (legacy)"),
)

_SKIPPABLE_FRAME, _SKIPPABLE_FIRST = b"\x2a\x4d\x18", 0x50
"""A zstd (or lz4) stream may begin with a frame of user data: bytes 50..5F 2A 4D 18."""

_FORMATS = (
    (b"\xff\xd8\xff", "a JPEG"),
    (b"\x89PNG", "a PNG"),
    (b"GIF8", "a GIF"),
    (b"RIFF", "a RIFF file"),
    (b"PK\3\4", "a ZIP archive"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"<", "XML or HTML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
)


def is_gzip(start: bytes) -> bool:
    """Whether a stream is gzip."""
    return start.startswith(b"\x1f\x8b\x08")


def name_compression(start: bytes) -> str:
    """Name of a compression that is not read here; empty when it is none of them."""
    if start[1:4] == _SKIPPABLE_FRAME and start[0] & 0xF0 == _SKIPPABLE_FIRST:
        return "zstd"
    return next((name for magic, name in _COMPRESSIONS if start.startswith(magic)), "")


def describe(start: bytes) -> str:
    """What a stream that is no tar looks like, for people."""
    text = start.lstrip()
    return next((f"looks like {name}" for magic, name in _FORMATS if text.startswith(magic)), "no tar header")
