"""The first shards of a dataset, without listing all of it.

Strategy: a listing is pulled only as far as its first page. On disk, where listing costs nothing, a page is
so long that it is nearly always the whole folder; in a bucket it is what one request gives, in the store's
order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from tarlight.errors import InputMissingError
from tarlight.storage.extension import ByExtension
from tarlight.storage.nearby import stat_near
from tarlight.storage.pattern import Glob, first_expanded, is_glob, natural_key
from tarlight.storage.route import location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.storage import ShardStat, Store

REMOTE_PAGE = 1_000
"""Objects that one request of a listing gives."""
LOCAL_PAGE = 100_000
"""Files of a folder; listing so many takes about half a second."""


@dataclass(frozen=True, slots=True)
class FirstShards:
    """Where to begin."""

    shards: tuple[ShardStat, ...]
    """In natural order of their paths."""
    is_all: bool
    """False where the listing was left after its first page, so there may be more, and earlier ones."""


def first_shards(store: Store, path: str, extensions: tuple[str, ...]) -> FirstShards:
    """Return the shards that `path` names, as far as one page of a listing tells.

    Args:
        store: reads `path`.
        path: a folder, a shard, a glob or a range; of a range, the first shard only.
        extensions: which files of folders and globs are shards, in lower case with their dot.

    Raises:
        InputMissingError: nothing is there, or nothing that matches.
        InputDeniedError: it may not be listed.
    """
    if is_remote(path):
        return _first_remote(store, path, extensions)
    first = path if "{" not in path or _exists(store, location(path)) else first_expanded(path)
    where = location(first)
    if store.is_folder(where):
        return _listed(store, where, path, ByExtension(extensions), LOCAL_PAGE)
    if is_glob(where) and not _exists(store, where):
        return _matching(store, where, extensions, LOCAL_PAGE)
    return FirstShards((stat_near(store, where),), is_all=first == path)


def is_remote(path: str) -> bool:
    """Whether a path is a URL of anything but the local disk."""
    return "://" in path and not path.lower().startswith("file://")


def _first_remote(store: Store, path: str, extensions: tuple[str, ...]) -> FirstShards:
    """What ends like a shard is asked for as one, anything else is listed: one request instead of two."""
    first = path if "?" in path else first_expanded(path)
    where = location(first)
    if is_glob(where) and "?" not in path:
        return _matching(store, where, extensions, REMOTE_PAGE)
    if where.lower().endswith(extensions) or where.startswith("http"):
        return FirstShards((stat_near(store, where),), is_all=first == path)
    return _listed(store, where, path, ByExtension(extensions), REMOTE_PAGE)


def _matching(store: Store, where: str, extensions: tuple[str, ...], page: int) -> FirstShards:
    glob = Glob(where)
    return _listed(store, glob.prefix, where, ByExtension(extensions, glob), page)


def _listed(store: Store, folder: str, asked: str, selection: ByExtension, page: int) -> FirstShards:
    listing: Iterator[ShardStat] = store.list(folder, selection)
    shards = list(islice(listing, page))
    if not shards:
        raise InputMissingError(f"{asked}: {selection.why_nothing()}")
    shards.sort(key=lambda shard: (natural_key(shard.path), shard.path))
    return FirstShards(tuple(shards), is_all=len(shards) < page)


def _exists(store: Store, path: str) -> bool:
    try:
        return store.is_folder(path) or bool(store.stat(path))
    except InputMissingError:
        return False
