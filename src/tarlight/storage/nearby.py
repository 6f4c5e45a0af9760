"""What is there instead of a path that is missing, for the error that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.argument import nearest
from tarlight.errors import InputMissingError, TarlightError
from tarlight.storage.store import NAMES

if TYPE_CHECKING:
    from tarlight.storage.store import ShardStat, Store

SHOWN = 3
"""Names that an error shows."""


def stat_near(store: Store, path: str) -> ShardStat:
    """Return `store.stat(path)`; where it is missing, the error says what is there instead.

    Raises as `Store.stat`.
    """
    try:
        return store.stat(path)
    except InputMissingError as error:
        raise InputMissingError(f"{error}{nearby(store, path)}") from None


def nearby(store: Store, path: str) -> str:
    """Return what to add to the error for a path that is missing: the nearest names in its folder, or some.

    Empty where the path is there (and is no shard for another reason), or where its folder is empty or cannot
    be listed. Looks at one page of the listing.
    """
    folder, slash, name = path.rpartition("/")
    if folder.endswith(":/") or path == "-":  # a bucket itself; standard input
        return ""
    try:
        names = store.names(folder or slash)
    except TarlightError:  # the error at hand says more than that one
        return ""
    if not names or name in names or f"{name}/" in names:
        return ""
    near = nearest(name, names, SHOWN)
    if near:
        return f"; near it is {_listed(near)}" if len(near) == 1 else f"; near it are {_listed(near)}"
    rest = len(names) - SHOWN
    more = f" and {'more' if len(names) >= NAMES else f'{rest:,} more'}" if rest > 0 else ""
    return f"; its folder has {_listed(names[:SHOWN])}{more}"


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))
