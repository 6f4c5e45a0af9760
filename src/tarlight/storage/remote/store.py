"""Buckets, containers and web servers as stores.

Strategy: one object for all of them, since a path says where it lies. It holds the options and no connection,
so it pickles; clients belong to the process.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from tarlight.errors import ArgumentError, InputMissingError, ShardReadError
from tarlight.storage.remote.client import open_client
from tarlight.storage.remote.download import Download
from tarlight.storage.remote.failure import error_for
from tarlight.storage.remote.insist import insist, wait_or_raise
from tarlight.storage.remote.loop import submit
from tarlight.storage.remote.option import as_mapping, frozen, setting_for
from tarlight.storage.remote.origin import Origin, Tally
from tarlight.storage.remote.part import Fetcher
from tarlight.storage.remote.plan import DEFAULT_PLAN
from tarlight.storage.remote.span import read_range
from tarlight.storage.remote.url import canonical, full_url, parse, recall, remember, without_secrets
from tarlight.storage.remote.window import Window
from tarlight.storage.remote.wire import Fault, FaultKind
from tarlight.storage.store import EVERYTHING, Selection, ShardStat

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from tarlight.storage.remote.option import Setting
    from tarlight.storage.remote.policy import RetryPolicy
    from tarlight.storage.remote.url import Address
    from tarlight.storage.remote.wire import Client, ObjectFacts


class RemoteStore:
    """Shards in object stores and on web servers. Thread-safe and picklable, with its credentials."""

    def __init__(self, storage_options: Mapping[str, Any] | None = None) -> None:
        self._options = as_mapping(storage_options)
        self._key = frozen(self._options)
        self._settings: dict[str, Setting] = {}

    def stat(self, path: str) -> ShardStat:
        """Return size and version of an object; see `Store.stat`. Over HTTP its first byte is asked for."""
        remember(path)  # what is returned has no query any more
        client, address, policy = self.client(path)
        if not address.key and address.kind != "http":
            raise InputMissingError(f"{path}: no object is there. Check the name, or put shards into it")
        facts = insist(lambda: client.head(address.key), policy, full_url(path))
        return ShardStat(str(canonical(path)), facts.size, version_of(facts))

    def revisit(self, path: str, version: str) -> ShardStat:
        """Return the object that had this version when it was read; requests for it are pinned to that."""
        size = version.partition("-")[0]
        return ShardStat(str(canonical(path)), int(size) if size.isdecimal() else None, version)

    def is_folder(self, path: str) -> bool:
        """Return whether objects lie below `path` in a bucket; over HTTP nobody can tell, so it is False."""
        if parse(path).kind == "http":
            return False
        return next(self._pages(path), None) is not None

    def names(self, folder: str) -> list[str]:
        """Return the names in `folder` that the first page of its listing has; see `Store.names`."""
        address = parse(folder)
        if address.kind == "http":
            return []
        above = len(address.key) + 1 if address.key else 0
        parts = (facts.key[above:].partition("/") for facts in next(self._pages(folder), ()))
        return sorted({name + slash for name, slash, _ in parts})

    def list(self, prefix: str, selection: Selection = EVERYTHING) -> Iterator[ShardStat]:
        """Yield the selected objects below the folder `prefix`, with sizes and without versions.

        See `Store.list`. The others are dropped a page at a time. A version is found out when reading begins.

        Raises:
            ArgumentError: over HTTP, where there are no listings.
        """
        address = parse(prefix)
        if address.kind == "http":
            raise ArgumentError(f"file_paths: {prefix}: web servers cannot list. Name the shards themselves")
        for page in self._pages(prefix):
            for facts in page:
                path = f"{address.root}/{facts.key}"
                if selection.wants(path):
                    yield ShardStat(path, facts.size, "")

    def chunks(self, shard: ShardStat) -> Generator[bytes, None, None]:
        """Yield the bytes of `shard` as they come, by parallel ranges; see `Store.chunks`."""
        client, address, policy = self.client(shard.path)
        origin = Origin(client, without_secrets(address.root), address.kind == "http")
        window = Window(DEFAULT_PLAN.window_bytes, DEFAULT_PLAN.max_requests)
        etag, url = shard.version.partition("-")[2], full_url(shard.path)
        with closing(
            Download(origin, address.key, url, window, size=shard.size, etag=etag, policy=policy)
        ) as download:
            if shard.version not in {"", version_of(download.facts())}:
                raise error_for(Fault(FaultKind.CHANGED, "another size"), url)
            yield from download.chunks()

    def read(self, shard: ShardStat, offset: int, size: int) -> bytes:
        """Return one range of `shard`, by one request up to 16 MiB; see `Store.read`."""
        if offset < 0 or size < 0:
            raise ArgumentError(f"offset and size must not be negative, got {offset} and {size}")
        if shard.size is not None and offset + size > shard.size:
            where = f"bytes {offset} to {offset + size} do not lie in its {shard.size}"
            raise ShardReadError(f"{shard.path}: {where}. Load it again if it was written anew")
        client, address, policy = self.client(shard.path)
        origin = Origin(client, without_secrets(address.root), address.kind == "http")
        etag = shard.version.partition("-")[2]
        fetcher = Fetcher(
            origin, address.key, policy, Tally(), etag=etag, size=shard.size if shard.version else None
        )
        try:
            return submit(read_range(fetcher, offset, size)).result()
        except Fault as fault:
            raise error_for(fault, full_url(shard.path)) from None

    def client(self, path: str) -> tuple[Client, Address, RetryPolicy]:
        """Return what makes requests for `path`, where that lies, and how patient to be.

        Raises:
            ArgumentError: an option is refused.
        """
        address = parse(recall(path))
        if address.kind not in self._settings:
            self._settings[address.kind] = setting_for(address.kind, self._options)
        setting = self._settings[address.kind]
        return open_client(address, setting, self._key), address, setting.policy

    def _pages(self, prefix: str) -> Iterator[Sequence[ObjectFacts]]:
        """Yield pages; when one fails for a while, go on after the last key that came.

        The client library takes an error page that came with status 200 for the end of an XML list (not in
        Azure's dialect), so that an end is believed when asking for what comes after it gives nothing.
        """
        client, address, policy = self.client(prefix)
        last, num_retries, is_sure = "", 0, address.kind == "az"
        while True:
            try:
                for page in client.pages(address.key, last):
                    if is_sure and page[0].key <= last:
                        return  # a store that begins anew, whatever key it is to begin after
                    last, num_retries, is_sure = page[-1].key, 0, address.kind == "az"
                    yield page
            except Fault as fault:
                wait_or_raise(fault, policy, num_retries, full_url(prefix))
                num_retries += 1
            else:
                if is_sure:
                    return
                is_sure = True

    def __reduce__(self) -> tuple[type[RemoteStore], tuple[dict[str, Any]]]:
        return RemoteStore, (self._options,)

    def __repr__(self) -> str:
        return f"RemoteStore(storage_options: {', '.join(sorted(self._options)) or 'none'})"


def version_of(facts: ObjectFacts) -> str:
    """Return the version of an object: size and ETag, or its last modification where it has no ETag."""
    return f"{facts.size}-{facts.etag}"
