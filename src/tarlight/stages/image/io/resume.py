"""Going on in the middle of a shard: what was settled before is parsed again, and no more than that.

To parse from the start is exact for gzip shards, for damage, and for records whose images share fields.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from tarlight.errors import ShardChangedError
from tarlight.ledger import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tarlight.ledger import Position
    from tarlight.storage import ShardStat
    from tarlight.tar import ImageRecord


def check_version(shard: ShardStat, start: Position | None) -> None:
    """Check that a shard is the one in which a run before this one stopped.

    Raises:
        ShardChangedError: it is not.
    """
    if start is not None and _without_inode(shard) != _without_inode(shard, start.version):
        raise ShardChangedError(
            f"{shard.path}: the shard was changed since the checkpoint was made in the middle of it (version "
            f"{start.version}, now {shard.version}). Put the old one back, or begin anew with another "
            "checkpoint"
        )


def pass_settled(
    records: Iterator[ImageRecord | Loss], start: Position, shard: str, is_cut_off: Callable[[], bool]
) -> list[str]:
    """Pass what is settled, and return the names of the images that were delivered.

    Where the shard cannot be read that far any more, as `is_cut_off` then says, these are fewer.

    Raises:
        ShardChangedError: something else lies there now.
    """
    images, skipped = 0, frozenset(start.skipped)
    names = []
    for entry in islice(records, start.entries):
        if isinstance(entry, Loss):
            continue
        images += 1
        if entry.offset not in skipped:
            names.append(entry.member)
    if images != start.images and not is_cut_off():
        raise ShardChangedError(
            f"{shard}: {images} images lie where {start.images} were read before the checkpoint was made: "
            "the shard was changed. Put the old one back, or begin anew with another checkpoint"
        )
    return names


def _without_inode(shard: ShardStat, version: str | None = None) -> str:
    """Size and time of a file: some network file systems make inodes up as they go. An ETag stays whole."""
    version = shard.version if version is None else version
    return version if "://" in shard.path else version.rpartition("-")[0]
