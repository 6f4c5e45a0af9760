"""Finding shards: from what a user writes as `file_paths` to the shards, in order, each once (C4).

Strategy: everything that can be wrong with paths is found here, before the first byte is read. What is
missing is an error and never an empty success.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tarlight.errors import ArgumentError, InputMissingError
from tarlight.ledger import Note
from tarlight.storage.extension import ByExtension, PassedOver, as_extensions, most_frequent
from tarlight.storage.named import NamedShards
from tarlight.storage.nearby import stat_near
from tarlight.storage.pattern import Glob, is_glob, natural_key
from tarlight.storage.remote.url import SignedUrl, kind_of_url
from tarlight.storage.route import absolute, as_paths, check_options_for, expanded, location, open_store
from tarlight.storage.search import Search
from tarlight.storage.store import EVERYTHING, ShardStat

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tarlight.storage.search import Tell
    from tarlight.storage.store import Selection, Store

NAMED = 3
"""Paths that an error or a note names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found."""

    shards: list[ShardStat]
    """In the order in which they are to be read, each path once."""
    notes: list[Note]
    """What the user should know, of kinds `duplicate_path`, `other_extensions` and `not_listed`."""


def find_shards(
    file_paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    file_extensions: str | Collection[str] = (".tar",),
    storage_options: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
) -> Listing:
    """Find the shards that `file_paths` names.

    An entry is a file, read whatever its extension; a folder, read at any depth; a glob (`*`, `?`, `[...]`,
    `**`), where a folder that it names is read too; or a text with brace ranges (`{000..099}.tar`), which
    must all be there. What exists on disk under its literal name is not expanded. `file_extensions` selects
    among what folders and globs give. Hidden files count like others, links to folders are followed.

    Entries keep their order; the shards of one entry are in natural order of the whole path (`2.tar` before
    `10.tar`; equal numbers by text). A path named twice is read once, where it came first, and noted; links
    are not resolved, so two links to one file are two shards. Files of folders and globs that have another
    extension of shards (`.tar.gz`, `.tgz` and the like) are passed over and noted.

    In buckets a folder is a prefix, and a range costs one listing of the folder that its paths share; where
    that may not be listed, a note says so and its shards are checked when they are opened, without a size
    till then. So are all shards over HTTP, where there are no folders or globs.

    Args:
        file_paths: one entry, or a list or tuple of them. Relative paths stay relative in the result.
        file_extensions: endings of names, in any case, with or without the first dot.
        storage_options: options of the stores; the local disk has none.
        tell: told how far the search is, after every thousandth path or shard.

    Raises:
        InputMissingError: an entry is missing or matches nothing, a link is broken, or something with the
            name of a shard is no regular file. Says how many of several are missing.
        InputDeniedError: a file may not be read or a folder not be listed.
        InputUnreachableError: a server cannot be reached.
        ArgumentError: empty or not allowed values, URLs that no store reads, or that differ in their query
            alone.
        ArgumentTypeError: values of the wrong type.
    """
    entries = as_paths(file_paths)
    check_options_for(entries, storage_options)
    search = Search(tell, len(entries))
    finder = _Finder(as_extensions(file_extensions), storage_options, search)
    finder.announce(entries)
    found = [finder.find(entry) for entry in entries]
    finder.check_missing()
    folder = os.getcwd()  # noqa: PTH109
    shards, seen, again = _unique((shard for shards in found for shard in shards), folder)
    _check_signed(shards)
    notes = _duplicates(again) + _other_extensions(finder.passed_over.counts(seen, folder))
    return Listing(shards, notes + _not_listed(finder.named.not_listed))


class _Finder:
    """Finds the shards of one entry after the other, and remembers what is missing."""

    def __init__(
        self, extensions: tuple[str, ...], storage_options: Mapping[str, Any] | None, search: Search
    ) -> None:
        self._extensions = extensions
        self._options = storage_options
        self._search = search
        self._missing: list[str] = []
        self._reason: InputMissingError | None = None
        self._asked = 0
        self._stores: dict[str, Store] = {}
        self.passed_over = PassedOver()
        self.named = NamedShards(search)

    def announce(self, entries: Sequence[str]) -> None:
        """Say which shards of buckets will be asked for by name."""
        names = []
        for entry in entries:
            if kind_of_url(entry) not in {"", "http"} and not is_glob(entry):
                paths = [location(text) for text in expanded(entry)]
                if len(paths) > 1:
                    self.named.announce_range(paths)
                else:
                    names += paths
        self.named.announce_names(path for path in names if self._is_shard(path))

    def find(self, entry: str) -> list[ShardStat]:
        """Return the shards of one entry in natural order; without those that are missing."""
        found = [shard for path in self._paths(entry) for shard in self._found(self._store(path), path)]
        if not all(before <= after for before, after in pairwise(map(_place, found))):
            found.sort(key=_place)
        return found

    def check_missing(self) -> None:
        """Raise for what was missing, naming it and how much else is."""
        if self._reason is None:
            return
        if self._asked == 1:
            raise self._reason
        others = _some(self._missing[1:])
        raise InputMissingError(
            f"{self._reason} ({len(self._missing):,} of {self._asked:,} paths are missing"
            + (f"; also {others})" if others else ")")
        ) from self._reason

    def _found(self, store: Store, path: str) -> Iterator[ShardStat]:
        self._asked += 1
        self._search.ask()
        try:
            yield from self._look(store, path)
        except InputMissingError as error:
            self._reason = self._reason or error
            self._missing.append(path)

    def _look(self, store: Store, path: str) -> Iterator[ShardStat]:
        kind = kind_of_url(path)
        if kind == "http":
            yield ShardStat(path, None, "")
        elif self.named.knows(path):
            yield self.named.find(path, store)
        elif kind and self._is_shard(path) and not is_glob(path):
            yield self._stat(store, path)
        else:
            yield from self._look_into(store, path)

    def _look_into(self, store: Store, path: str) -> Iterator[ShardStat]:
        if store.is_folder(path):
            yield from self._counted(_selected(store, path, path or ".", self._selection()))
        elif not is_glob(path) or _exists(store, path):
            yield self._stat(store, path)
        else:
            glob = Glob(path)
            if not store.is_folder(glob.prefix):
                raise InputMissingError(f"{path}: nothing matches, there is no folder {glob.prefix}")
            yield from self._counted(_selected(store, glob.prefix, path, self._selection(glob)))

    def _counted(self, shards: Iterator[ShardStat]) -> Iterator[ShardStat]:
        for shard in shards:
            self._search.find()
            yield shard

    def _stat(self, store: Store, path: str) -> ShardStat:
        """Ask for one shard; the first one that is missing is told with what is there instead."""
        return stat_near(store, path) if self._reason is None else store.stat(path)

    def _is_shard(self, path: str) -> bool:
        return path.lower().endswith(self._extensions)

    def _store(self, path: str) -> Store:
        kind = kind_of_url(path)
        if kind == "http" or kind not in self._stores:
            self._stores[kind] = open_store(path or ".", self._options)
        return self._stores[kind]

    def _paths(self, entry: str) -> list[str]:
        """Return the locations that an entry with braces stands for."""
        texts = expanded(entry)
        if texts == [entry] or (not kind_of_url(entry) and _exists(self._store(entry), location(entry))):
            return [location(entry)]
        self._search.expand(len(texts))
        return [location(text) for text in texts]

    def _selection(self, inside: Selection = EVERYTHING) -> ByExtension:
        return ByExtension(self._extensions, inside, self.passed_over)


def _exists(store: Store, path: str) -> bool:
    try:
        return store.is_folder(path) or bool(store.stat(path))
    except InputMissingError:
        return False


def _selected(store: Store, folder: str, asked: str, selection: ByExtension) -> Iterator[ShardStat]:
    empty = True
    for shard in store.list(folder, selection):
        empty = False
        yield shard
    if empty:
        raise InputMissingError(f"{asked}: {selection.why_nothing()}")


def _place(shard: ShardStat) -> tuple[str, str]:
    """Where a shard stands in natural order; equal numbers by text.

    As large as the shard itself, so a listing that is in order already, as most are, is left as it is.
    """
    return natural_key(shard.path), shard.path


def _unique(shards: Iterable[ShardStat], folder: str) -> tuple[list[ShardStat], set[str], list[str]]:
    """Return each shard once, their absolute paths, and the paths that came again."""
    first: list[ShardStat] = []
    seen: set[str] = set()
    again: list[str] = []
    for shard in shards:
        name = absolute(shard.path, folder)
        if name in seen:
            again.append(shard.path)
        else:
            seen.add(name)
            first.append(shard)
    return first, seen, again


def _duplicates(again: list[str]) -> list[Note]:
    names = list(dict.fromkeys(again))
    if not names:
        return []
    text = f"{len(names):,} named more than once, read once: {_some(names)}"
    return [Note(shard=str(names[0]), text=text, kind="duplicate_path")]


def _other_extensions(kinds: Counter[str]) -> list[Note]:
    number = kinds.total()
    if not number:
        return []
    files = "1 file was" if number == 1 else f"{number:,} files were"
    text = f"{files} passed over: {most_frequent(kinds)}; name these extensions of shards too to read them"
    return [Note(shard="", text=text, kind="other_extensions")]


def _not_listed(folders: list[str]) -> list[Note]:
    if not folders:
        return []
    text = f"may not be listed, so the shards in it are checked when they are opened: {_some(folders)}"
    return [Note(shard=folders[0], text=text, kind="not_listed")]


def _check_signed(shards: list[ShardStat]) -> None:
    """URLs are shown without their query, so two that differ in nothing else could not be told apart."""
    names = set()
    for shard in shards:
        if isinstance(shard.path, SignedUrl):
            if str(shard.path) in names:
                raise ArgumentError(
                    f"file_paths: {shard.path}: several URLs differ in their query alone, which is never "
                    "shown, so their images could not be told apart. Load them in one pipeline each"
                )
            names.add(str(shard.path))


def _some(names: list[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
