"""Finding shards: from what a user writes as `file_paths` to the shards, in order, each once (C4).

Strategy: everything that can be wrong with paths is found here, before the first byte is read. What is
missing is an error and never an empty success.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tarlight.errors import InputMissingError
from tarlight.ledger import Note
from tarlight.storage.extension import ByExtension, PassedOver, as_extensions, most_frequent
from tarlight.storage.pattern import Glob, expand_braces, is_glob, natural_key
from tarlight.storage.route import absolute, as_paths, location, open_store
from tarlight.storage.store import EVERYTHING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tarlight.storage.store import Selection, ShardStat, Store

NAMED = 3
"""Paths that an error or a note names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found."""

    shards: list[ShardStat]
    """In the order in which they are to be read, each path once."""
    notes: list[Note]
    """What the user should know, of kinds `duplicate_path` and `other_extensions`."""


def find_shards(
    file_paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    file_extensions: str | Collection[str] = (".tar",),
    storage_options: Mapping[str, Any] | None = None,
) -> Listing:
    """Find the shards that `file_paths` names.

    An entry is a file, read whatever its extension; a folder, read at any depth; a glob (`*`, `?`, `[...]`,
    `**`), where a folder that it names is read too; or a text with brace ranges (`{000..099}.tar`), which
    must all be there. What exists under its literal name is not expanded. `file_extensions` selects among
    what folders and globs give. Hidden files count like others, links to folders are followed.

    Entries keep their order; the shards of one entry are in natural order of the whole path (`2.tar` before
    `10.tar`; equal numbers by text). A path named twice is read once, where it came first, and noted; links
    are not resolved, so two links to one file are two shards. Files of folders and globs that have another
    extension of shards (`.tar.gz`, `.tgz` and the like) are passed over and noted.

    Args:
        file_paths: one entry, or a list or tuple of them. Relative paths stay relative in the result.
        file_extensions: endings of names, in any case, with or without the first dot.
        storage_options: options of the store; the local disk has none.

    Raises:
        InputMissingError: an entry is missing or matches nothing, a link is broken, or something with the
            name of a shard is no regular file. Says how many of several are missing.
        InputDeniedError: a file may not be read or a folder not be listed.
        ArgumentError: empty or not allowed values, or URLs that this version does not read.
        ArgumentTypeError: values of the wrong type.
    """
    entries = as_paths(file_paths)
    finder = _Finder(as_extensions(file_extensions), storage_options)
    found = [finder.find(entry) for entry in entries]
    finder.check_missing()
    folder = os.getcwd()  # noqa: PTH109
    shards, seen, again = _unique((shard for shards in found for shard in shards), folder)
    return Listing(shards, _duplicates(again) + _other_extensions(finder.passed_over.counts(seen, folder)))


class _Finder:
    """Finds the shards of one entry after the other, and remembers what is missing."""

    def __init__(self, extensions: tuple[str, ...], storage_options: Mapping[str, Any] | None) -> None:
        self._extensions = extensions
        self._options = storage_options
        self._missing: list[str] = []
        self._reason: InputMissingError | None = None
        self._asked = 0
        self.passed_over = PassedOver()

    def find(self, entry: str) -> list[ShardStat]:
        """Return the shards of one entry in natural order; without those that are missing."""
        store = open_store(entry, self._options)
        found = [shard for path in _paths(store, entry) for shard in self._found(store, path)]
        found.sort(key=_path)  # sorts are stable: equal numbers keep the order of their texts
        found.sort(key=lambda shard: natural_key(shard.path))
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
        try:
            yield from self._look(store, path)
        except InputMissingError as error:
            self._reason = self._reason or error
            self._missing.append(path)

    def _look(self, store: Store, path: str) -> Iterator[ShardStat]:
        if store.is_folder(path):
            yield from _selected(store, path, path or ".", self._selection())
        elif not is_glob(path) or _exists(store, path):
            yield store.stat(path)
        else:
            glob = Glob(path)
            if not store.is_folder(glob.prefix):
                raise InputMissingError(f"{path}: nothing matches, there is no folder {glob.prefix}")
            yield from _selected(store, glob.prefix, path, self._selection(glob))

    def _selection(self, inside: Selection = EVERYTHING) -> ByExtension:
        return ByExtension(self._extensions, inside, self.passed_over)


def _paths(store: Store, entry: str) -> list[str]:
    """Return the locations that an entry with braces stands for."""
    expanded = expand_braces(entry)
    if expanded == [entry] or _exists(store, location(entry)):
        return [location(entry)]
    return [location(text) for text in expanded]


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


def _path(shard: ShardStat) -> str:
    return shard.path


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
    return [Note(shard=names[0], text=text, kind="duplicate_path")]


def _other_extensions(kinds: Counter[str]) -> list[Note]:
    number = kinds.total()
    if not number:
        return []
    files = "1 file was" if number == 1 else f"{number:,} files were"
    text = f"{files} passed over: {most_frequent(kinds)}; name them in file_extensions"
    return [Note(shard="", text=text, kind="other_extensions")]


def _some(names: list[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
