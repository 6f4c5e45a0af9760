"""One small object that is read and replaced as a whole, such as a checkpoint.

Strategy: one PUT, which every store makes visible as a whole or not at all, on condition that what is there
is what was read or written last. So of two writers the second one is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tarlight.errors import ArgumentError, ShardReadError
from tarlight.storage.remote.insist import insist
from tarlight.storage.remote.origin import Origin, Tally
from tarlight.storage.remote.part import Fetcher
from tarlight.storage.remote.span import read_range
from tarlight.storage.remote.store import RemoteStore
from tarlight.storage.remote.url import canonical, kind_of_url, without_secrets
from tarlight.storage.remote.wire import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tarlight.storage.remote.policy import RetryPolicy
    from tarlight.storage.remote.wire import Client, ObjectFacts

_ATTEMPTS = 3
"""To write where something was that is gone when it is looked at."""


class RemoteDocument:
    """An object in a bucket that holds a few megabytes at most. For one thread; making one does no I/O.

    Args:
        url: URL of an object in a bucket or container.
        storage_options: as for shards; those that only other kinds of stores know are left out.

    Raises:
        ArgumentError: a web server, no object's name, or an option with a value that is not allowed.
    """

    def __init__(self, url: str, storage_options: Mapping[str, Any] | None = None) -> None:
        if kind_of_url(url) == "http":
            raise ArgumentError(
                f"{without_secrets(url)}: web servers cannot keep it. Name a bucket or a file"
            )
        self._url = canonical(url)
        if self._url.count("/") <= 2:  # noqa: PLR2004 (scheme://bucket)
            raise ArgumentError(f"{self._url}: a bucket alone. Name an object in it")
        self._store = RemoteStore(storage_options)
        self._known: ObjectFacts | None = None

    def __str__(self) -> str:
        return self._url

    def read(self) -> bytes | None:
        """Return all bytes, or None where there is no such object yet.

        Raises:
            InputMissingError: there is no such bucket.
            InputDeniedError: it may not be read.
            TarlightError: another failure of server or network.
        """
        self._known, data = self._read()
        return data

    def claim(self, data: bytes) -> bytes | None:
        """Write the bytes where there is no such object yet: what may be written only a write finds out.

        Returns and raises as `replace`.
        """
        return self.replace(data) if self._known is None else None

    def release(self) -> None:
        """Do nothing: a bucket has no locks, and two runs are found out when they write."""

    def replace(self, data: bytes) -> bytes | None:
        """Write all bytes. Until this returns, and when it fails, readers find the old ones or the new ones.

        Returns None; or, having changed nothing, the bytes that somebody else has written there since.

        Raises:
            InputMissingError: there is no such bucket.
            InputDeniedError: it may not be written.
            TarlightError: another failure of server or network.
        """
        client, address, policy = self._store.client(self._url)
        for _ in range(_ATTEMPTS):
            written = insist(lambda: _put(client, address.key, data, self._known), policy, self._url)
            if written is None:
                written, there = self._read()
                if there is None:  # somebody has removed it
                    self._known = None
                    continue
                if there != data:  # else the answer was lost, and the request came a second time
                    return there
            self._known = written
            return None
        raise ShardReadError(
            f"{self._url}: the store says that something is there, and then that nothing is. Try again"
        )

    def _read(self) -> tuple[ObjectFacts | None, bytes | None]:
        client, address, policy = self._store.client(self._url)
        return insist(lambda: _read(client, address.root, address.key, policy), policy, self._url)


async def _put(client: Client, key: str, data: bytes, over: ObjectFacts | None) -> ObjectFacts | None:
    """Write it; None where something else is there than `over`."""
    try:
        return await client.put(key, data, over)
    except Fault as fault:
        is_gone = fault.kind is FaultKind.MISSING and over is not None  # else there is no place to write to
        if fault.kind is FaultKind.CHANGED or is_gone:
            return None
        raise


async def _read(
    client: Client, root: str, key: str, policy: RetryPolicy
) -> tuple[ObjectFacts | None, bytes | None]:
    try:
        facts = await client.head(key)
    except Fault as fault:
        if fault.kind is FaultKind.MISSING:
            return None, None
        raise
    origin = Origin(client, root, may_lack_ranges=False)
    fetcher = Fetcher(origin, key, policy, Tally(), etag=facts.etag, size=facts.size)
    return facts, await read_range(fetcher, 0, facts.size)
