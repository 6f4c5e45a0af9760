"""One request at a time, made by obstore: the only module that knows of it.

Strategy: obstore never retries here, since whoever reads a shard goes on at the byte. Clients are made when
they are first needed, once for each root and options in a process, and never cross a fork: the library's
threads do not survive one, and a request in a forked child would wait for ever.
"""

from __future__ import annotations

import os
import threading
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tarlight.errors import TarlightError
from tarlight.storage.remote.config import client_options, provider_of, store_config, variables
from tarlight.storage.remote.failure import fault_of
from tarlight.storage.remote.precondition import bare, facts_of, is_same, read_condition, write_condition
from tarlight.storage.remote.refusal import is_failure, refusal
from tarlight.storage.remote.wire import Fault, FaultKind, ObjectFacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from obstore import GetResult, PutMode
    from typing_extensions import Buffer

    from tarlight.storage.remote.option import Setting
    from tarlight.storage.remote.url import Address

PAGE_KEYS = 1000
"""Objects of one page, as many as S3 gives in one answer."""


class ObstoreAnswer:
    """A `wire.Answer`: the headers have come, the body is still to be read, by one reader."""

    def __init__(self, result: GetResult, facts: ObjectFacts) -> None:
        self._result = result
        self._facts = facts
        self._start, self._end = result.range

    @property
    def facts(self) -> ObjectFacts:
        """The whole object's facts."""
        return self._facts

    @property
    def start(self) -> int:
        """First byte of the body within the object."""
        return self._start

    @property
    def end(self) -> int:
        """The byte after the body's last, as the server announced it."""
        return self._end

    async def pieces(self, num_bytes: int) -> AsyncIterator[Buffer]:
        """Yield the body in pieces of at least `num_bytes`, the last one excepted. Raises `Fault`."""
        async with _asking():
            async for piece in self._result.stream(min_chunk_size=num_bytes):
                yield piece


class ObstoreClient:
    """A `wire.Client` for one bucket, container or host. Thread-safe; not picklable; for one process."""

    def __init__(self, store: Any, kind: str) -> None:
        self._store = store
        self._kind = kind

    async def get(self, key: str, start: int, end: int, etag: str = "") -> ObstoreAnswer:
        """Ask for a range; only of the object with that ETag, where one is given. Raises `Fault`."""
        answer = await self._get(key, {"range": (start, end), **read_condition(etag)})
        if etag and answer.facts.etag and answer.facts.etag != etag:
            raise Fault(FaultKind.CHANGED, "another ETag")
        return answer

    async def get_whole(self, key: str) -> ObstoreAnswer:
        """Ask for the whole object, for servers without ranges. Raises `Fault`."""
        return await self._get(key, {})

    async def head(self, key: str) -> ObjectFacts:
        """Ask for an object's facts. Raises `Fault`.

        Web servers are asked for the first byte, as a presigned URL allows GET alone. A bucket that refuses
        is asked so as well: only the answer to a GET has a body that says why.
        """
        if self._kind == "http":
            return await self._first_byte(key)
        try:
            return await self._head(key)
        except Fault as fault:
            if fault.status is None or fault.is_transient:
                raise
        return await self._first_byte(key)

    async def put(self, key: str, data: bytes, over: ObjectFacts | None) -> ObjectFacts:
        """Write an object by one request in place of `over`, or where nothing is.

        Raises `Fault`, CHANGED where something else is there. Stores that compare nothing by themselves are
        asked right before what is there.
        """
        mode = write_condition(over, self._kind)
        if mode is not None:
            try:
                return await self._put(key, data, mode)
            except Fault as fault:
                if fault.status != HTTPStatus.NOT_IMPLEMENTED:
                    raise
        if not is_same(await self._facts_or_none(key), over):
            raise Fault(FaultKind.CHANGED, "another ETag")
        return await self._put(key, data, "overwrite")

    def pages(self, prefix: str, offset: str = "") -> Iterator[Sequence[ObjectFacts]]:
        """Yield all objects below the folder `prefix`, a page at a time, in the store's order.

        `offset`: only keys after this one. Raises `Fault`.
        """
        import obstore  # noqa: PLC0415 (networks are imported when one is asked for)

        with _listing():
            for page in obstore.list(
                self._store, prefix or None, offset=offset or None, chunk_size=PAGE_KEYS
            ):
                yield [facts_of(meta) for meta in page]

    async def _first_byte(self, key: str) -> ObjectFacts:
        try:
            return (await self.get(key, 0, 1)).facts
        except Fault as fault:
            if fault.kind is FaultKind.NO_RANGES:
                return (await self.get_whole(key)).facts
            if fault.kind is not FaultKind.NO_SUCH_RANGE:
                raise
        return await self._head(key)  # no byte is there to be asked for

    async def _put(self, key: str, data: bytes, mode: PutMode) -> ObjectFacts:
        import obstore  # noqa: PLC0415 (networks are imported when one is asked for)

        async with _asking():
            put = await obstore.put_async(self._store, key, data, mode=mode, use_multipart=False)
            return ObjectFacts(key, len(data), bare(put["e_tag"] or ""), put["version"] or "")

    async def _facts_or_none(self, key: str) -> ObjectFacts | None:
        try:
            return await self.head(key)
        except Fault as fault:
            if fault.kind is FaultKind.MISSING:
                return None
            raise

    async def _head(self, key: str) -> ObjectFacts:
        import obstore  # noqa: PLC0415 (networks are imported when one is asked for)

        async with _asking():
            return facts_of(await obstore.head_async(self._store, key))

    async def _get(self, key: str, options: dict[str, Any]) -> ObstoreAnswer:
        import obstore  # noqa: PLC0415 (networks are imported when one is asked for)

        async with _asking():
            result = await obstore.get_async(self._store, key, options=options)  # type: ignore[arg-type]
            return ObstoreAnswer(result, facts_of(result.meta))


@asynccontextmanager
async def _asking() -> AsyncIterator[None]:
    """Turn the library's errors into faults."""
    try:
        yield
    except BaseException as error:
        if not is_failure(error):
            raise
        raise fault_of(error) from None


@contextmanager
def _listing() -> Iterator[None]:
    """Turn the library's errors into faults, as `_asking`."""
    try:
        yield
    except BaseException as error:
        if not is_failure(error):
            raise
        raise fault_of(error) from None


MAX_LONE_CLIENTS = 32
"""Clients for one URL alone that are kept. Each has its own connections, two file descriptors and 165 kB."""

_clients: dict[tuple[str, object, object], ObstoreClient] = {}
_lone_clients: dict[tuple[str, object, object], ObstoreClient] = {}
"""Those for one URL alone, such as a presigned one; the oldest first."""
_lock = threading.Lock()
_owner = 0
"""The process that the clients, and the library's threads, belong to; 0 before the first one."""


def _own_clients_only() -> None:
    global _owner  # noqa: PLW0603 (one library, one owner)
    if _owner not in {0, os.getpid()}:
        raise TarlightError(
            "object stores cannot be read in a process that was forked after its parent had read from one. "
            'Start it with multiprocessing.get_context("spawn"), or read nothing before the fork'
        )
    _owner = os.getpid()


def open_client(address: Address, setting: Setting, key: object) -> ObstoreClient:
    """Return this process's client for an address's root, made when there is none. Thread-safe.

    `key` stands for the setting: clients of one root with equal keys, in one environment, are the same.

    Raises:
        ArgumentError: the client library refuses an option, or there is no such profile.
        InputDeniedError: a file with credentials cannot be read.
        TarlightError: the process was forked from one that had clients.
    """
    _own_clients_only()  # before the lock: a parent may have held it as it forked
    with _lock:
        name = (address.root, key, variables())
        clients = _clients if address.is_shared else _lone_clients
        if name not in clients:
            clients[name] = ObstoreClient(_make_store(address, setting), address.kind)
        if len(_lone_clients) > MAX_LONE_CLIENTS:
            del _lone_clients[next(iter(_lone_clients))]  # who reads with it goes on
        return clients[name]


def _make_store(address: Address, setting: Setting) -> Any:
    config = store_config(address, setting)
    provider = setting.credential_provider or provider_of(address, config)
    credentials: dict[str, Any] = {} if provider is None else {"credential_provider": provider}

    def make(config: Mapping[str, Any], client: Mapping[str, Any]) -> Any:
        return _obstore(address, config, {**credentials, "client_options": client})

    client = client_options(address, setting, config)
    try:
        return make(config, client)
    except BaseException as error:  # its text may hold values of options
        if not is_failure(error):
            raise
        raise refusal(address, error, make, config, client) from None


def _obstore(address: Address, config: Mapping[str, Any], arguments: dict[str, Any]) -> Any:
    from obstore import store  # noqa: PLC0415 (networks are imported when one is asked for)

    arguments["retry_config"] = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}
    if address.kind == "http":
        return store.HTTPStore.from_url(address.root, **arguments)
    name = address.root.partition("://")[2].partition("@")[0]
    kinds: dict[str, Any] = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}
    return kinds[address.kind](name, config=config, **arguments)
