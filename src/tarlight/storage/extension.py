"""File extensions: which files of a folder or glob are shards."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.storage.route import absolute
from tarlight.storage.store import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Container

    from tarlight.storage.store import Selection

MAX_KINDS = 1_000
"""Other extensions that are counted; a folder of random names could have a million."""
NAMED = 6
"""Other extensions that an error names."""

_TAR_KINDS = ("", ".bz2", ".gz", ".lz4", ".xz", ".zst", ".zstd")
_SHORT_KINDS = {".tbz", ".tbz2", ".tgz", ".txz", ".tzst"}
SHARD_KINDS = frozenset({f".tar{kind}" for kind in _TAR_KINDS} | _SHORT_KINDS)
"""Extensions that shards go under: files with one of these are missed when they are not wanted."""


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


class PassedOver:
    """Files with the extension of a shard that a listing did not want, for a note.

    The first ones are kept by path, so that overlapping entries count a file once and a file that another
    entry names not at all; from `MAX_PATHS` on files are counted as they come.
    """

    MAX_PATHS = 1_000

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._more: Counter[str] = Counter()

    def add(self, path: str, kind: str) -> None:
        """Count the file at `path`, whose extension is `kind`."""
        if path in self._kinds or len(self._kinds) < self.MAX_PATHS:
            self._kinds[path] = kind
        else:
            self._more[kind] += 1

    def counts(self, read: Container[str], folder: str) -> Counter[str]:
        """Return extension -> files without those in `read` (absolute paths); `folder` is the current one."""
        kinds = {absolute(path, folder): kind for path, kind in self._kinds.items()}
        return Counter(kind for path, kind in kinds.items() if path not in read) + self._more


class ByExtension:
    """A selection: names that end in one of the extensions, in any case.

    An extension is compared with the end of the name from a dot on: `.gz` takes `a.tar.gz`, `.tar` does not.
    The others are counted by their extension, for the error when nothing matches.
    """

    def __init__(
        self,
        extensions: tuple[str, ...],
        inside: Selection = EVERYTHING,
        passed_over: PassedOver | None = None,
    ) -> None:
        self._extensions = extensions
        self._inside = inside
        self._passed_over = passed_over
        self.others: Counter[str] = Counter()
        """Extension -> files that `inside` wants and that end in no extension of ours."""
        self._outside: Counter[str] = Counter()
        """Extension -> files that `inside` does not want, of the first ones that were met."""
        self._one_outside = ""

    def wants(self, path: str) -> bool:
        """Return whether the name ends in one of the extensions, and `inside` wants it."""
        if not self._inside.wants(path):
            self._leave_out(path)
            return False
        if path.lower().endswith(self._extensions):
            return True
        kind = kind_of(path)
        if kind in SHARD_KINDS and self._passed_over is not None:
            self._passed_over.add(path, kind)
        self.others[kind if kind in self.others or len(self.others) < MAX_KINDS else "(other)"] += 1
        return False

    def enters(self, folder: str) -> bool:
        """Return what `inside` says."""
        return self._inside.enters(folder)

    def why_nothing(self) -> str:
        """Return why nothing was selected, and what to do, for an error."""
        wanted = ", ".join(self._extensions)
        if self.others:
            found = most_frequent(self.others)
            kinds = _shard_kinds(self.others)
            advice = f"{kinds} to read those" if kinds else "[...] to read others"
            return f"no file ends in {wanted}; there are {found}. Pass file_extensions={advice}"
        if self._outside:
            found = f"{most_frequent(self._outside)}, such as {self._one_outside}"
            kinds = _shard_kinds(self._outside, self._extensions)
            advice = f"Change the pattern, and pass file_extensions={kinds} to read those" if kinds else ""
            return f"nothing matches; near it are {found}. {advice or 'Check the pattern'}"
        if self._inside is not EVERYTHING:
            return (
                f"no file is there (looked for {wanted}). Check the pattern: `*` enters no folder, `**` does"
            )
        return f"no file is there (looked for {wanted} at any depth). Check the path"

    def _leave_out(self, path: str) -> None:
        """Remember a little of what a glob does not name."""
        if not self._outside or self._outside.total() < MAX_KINDS:
            self._outside[kind_of(path)] += 1
            self._one_outside = self._one_outside or path


def _shard_kinds(found: Counter[str], wanted: tuple[str, ...] = ()) -> list[str]:
    """Return the extensions of shards among those that were found, without those that are wanted."""
    return sorted(SHARD_KINDS & found.keys() - set(wanted))


def most_frequent(kinds: Counter[str]) -> str:
    """Return the most frequent extensions with their counts, as text."""
    most = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:NAMED]
    rest = kinds.total() - sum(count for _, count in most)
    return ", ".join(f"{kind} ({count:,})" for kind, count in most) + (
        f" and {rest:,} others" if rest else ""
    )


def kind_of(path: str) -> str:
    """Return the extension of a path in lower case, `.tar.gz` and the like as one."""
    stem, dot, last = path.rpartition("/")[2].lower().lstrip(".").rpartition(".")
    if not dot:
        return "(no extension)"
    return f".tar.{last}" if stem.endswith(".tar") else f".{last}"
