"""Shards of buckets that are named one by one, looked up in one listing instead of a request each."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tarlight.errors import InputDeniedError, InputMissingError
from tarlight.storage.nearby import nearby
from tarlight.storage.store import ShardStat

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from tarlight.storage.search import Search
    from tarlight.storage.store import Store

FEW = 8
"""Names in one folder up to which each is asked for by itself: a listing may pass over many others."""


class NamedShards:
    """Looks up names that were announced before. For one thread.

    Where a folder may not be listed its names are taken on trust, without size, and found missing or not when
    they are opened.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._known: dict[str, str | ShardStat] = {}
        """Path -> the folder to look in, and once that was listed, the shard."""
        self._listed: dict[str, str] = {}
        """Folder -> why nothing is in it; empty for one that could be listed."""
        self._has_hinted = False
        self.not_listed: list[str] = []
        """Folders that may not be listed."""

    def announce_range(self, paths: Sequence[str]) -> None:
        """These paths came out of one brace range: one listing of their common folder answers for all."""
        self._announce(_common_folder(paths), paths)

    def announce_names(self, paths: Iterable[str]) -> None:
        """These paths were written out: many in one folder are looked up together."""
        folders = defaultdict(set)
        for path in paths:
            folders[path.rpartition("/")[0]].add(path)
        for folder, names in folders.items():
            if len(names) > FEW:
                self._announce(folder, names)

    def knows(self, path: str) -> bool:
        """Return whether `path` was announced."""
        return path in self._known

    def find(self, path: str, store: Store) -> ShardStat:
        """Return what the listing says of a path that was announced.

        Raises:
            InputMissingError: it is not there.
        """
        folder = self._known[path]
        if isinstance(folder, ShardStat):
            return folder
        if folder not in self._listed:
            self._listed[folder] = self._list(folder, store)
            return self.find(path, store)
        if self._listed[folder]:
            raise InputMissingError(self._listed[folder])
        # The first one is told with what is there instead; the others are only counted.
        hint, self._has_hinted = "" if self._has_hinted else nearby(store, path), True
        raise InputMissingError(f"{path}: there is no such object. Check the spelling{hint}")

    def _announce(self, folder: str, paths: Iterable[str]) -> None:
        for path in paths:
            self._known.setdefault(path, folder)

    def _list(self, folder: str, store: Store) -> str:
        """Look up all names in a folder; return why there are none, where the folder itself is missing."""
        try:
            for shard in store.list(folder, _Names(self._known)):
                self._search.find()
                del self._known[shard.path]  # so that its text is kept once, by the shard
                self._known[shard.path] = shard
        except InputMissingError as error:
            return str(error)
        except InputDeniedError:
            self.not_listed.append(folder)
            for path in [path for path, known in self._known.items() if known == folder]:
                self._known[path] = ShardStat(path, None, "")
        return ""


class _Names:
    """A selection: these paths."""

    def __init__(self, wanted: Container[str]) -> None:
        self._wanted = wanted

    def wants(self, path: str) -> bool:
        """Return whether it is one of them."""
        return path in self._wanted

    def enters(self, folder: str) -> bool:
        """Return True: object stores have no folders to enter."""
        return bool(folder)


def _common_folder(paths: Sequence[str]) -> str:
    """Return the deepest folder that all paths lie in; at least the bucket."""
    first, last = min(paths).split("/"), max(paths).split("/")
    same = 0
    while same < min(len(first), len(last)) - 1 and first[same] == last[same]:
        same += 1
    return "/".join(first[:same])
