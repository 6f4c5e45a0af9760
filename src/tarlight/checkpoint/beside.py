"""Files that are written beside another one, to take its name when they are whole."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_in_use: set[str] = set()
"""Names of those of this process, which does not lock itself out; no two are the same in any folder."""


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Give the path of a file beside another one that nobody else has, and leave none there."""
    # A process id is not enough: containers on one disk all have 1, and a program may run two.
    new = target.with_name(f".{target.name}.{token_hex(8)}.new")
    _in_use.add(new.name)
    try:
        yield new
    finally:
        new.unlink(missing_ok=True)  # half a checkpoint is of use to nobody
        _in_use.discard(new.name)


def remove_remains(target: Path) -> None:
    """Remove what killed processes have left beside a file. Only while no other process may write there."""
    name = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{16}}\.new")
    with suppress(PermissionError):  # another user's, or a folder that may not be listed: no harm to a run
        for path in target.parent.iterdir():
            if name.fullmatch(path.name) and path.name not in _in_use:
                path.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write a file and have that on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Have the names of a folder on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
