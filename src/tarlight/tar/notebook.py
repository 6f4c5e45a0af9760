"""Notes about one shard, bounded.

Strategy: a hostile shard can cause a million notes; the first of each kind are kept, the others counted.
"""

from __future__ import annotations

from collections import Counter

from tarlight.ledger import Note

MAX_NOTES = 100
"""Notes of one kind that are kept in full for one shard."""


class Notebook:
    """Collects the notes about one shard."""

    def __init__(self, shard: str) -> None:
        self.notes: list[Note] = []
        self._shard = shard
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, text: str) -> None:
        """Write one note, or count it when there are many of its kind."""
        self._counts[kind] += 1
        if self._counts[kind] <= MAX_NOTES:
            self.notes.append(Note(self._shard, text, kind))

    def close(self) -> list[Note]:
        """All notes, with one more for each kind that had too many. Call once, at the end."""
        for kind, count in self._counts.items():
            if count > MAX_NOTES:
                self.notes.append(Note(self._shard, f"{count - MAX_NOTES:,} more notes of this kind", kind))
        return self.notes
