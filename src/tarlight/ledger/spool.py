"""A list of ledger entries that takes bounded memory, whatever a hostile shard does."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from tarlight.ledger.entry import Loss, LossReason, Note, Skip, SkipReason

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

KEPT_IN_MEMORY = 10_000
"""Entries of one kind that are kept in memory; the rest goes to a temporary file."""


Entry = TypeVar("Entry", Skip, Loss, Note)


class Spool(Generic[Entry]):
    """Append-only entries: the first 10,000 in memory, the rest in a temporary JSON-lines file.

    Iterating is safe while another thread appends, and sees the entries that were there at its start.
    """

    def __init__(self, kind: type[Entry]) -> None:
        self._kind: type[Entry] = kind
        self._kept: list[Entry] = []
        self._file: IO[str] | None = None
        self._count = 0
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        """Add one entry."""
        with self._lock:
            self._count += 1
            if len(self._kept) < KEPT_IN_MEMORY:
                self._kept.append(entry)
                return
            if self._file is None:
                self._file = self._open_file()
            self._file.write(_to_line(entry))

    def _open_file(self) -> IO[str]:
        opened = tempfile.NamedTemporaryFile(  # noqa: SIM115 (lives as long as the report)
            "w+", encoding="utf-8", errors="surrogatepass", prefix="tarlight-", suffix=".jsonl"
        )
        weakref.finalize(self, opened.close)
        return opened

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            kept, spilled = list(self._kept), self._count - len(self._kept)
            if self._file is not None:
                self._file.flush()
        yield from kept
        if spilled and self._file is not None:
            with Path(self._file.name).open(encoding="utf-8", errors="surrogatepass") as lines:
                for _, line in zip(range(spilled), lines, strict=False):
                    yield self._kind(**_with_reason(self._kind, json.loads(line)))

    def write_lines(self, path: str | os.PathLike[str]) -> None:
        """Write every entry as one JSON object a line."""
        with Path(path).open("w", encoding="utf-8", errors="surrogatepass") as lines:
            lines.writelines(_to_line(entry) for entry in self._kept)
            if self._file is not None:
                self._file.flush()
                with Path(self._file.name).open(encoding="utf-8", errors="surrogatepass") as rest:
                    shutil.copyfileobj(rest, lines)


def _to_line(entry: Skip | Loss | Note) -> str:
    return json.dumps({name: getattr(entry, name) for name in entry.__slots__}) + "\n"


def _with_reason(kind: object, fields: dict[str, Any]) -> dict[str, Any]:
    if kind is Skip:
        return {**fields, "reason": SkipReason(fields["reason"])}
    if kind is Loss:
        return {**fields, "reason": LossReason(fields["reason"])}
    return fields
