"""A list of ledger entries that takes bounded memory, whatever a hostile shard does."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import weakref
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from tarlight.ledger.entry import Loss, LossReason, Note, Skip, SkipReason

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_IN_MEMORY = 10_000
"""Entries of one kind that are kept in memory; the rest goes to a temporary file."""


LINES_AT_ONCE = 4096
"""Entries that are written to the file together: a write lets another thread take the interpreter lock."""

Entry = TypeVar("Entry", Skip, Loss, Note)


class Spool(Generic[Entry]):
    """Append-only entries: the first 10,000 in memory, the rest in a temporary JSON-lines file.

    Iterating is safe while another thread appends, and sees the entries that were there at its start.
    """

    def __init__(self, kind: type[Entry]) -> None:
        self._kind: type[Entry] = kind
        self._kept: list[Entry] = []
        self._file: IO[bytes] | None = None
        self._path = ""
        self._lines: list[str] = []
        self._count = 0
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        """Add one entry."""
        with self._lock:
            self._count += 1
            if len(self._kept) < KEPT_IN_MEMORY:
                self._kept.append(entry)
                return
            self._lines.append(_to_line(entry))
            if len(self._lines) >= LINES_AT_ONCE:
                self._flush()

    def _flush(self) -> None:
        # Written in whole lines without another buffer, which a forked child would write once more.
        if self._file is None:
            self._file = self._open_file()
        self._file.write("".join(self._lines).encode())
        self._lines.clear()

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
            if self._lines:
                self._flush()
        yield from kept
        if spilled:
            with Path(self._path).open(encoding="utf-8") as lines:
                for _, line in zip(range(spilled), lines, strict=False):
                    yield self._kind(**_with_reason(self._kind, json.loads(line)))

    def write_lines(self, path: str | os.PathLike[str]) -> None:
        """Write every entry as one JSON object a line."""
        with Path(path).open("w", encoding="utf-8") as lines:
            lines.writelines(_to_line(entry) for entry in self)


def _fill(kind: type[Entry], entries: list[Entry]) -> Spool[Entry]:
    spool = Spool(kind)
    for entry in entries:
        spool.append(entry)
    return spool


def _drop(process: int, opened: IO[bytes], path: str) -> None:
    opened.close()
    if os.getpid() == process:  # a forked child leaves the file to its parent
        Path(path).unlink(missing_ok=True)


def _to_line(entry: Skip | Loss | Note) -> str:
    # By hand, since it is done a million times for a million broken images: entries hold text and ints only.
    parts = []
    for name, value in zip(entry._fields, entry, strict=True):
        parts.append(f'"{name}": {value if type(value) is int else encode_basestring_ascii(str(value))}')
    return f"{{{', '.join(parts)}}}\n"


def _with_reason(kind: object, fields: dict[str, Any]) -> dict[str, Any]:
    if kind is Skip:
        return {**fields, "reason": SkipReason(fields["reason"])}
    if kind is Loss:
        return {**fields, "reason": LossReason(fields["reason"])}
    return fields
