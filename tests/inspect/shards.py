"""Small shards for questions: written by the standard library."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@cache
def jpeg(width: int = 16, height: int = 8, colour: str = "teal") -> bytes:
    """Return a small JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def write_shard(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    """Write members into a shard."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, payload in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(payload)
            archive.addfile(entry, io.BytesIO(payload))
    return path


def records(keys: Iterable[str], *fields: str) -> list[tuple[str, bytes]]:
    """Return sound records with these fields."""
    payloads = {"jpg": jpeg(), "txt": b"a caption", "json": b"{}"}
    return [(f"{key}.{field}", payloads[field]) for key in keys for field in fields or ("jpg", "txt")]
