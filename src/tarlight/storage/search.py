"""How far the search for shards is, told now and then: a range of a million takes a while to look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.events import ShardsSought

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[ShardsSought], None]

EVERY = 1_000
"""Steps between two events: on a local disk some 5 ms, in a bucket's listing one page."""


class Search:
    """Counts, and tells every thousandth step. For one thread."""

    def __init__(self, tell: Tell | None, num_entries: int) -> None:
        self._tell = tell
        self._total = num_entries
        self._asked = 0
        self._found = 0
        self._steps = 0

    def expand(self, num_paths: int) -> None:
        """One entry stands for so many paths."""
        self._total += num_paths - 1

    def ask(self) -> None:
        """One path is being asked for."""
        self._asked += 1
        self._step()

    def find(self) -> None:
        """A listing gave one shard."""
        self._found += 1
        self._step()

    def _step(self) -> None:
        self._steps += 1
        if self._tell is not None and self._steps % EVERY == 0:
            self._tell(ShardsSought(self._asked, self._total, self._found))
