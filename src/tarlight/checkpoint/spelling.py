"""How shards are named in a checkpoint: so that the same files are the same dataset from every folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tarlight.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    T = TypeVar("T")


def whole(shard: str) -> str:
    """Return a path made absolute; a URL as it is.

    Symbolic links are not followed, since machines of one cluster may have them lead to different places; but
    in a path with `..` they are, since what lies above a link is not what its spelling says.
    """
    if "://" in shard:
        return shard
    if f"{os.sep}.{os.sep}" not in shard and shard.startswith(os.sep) and ".." not in shard:
        return shard
    if ".." not in shard:
        return os.path.abspath(shard)  # noqa: PTH100 (a million of them; pathlib takes four times as long)
    path = Path(shard)
    return str(path.parent.resolve() / path.name)


def respelled(entries: Iterable[tuple[str, T]], spell: Callable[[str], str]) -> dict[str, T]:
    """Return what is known of shards under other spellings of their paths.

    Raises:
        CheckpointError: two of them are the same file.
    """
    found: dict[str, T] = {}
    for shard, what in entries:
        key = spell(shard)
        if key in found:
            raise CheckpointError(read_twice(shard))
        found[key] = what
    return found


def read_twice(shard: str) -> str:
    """What to say where a path does not tell which of two readings was done."""
    return (
        f"{shard}: read twice in one run, and a checkpoint cannot tell which was done; read each shard once"
    )


def place_text(place: int, num_shards: int) -> str:
    """Return a shard's place in a listing as ids show it: so many digits that texts sort as numbers do."""
    return f"{place:0{max(6, len(str(num_shards - 1)))}d}"
