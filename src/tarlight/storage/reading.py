"""Shards in a row, for one reader: local ones as they lie, remote ones fetched before they are asked for.

Strategy: whoever reads says what it will open, in its order. Remote shards at the head of that line are begun
while the one before is read. The window bounds what that takes. What is read later cannot hold up what is
read now: requests enter the window in reading order, and shards that were passed over are dropped.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from tarlight.errors import TarlightError
from tarlight.ledger import Note
from tarlight.storage.remote.arrival import StoppedError
from tarlight.storage.remote.download import Download
from tarlight.storage.remote.origin import Origin
from tarlight.storage.remote.plan import DEFAULT_PLAN, Plan
from tarlight.storage.remote.store import RemoteStore, version_of
from tarlight.storage.remote.url import canonical, full_url, kind_of_url, without_secrets
from tarlight.storage.remote.window import Window
from tarlight.storage.route import open_store
from tarlight.storage.store import ShardStat

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from tarlight.storage.remote.wire import Client

__all__ = ["DEFAULT_PLAN", "OpenShard", "Plan", "Reading", "StoppedError"]


class OpenShard:
    """A shard that is being read. For one thread, and read once."""

    def __init__(self, stat: ShardStat, chunks: Generator[bytes, None, None]) -> None:
        self.stat = stat
        """Its size and version as reading began."""
        self.num_requests = 0
        """Requests that were made for it; complete after the last chunk."""
        self._chunks = chunks

    def chunks(self) -> Generator[bytes, None, None]:
        """Return the bytes in order. Raises as `Store.chunks`, and `StoppedError` from a closed `Reading`."""
        return self._chunks

    def notes(self) -> list[Note]:
        """Return what is worth knowing of how it was read; complete after the last chunk."""
        return []


class _RemoteShard(OpenShard):
    """A shard that comes over a network."""

    def __init__(self, stat: ShardStat, download: Download, origin: Origin) -> None:
        super().__init__(stat, self._read())
        self._download = download
        self._origin = origin

    def notes(self) -> list[Note]:
        """Return how often requests were repeated, and once a bucket that its ETags are no checksums."""
        notes = []
        if repeats := self._download.tally.describe():
            notes.append(Note(self.stat.path, repeats, "retried"))
        if self._origin.has_md5 is False and not self._origin.has_told:
            self._origin.has_told = True
            name = self._origin.name
            text = f"the ETags of {name} look like MD5s and are none: shards are not checked by them"
            notes.append(Note(self.stat.path, text, "no_checksum"))
        return notes

    def _read(self) -> Generator[bytes, None, None]:
        try:
            yield from self._download.chunks()
        finally:
            self.num_requests = self._download.tally.num_requests
            self._download.close()


@dataclass(slots=True)
class _Entry:
    """A shard in the line, begun or not."""

    path: str
    size: int | None
    download: Download | None = None
    origin: Origin | None = None

    def close(self) -> None:
        if self.download is not None:
            self.download.close()


class Reading:
    """Reads one shard after the other. `open` is for one thread, `expect` and `close` for any."""

    def __init__(self, storage_options: Mapping[str, Any] | None = None, plan: Plan = DEFAULT_PLAN) -> None:
        """Read with these options.

        Args:
            storage_options: for all shards, as for `open_store`.
            plan: sizes of ranges and of the window.
        """
        self._options = storage_options
        self._plan = plan
        self._window = Window(plan.window_bytes, plan.max_requests)
        self._line: deque[_Entry] = deque()
        self._current: _Entry | None = None
        self._last: Download | None = None
        self._origins: dict[Client, Origin] = {}
        self._closed = False
        self._lock = threading.Lock()

    def expect(self, path: str, size: int | None = None) -> None:
        """Say that a shard will be opened after all that were said before.

        Args:
            path: path or URL.
            size: its bytes, where a listing told them.
        """
        with self._lock:
            if not self._closed:
                self._line.append(_Entry(path, size))
                self._begin_more()

    def open(self, path: str, size: int | None = None) -> OpenShard:
        """Open the next shard, and leave the one before.

        Shards that were expected before this one are not expected any more; all are forgotten where this one
        was not among them.

        Raises:
            InputMissingError, InputDeniedError, InputUnreachableError: it cannot be opened.
            ShardReadError: its first byte did not come, however often it was asked for.
            ArgumentError: no store reads such a path with these options.
            StoppedError: closed from another thread.
        """
        entry = self._take(path, size)
        if entry.download is None or entry.origin is None:
            store = open_store(path, self._options)
            stat = store.stat(path)
            return OpenShard(stat, store.chunks(stat))
        facts = entry.download.facts()
        stat = ShardStat(str(canonical(path)), facts.size, version_of(facts))
        return _RemoteShard(stat, entry.download, entry.origin)

    @property
    def retries(self) -> tuple[int, str]:
        """How often requests for the shard that was opened last have been repeated, and why last.

        For any thread, also while `open` waits.
        """
        current = self._current
        return (0, "") if current is None or current.download is None else current.download.tally.last_retry

    def close(self) -> None:
        """Cancel all requests, and wake up who waits for one. May be called again."""
        with self._lock:
            self._closed = True
            for entry in self._line:
                entry.close()
            self._line.clear()
            self._leave()

    def _take(self, path: str, size: int | None) -> _Entry:
        """Return the entry of a shard, begun where it is remote, and begin those after it."""
        with self._lock:
            if self._closed:
                raise StoppedError
            self._leave()
            while self._line and self._line[0].path != path:
                self._line.popleft().close()
            if not self._line:
                self._line.append(_Entry(path, size))
            self._current = entry = self._line.popleft()
            self._begin(entry)
            self._begin_more()
            return entry

    def _leave(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None

    def _begin_more(self) -> None:
        """Begin as many shards as there may be requests; each waits until the one before asked for all."""
        for entry in islice(self._line, self._plan.max_requests):
            try:
                self._begin(entry)
            except TarlightError:
                return  # raised again when this shard is opened, in its turn

    def _begin(self, entry: _Entry) -> None:
        if entry.download is not None or not kind_of_url(entry.path):
            return
        store = open_store(entry.path, self._options)
        if not isinstance(store, RemoteStore):
            return
        client, address, policy = store.client(entry.path)
        origin = Origin(client, without_secrets(address.root), address.kind == "http")
        entry.origin = self._origins.setdefault(client, origin) if address.is_shared else origin
        entry.download = self._last = Download(
            entry.origin,
            address.key,
            full_url(entry.path),
            self._window,
            size=entry.size,
            policy=policy,
            plan=self._plan,
            before=self._last,
        )
