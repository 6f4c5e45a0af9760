"""Writing one shard of the sample dataset."""

from __future__ import annotations

import io
import json
import os
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tarlight.sample.scene import Scene

MADE_AT = 1_704_067_200
"""Modification time of all members, 2024-01-01, so that the same seed gives the same bytes."""

Member = tuple[str, bytes]
"""Name and payload."""


def record(key: str, scene: Scene) -> list[Member]:
    """Return the members of one record: picture, caption, facts."""
    facts = json.dumps(scene.facts, indent=1) + "\n"
    return [
        (f"{key}.jpg", scene.to_jpeg()),
        (f"{key}.txt", f"{scene.caption}\n".encode()),
        (f"{key}.json", facts.encode()),
    ]


def write_tar(path: Path, members: Iterable[Member]) -> None:
    """Write a ustar archive to `path`, which appears when it is complete."""
    with replacing(path) as partial, partial.open("xb") as file:
        _write(file, members)


def tar_bytes(members: Iterable[Member]) -> bytes:
    """Return a ustar archive as bytes."""
    buffer = io.BytesIO()
    _write(buffer, members)
    return buffer.getvalue()


def _write(file: IO[bytes], members: Iterable[Member]) -> None:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, payload in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(payload), MADE_AT, 0o644
            archive.addfile(entry, io.BytesIO(payload))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a temporary path that becomes `path` at the end, and goes away after an error."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
