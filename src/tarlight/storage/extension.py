"""File extensions: which files of a folder or glob are shards."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.storage.store import EVERYTHING

if TYPE_CHECKING:
    from tarlight.storage.store import Selection

MAX_KINDS = 1_000
"""Other extensions that are counted; a folder of random names could have a million."""
NAMED = 6
"""Other extensions that an error names."""


def as_extensions(file_extensions: object) -> tuple[str, ...]:
    """Return extensions in lower case, each with its dot.

    Raises:
        ArgumentTypeError: neither text nor a list, tuple or set of texts.
        ArgumentError: none given, an empty one, or one with `/` or `*` in it.
    """
    given = [file_extensions] if isinstance(file_extensions, str) else file_extensions
    if not isinstance(given, list | tuple | set | frozenset):
        raise ArgumentTypeError(f"file_extensions must be a list of texts like '.tar', got {given!r}")
    if not given:
        raise ArgumentError("file_extensions: an empty list selects nothing; pass for example ['.tar']")
    found = [_as_extension(extension) for extension in given]
    return tuple(sorted(found) if isinstance(given, set | frozenset) else dict.fromkeys(found))


def _as_extension(extension: object) -> str:
    if not isinstance(extension, str):
        raise ArgumentTypeError(f"file_extensions must hold texts like '.tar', got {extension!r}")
    bare = extension.strip().lower().removeprefix(".")
    if not bare or set(bare) & set("/*?"):
        raise ArgumentError(f"file_extensions: {extension!r} is none; pass for example '.tar' or 'tar.gz'")
    return f".{bare}"


class ByExtension:
    """A selection: names that end in one of the extensions, in any case.

    An extension is compared with the end of the name from a dot on: `.gz` takes `a.tar.gz`, `.tar` does not.
    The others are counted by their extension, for the error when nothing matches.
    """

    def __init__(self, extensions: tuple[str, ...], inside: Selection = EVERYTHING) -> None:
        self._extensions = extensions
        self._inside = inside
        self.others: Counter[str] = Counter()
        """Extension -> files that `inside` wants and that end in no extension of ours."""

    def wants(self, path: str) -> bool:
        """Return whether the name ends in one of the extensions, and `inside` wants it."""
        if not self._inside.wants(path):
            return False
        if path.lower().endswith(self._extensions):
            return True
        kind = kind_of(path)
        self.others[kind if kind in self.others or len(self.others) < MAX_KINDS else "(other)"] += 1
        return False

    def enters(self, folder: str) -> bool:
        """Return what `inside` says."""
        return self._inside.enters(folder)

    def why_nothing(self) -> str:
        """Return why nothing was selected, and what to do, for an error."""
        wanted = ", ".join(self._extensions)
        if not self.others:
            return f"no file is there (looked for {wanted} at any depth). Check the path"
        most = sorted(self.others.items(), key=lambda item: (-item[1], item[0]))[:NAMED]
        found = ", ".join(f"{kind} ({count:,})" for kind, count in most)
        rest = sum(self.others.values()) - sum(count for _, count in most)
        found += f" and {rest:,} others" if rest else ""
        return f"no file ends in {wanted}; there are {found}. Pass file_extensions=[...] to read others"


def kind_of(path: str) -> str:
    """Return the extension of a path in lower case, `.tar.gz` and the like as one."""
    stem, dot, last = path.rpartition("/")[2].lower().lstrip(".").rpartition(".")
    if not dot:
        return "(no extension)"
    return f".tar.{last}" if stem.endswith(".tar") else f".{last}"
