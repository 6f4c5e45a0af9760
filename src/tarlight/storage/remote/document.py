"""One small object that is read and replaced as a whole, such as a checkpoint.

Strategy: one PUT, which every store makes visible as a whole or not at all. Who else writes at the same time
is not looked at: a document belongs to one writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tarlight.errors import ArgumentError
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
    from tarlight.storage.remote.wire import Client


class RemoteDocument:
    """An object in a bucket that holds a few megabytes at most. Thread-safe; does no I/O before it is read.

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

    def __str__(self) -> str:
        return self._url

    def read(self) -> bytes | None:
        """Return all bytes, or None where there is no such object yet.

        Raises:
            InputMissingError: there is no such bucket.
            InputDeniedError: it may not be read.
            TarlightError: another failure of server or network.
        """
        client, address, policy = self._store.client(self._url)
        return insist(lambda: _read(client, address.root, address.key, policy), policy, self._url)

    def replace(self, data: bytes) -> None:
        """Write all bytes. Until this returns, and when it fails, readers find the old ones or the new ones.

        Raises:
            InputMissingError: there is no such bucket.
            InputDeniedError: it may not be written.
            TarlightError: another failure of server or network.
        """
        client, address, policy = self._store.client(self._url)
        insist(lambda: client.put(address.key, data), policy, self._url)


async def _read(client: Client, root: str, key: str, policy: RetryPolicy) -> bytes | None:
    try:
        facts = await client.head(key)
    except Fault as fault:
        if fault.kind is FaultKind.MISSING:
            return None
        raise
    origin = Origin(client, root, may_lack_ranges=False)
    fetcher = Fetcher(origin, key, policy, Tally(), etag=facts.etag, size=facts.size)
    return await read_range(fetcher, 0, facts.size)
