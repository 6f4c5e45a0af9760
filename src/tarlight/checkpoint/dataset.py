"""Which shards a dataset has, and which of them are done: as runs of their place in the listing."""

from __future__ import annotations

import hashlib
import re
from copy import copy
from typing import TYPE_CHECKING, Any

from tarlight.checkpoint.spelling import place_text, read_twice, respelled, whole
from tarlight.errors import CheckpointError, CheckpointMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from tarlight.checkpoint.state import State

    T = TypeVar("T")

_RUN = re.compile(b"\1+")


class Dataset:
    """The shards of a run. Those that were not planned (a stage made them up) are known by their whole paths.

    Args:
        done: paths of such shards that were done when the run began.
        places: of the part of a dataset that a worker gets: its shards, each with the text of its place.
    """

    def __init__(self, done: Iterable[str] = (), places: Mapping[str, str | None] | None = None) -> None:
        self.is_planned = False
        """Whether the listing is known."""
        self._places: dict[str, int] = {}
        self._part = places or {}
        self._spellings: dict[str, str] | None = None
        self._sizes: list[int | None] = []
        self._flags = bytearray()
        self._were_done = b""
        self._paths_were_done = frozenset(done)
        self._paths = set(self._paths_were_done)
        self._left: set[str] = set()
        self._twice = ""
        self._fingerprint: dict[str, Any] | None = None

    def plan(self, shards: Iterable[tuple[str, int | None]]) -> None:
        """Learn the listing."""
        if self.is_planned:
            self._twice = "the whole dataset"
            return
        for path, size in shards:
            self._places[str(path)] = len(self._sizes)  # of a URL with a query, the text without it
            self._sizes.append(size)
        self._flags = bytearray(len(self._sizes))
        self._were_done = bytes(self._flags)
        self._spellings = None
        self.is_planned = True

    def mark(self, runs: Iterable[tuple[int, int]]) -> None:
        """Mark what was done when the run began: places from `start` to before `end`."""
        for start, end in runs:
            if end > len(self._flags):
                raise CheckpointError(
                    "the checkpoint names shards that its dataset does not have: it is damaged"
                )
            self._flags[start:end] = b"\1" * (end - start)
        self._were_done = bytes(self._flags)

    def begin_behind(self, paths: Iterable[str]) -> None:
        """These shards, too, were done when the run began."""
        self._paths_were_done |= frozenset(map(self.key, paths))

    def was_done(self, path: str) -> bool:
        """Whether a shard was done when the run began."""
        key = self.key(path)
        place = self._places.get(key)
        return key in self._paths_were_done if place is None else bool(self._were_done[place])

    def key(self, path: str) -> str:
        """Return the one text that stands for a shard in this run, however a stage spells it."""
        if path in self._places or path in self._part:
            return path
        found = whole(path)
        if self._spellings is None:  # only where a stage spells paths anew, or has shards of its own
            self._spellings = {whole(listed): listed for listed in self._places or self._part}
        return self._spellings.get(found, found)

    def place(self, path: str) -> str | None:
        """Return the place of a shard in the listing, as text; None where it is in none."""
        key = self.key(path)
        if (place := self._places.get(key)) is None:
            return self._part.get(key)
        return place_text(place, len(self._sizes))

    def part(self, paths: Iterable[str]) -> Dataset:
        """Return the dataset of these shards only."""
        paths = list(paths)
        places = {path: self.place(path) for path in paths}
        return Dataset([path for path in paths if self.was_done(path)], places)

    def listed(self, known: Mapping[str, T]) -> dict[str, T]:
        """Return what a checkpoint knows of shards by their whole paths, under the paths of the listing."""
        if not known:
            return {}
        pairs = ((found, path) for path in self._places if (found := whole(path)) in known)
        spellings = respelled(pairs, str)
        return {spellings.get(path, path): what for path, what in known.items()}

    @property
    def num_left(self) -> int:
        """Shards that were tried in vain."""
        return len(self._left)

    def leave(self, keys: Iterable[str]) -> None:
        """These shards were tried in vain, and are not done."""
        for key in keys:
            if self._was_tried(key):
                self._twice = key
            self._left.add(key)

    def _was_tried(self, key: str) -> bool:
        place = self._places.get(key)
        is_done = key in self._paths if place is None else bool(self._flags[place])
        return is_done or key in self._left

    def finish(self, keys: Iterable[str]) -> None:
        """These shards are done."""
        for key in keys:
            place = self._places.get(key)
            if self._was_tried(key):
                self._twice = key
            elif place is None:
                self._paths.add(key)
            else:
                self._flags[place] = 1

    def runs(self) -> list[tuple[int, int]]:
        """What is done, as runs of places.

        Raises:
            CheckpointError: a shard was read twice, so that its path does not say which was done.
        """
        if self._twice:
            raise CheckpointError(read_twice(self._twice))
        return [run.span() for run in _RUN.finditer(self._flags)]

    def paths(self) -> list[str]:
        """What is done of the shards that were not planned."""
        return sorted(self._paths)

    def fingerprint(self) -> dict[str, Any] | None:
        """Tells a dataset from others: whole paths, sizes and order of its shards. None when not planned."""
        if self._fingerprint is None and self.is_planned:
            digest = hashlib.sha256()
            for path, size in zip(self._places, self._sizes, strict=True):
                digest.update(f"{whole(path)}\0{size}\n".encode("utf-8", "surrogateescape"))
            self._fingerprint = {
                "shards": len(self._sizes),
                "bytes": sum(size or 0 for size in self._sizes),
                "first": next(map(whole, self._places), ""),
                "digest": digest.hexdigest(),
            }
        return self._fingerprint

    @property
    def last(self) -> str:
        """The whole path of the last shard of the listing; empty where there is none."""
        return next(map(whole, reversed(self._places)), "")

    def check(self, state: State, origin: str) -> None:
        """Check that this is the dataset of a state, which is from `origin`.

        Raises:
            CheckpointMismatchError: it is another one; says in what.
        """
        if (self.fingerprint() or {}) != (state.dataset or {}):
            raise CheckpointMismatchError(
                f"{origin}: the checkpoint is of another dataset ({self._differences(state)}); give the "
                "shards as then, or begin anew with another checkpoint"
            )

    def _differences(self, state: State) -> str:
        now, then = self.fingerprint() or {}, state.dataset or {}
        pairs = [
            ("shards", then.get("shards"), now.get("shards")),
            ("the first shard", then.get("first"), now.get("first")),
            ("the last shard", state.last_shard or self.last, self.last),  # the first checkpoints did not say
            ("bytes in all shards", then.get("bytes"), now.get("bytes")),
        ]
        found = [f"{what}: {before} then, {after} now" for what, before, after in pairs if before != after]
        return "; ".join(found) or (
            "as many shards and bytes, and the same first shard, but other paths, sizes or another order "
            "behind it"
        )

    def copy(self) -> Dataset:
        """Return one in which more shards can be finished."""
        twin = copy(self)
        twin._flags, twin._paths = bytearray(self._flags), set(self._paths)  # noqa: SLF001 (its own class)
        twin._left = set(self._left)  # noqa: SLF001 (its own class)
        return twin
