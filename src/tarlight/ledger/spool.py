"""A list of ledger entries that takes bounded memory, whatever a hostile shard does."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import weakref
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from tarlight.ledger.entry import Loss, LossReason, Note, Skip, SkipReason

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_IN_MEMORY = 10_000
"""Entries of one kind that are kept in memory; the rest goes to a temporary file."""


ENTRIES_A_LINE = 4096
"""Entries that are written together: encoding many at once, and writing seldom, makes a million cheap."""

Entry = TypeVar("Entry", Skip, Loss, Note)


class Spool(Generic[Entry]):
    """Append-only entries: the first 10,000 in memory, the rest in a temporary file of JSON lines.

    Iterating is safe while another thread appends, and sees the entries that were there at its start.
    """

    def __init__(self, kind: type[Entry]) -> None:
        self._kind: type[Entry] = kind
        self._kept: list[Entry] = []
        self._file: IO[bytes] | None = None
        self._path = ""
        self._pending: list[Entry] = []
        self._count = 0
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        """Add one entry."""
        with self._lock:
            self._count += 1
            if len(self._kept) < KEPT_IN_MEMORY:
                self._kept.append(entry)
                return
            self._pending.append(entry)
            if len(self._pending) >= ENTRIES_A_LINE:
                self._flush()

    def _flush(self) -> None:
        # One line of JSON for many entries, written without another buffer, which a forked child would write
        # once more.
        if self._file is None:
            self._file = self._open_file()
        self._file.write(json.dumps(self._pending).encode() + b"\n")
        self._pending.clear()

    def _open_file(self) -> IO[bytes]:
        number, path = tempfile.mkstemp(prefix="tarlight-", suffix=".jsonl")
        opened = os.fdopen(number, "wb", buffering=0)
        weakref.finalize(self, _drop, os.getpid(), opened, path)
        self._path = path
        return opened

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel with all entries: what comes out elsewhere has a file of its own."""
        return _fill, (self._kind, list(self))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            kept, spilled = list(self._kept), self._count - len(self._kept)
            if self._pending:
                self._flush()
        yield from kept
        if spilled:
            with Path(self._path).open(encoding="utf-8") as lines:
                rest = (fields for line in lines for fields in json.loads(line))
                yield from (_make(self._kind, fields) for fields in islice(rest, spilled))

    def write_lines(self, path: str | os.PathLike[str]) -> None:
        """Write every entry as one JSON object a line."""
        with Path(path).open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(entry._asdict()) + "\n" for entry in self)


def _fill(kind: type[Entry], entries: list[Entry]) -> Spool[Entry]:
    spool = Spool(kind)
    for entry in entries:
        spool.append(entry)
    return spool


def _drop(process: int, opened: IO[bytes], path: str) -> None:
    opened.close()
    if os.getpid() == process:  # a forked child leaves the file to its parent
        Path(path).unlink(missing_ok=True)


def _make(kind: type[Entry], fields: list[Any]) -> Entry:
    entry = kind(*fields)
    if isinstance(entry, Skip):
        return entry._replace(reason=SkipReason(entry.reason))
    if isinstance(entry, Loss):
        return entry._replace(reason=LossReason(entry.reason))
    return entry
