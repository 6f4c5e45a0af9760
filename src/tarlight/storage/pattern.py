"""Brace ranges, globs and natural order: how people name many shards at once.

Strategy: text in, text out; nothing here looks at a disk.
"""

from __future__ import annotations

import fnmatch
import re
from itertools import islice
from typing import TYPE_CHECKING

from tarlight.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EXPANDED = 1_000_000
"""Paths that one text may expand to; more is a slip of the keyboard, and would fill the memory."""

_MAGIC = re.compile(r"[*?]|\[[^/]*\]")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?", re.ASCII)
_LETTERS = re.compile(r"([A-Za-z])\.\.([A-Za-z])")
_DIGITS = re.compile(r"[0-9]+")


def natural_key(path: str) -> str:
    """Return a text that sorts as `path` does when runs of digits count as numbers.

    A run becomes its length, as one character, and its digits, both without leading zeros: one compact text
    instead of a tuple a path. Paths that differ only in leading zeros get equal keys.
    """
    return _DIGITS.sub(_number_key, path)


def _number_key(run: re.Match[str]) -> str:
    digits = run[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"


def expand_braces(text: str) -> list[str]:
    """Return the texts that `text` stands for, as WebDataset and bash read it.

    `{000..012}` counts with leading zeros kept, `{0..8..2}` in steps, `{a..c}` letters; `{x,y}` lists, and
    lists may nest. Other braces stand for themselves.

    Raises:
        ArgumentError: more than a million paths.
    """
    expanded = list(islice(_expand(text), MAX_EXPANDED + 1))
    if len(expanded) > MAX_EXPANDED:
        raise ArgumentError(
            f"file_paths: {text!r} stands for more than {MAX_EXPANDED:,} paths; "
            "name a folder or a glob, or pass smaller ranges"
        )
    return expanded


def first_expanded(text: str) -> str:
    """Return the first of the texts that `text` stands for."""
    return next(_expand(text))


def _expand(text: str) -> Iterator[str]:
    for start, end in _brace_pairs(text):
        choices = _choices(text[start + 1 : end])
        if choices is not None:
            head = text[:start]
            for choice in choices:
                for inner in _expand(choice):
                    for tail in _expand(text[end + 1 :]):
                        yield head + inner + tail
            return
    yield text


def _brace_pairs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the outermost balanced pairs, and those inside a pair that stands for itself."""
    for start in (at for at, char in enumerate(text) if char == "{"):
        depth = 0
        for end in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                yield start, end
                break


def _choices(inside: str) -> Iterator[str] | None:
    if (numbers := _RANGE.fullmatch(inside)) is not None:
        return _numbers(numbers[1], numbers[2], abs(int(numbers[3] or 1)) or 1)
    if (letters := _LETTERS.fullmatch(inside)) is not None:
        return map(chr, _steps(ord(letters[1]), ord(letters[2]), 1))
    parts = _split_list(inside)
    return iter(parts) if len(parts) > 1 else None


def _numbers(first: str, last: str, step: int) -> Iterator[str]:
    padded = any(re.match(r"-?0\d", number) for number in (first, last))
    width = max(len(first), len(last)) if padded else 0
    return (f"{number:0{width}d}" for number in _steps(int(first), int(last), step))


def _steps(first: int, last: int, step: int) -> range:
    return range(first, last + 1, step) if first <= last else range(first, last - 1, -step)


def _split_list(inside: str) -> list[str]:
    parts, depth = [""], 0
    for char in inside:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def is_glob(path: str) -> bool:
    """Return whether `path` has `*`, `?` or `[...]` in it."""
    return _MAGIC.search(path) is not None


class Glob:
    """A selection: the files that a glob names, and all files below the folders that it names.

    `*`, `?` and `[...]` match within one name, `**` any number of folders; hidden names match like any
    other, and case counts. Not thread-safe: it remembers the folders it has been asked about.
    """

    def __init__(self, path: str) -> None:
        parts = path.split("/")
        fixed = next(index for index, part in enumerate(parts) if is_glob(part))
        self.prefix = "/".join(parts[:fixed]) or ("/" if path.startswith("/") else "")
        """The folder below which matches can lie; empty for the current one."""
        self._skipped = len(self.prefix) + 1 if self.prefix.rstrip("/") else len(self.prefix)
        # One expression a name; None stands for `**`. Matching walks a set of positions in this list.
        self._names = [None if part == "**" else _name_pattern(part) for part in parts[fixed:]]
        self._reached = {"": self._rest(frozenset({0}))}

    def wants(self, path: str) -> bool:
        """Return whether the glob names the file at `path` or a folder above it."""
        folder, _, name = path[self._skipped :].rpartition("/")
        return len(self._names) in self._step(self._positions(folder), name)

    def enters(self, folder: str) -> bool:
        """Return whether the glob can name something below `folder`."""
        return bool(self._positions(folder[self._skipped :]))

    def _positions(self, folder: str) -> frozenset[int]:
        """Return how far into the list of names the way down to `folder` has come."""
        if folder not in self._reached:
            above, _, name = folder.rpartition("/")
            self._reached[folder] = self._step(self._positions(above), name)
        return self._reached[folder]

    def _step(self, positions: frozenset[int], name: str) -> frozenset[int]:
        return self._rest(frozenset(self._after(at, name) for at in positions) - {-1})

    def _after(self, position: int, name: str) -> int:
        if position == len(self._names):
            return position
        pattern = self._names[position]
        if pattern is None:
            return position
        return position + 1 if pattern.fullmatch(name) else -1

    def _rest(self, positions: frozenset[int]) -> frozenset[int]:
        """Add the positions behind each `**`, which may also stand for no folder at all."""
        reached = set(positions)
        for at in range(len(self._names)):
            if at in reached and self._names[at] is None:
                reached.add(at + 1)
        return frozenset(reached)


def _name_pattern(name: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(name))
