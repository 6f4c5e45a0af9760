"""A proxy that plays faults: in front of one server, in a thread of the test's process.

What it is told are rules: which requests (a function of the request), which fault, how often. The first rule
that fits a request and is not used up decides; other requests pass unchanged, Host and all. It records every
request, so that tests can count them.
"""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.servers.process import HOST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_RANGE = re.compile(rb"^range: bytes=(\d+)-(\d*)", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding: *chunked", re.IGNORECASE | re.MULTILINE)
_LISTING = re.compile(r"[?&](list-type=2|comp=list|prefix=)")


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    target: str
    """Path and query."""
    start: int | None
    """First byte of the range that was asked for; None without a range."""
    end: int | None
    """The byte after the range's last; None without one or when it is open."""
    head: bytes = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_listing(self) -> bool:
        """Whether it asks for a list of objects."""
        return _LISTING.search(self.target) is not None

    def covers(self, offset: int) -> bool:
        """Whether it asks for the byte at `offset` of an object, among others."""
        if self.is_listing or self.method != "GET":
            return False
        return (self.start or 0) <= offset and (self.end is None or offset < self.end)


@dataclass
class Answer:
    """One answer of the server, read whole."""

    head: bytes
    """Status line and headers, up to and with the empty line."""
    body: bytes


@dataclass
class Exchange:
    """One request that waits for its answer, as a fault sees it."""

    request: Request
    writer: asyncio.StreamWriter
    port: int

    async def answer(self) -> Answer:
        """Ask the server."""
        reader, writer = await asyncio.open_connection(HOST, self.port, limit=1 << 20)
        try:
            writer.write(re.sub(rb"(?im)^connection:.*\r\n", b"", self.request.head) + self.request.body)
            head = await reader.readuntil(b"\r\n\r\n")
            return Answer(head, await _body(self.request, head, reader))
        finally:
            writer.close()

    def reset(self) -> None:
        """Break the connection without a farewell."""
        self.writer.transport.abort()

    async def send(self, *parts: bytes) -> None:
        """Write to the client."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()


if TYPE_CHECKING:
    Fault = Callable[[Exchange], Awaitable[bool]]
    """Answers a request in its own way; returns whether the connection may be used again."""


@dataclass
class Rule:
    """A fault, where it strikes and how often."""

    fault: Fault
    strikes: Callable[[Request], bool]
    times: int | None
    """None: for ever."""
    num_struck: int = 0

    def takes(self, request: Request) -> bool:
        """Whether it decides about this request; counts it if so."""
        if self.num_struck == self.times or not self.strikes(request):
            return False
        self.num_struck += 1
        return True


class Proxy:
    """Listens on a free port while its context is entered."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._rules: list[Rule] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._open: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._failures: list[Exception] = []
        self.requests: list[Request] = []
        """Every request so far, in the order of arrival."""
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._listener = self._run(asyncio.start_server(self._serve, HOST, 0, limit=1 << 20))
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._failures:
            raise self._failures[0]

    def add(
        self, fault: Fault, strikes: Callable[[Request], bool] = lambda _: True, *, times: int | None = None
    ) -> Rule:
        """Play `fault` for requests that `strikes` says True of, at most `times` times."""
        rule = Rule(fault, strikes, times)
        self._rules.append(rule)
        return rule

    def gets(self) -> list[Request]:
        """Return the requests for objects so far, listings left out."""
        return [r for r in self.requests if r.method == "GET" and not r.is_listing]

    def _run(self, awaitable):
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result(30)

    async def _end(self) -> None:
        self._listener.close()
        await asyncio.sleep(0.01)  # in which connections that have just come are opened
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        for writer in self._writers:
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()  # a client that does not read on would keep it open
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)
        await asyncio.sleep(0.01)  # in which the connections to the server close

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open.add(task)
        self._writers.append(writer)
        try:
            while await self._exchange(await _request(reader), writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the client has gone, or the test is over
        except Exception as error:  # noqa: BLE001 (a fault that cannot be played must fail its test)
            self._failures.append(error)
        finally:
            self._open.discard(task)
            writer.close()

    async def _exchange(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        self.requests.append(request)
        exchange = Exchange(request, writer, self._upstream)
        for rule in self._rules:
            if rule.takes(request):
                return await rule.fault(exchange)
        return await passed(exchange)


async def passed(exchange: Exchange) -> bool:
    """Pass the server's answer on as it is."""
    answer = await exchange.answer()
    await exchange.send(answer.head, answer.body)
    return b"connection: close" not in answer.head.lower()


async def _request(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length is not None else b""
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    found = _RANGE.search(head)
    start = int(found[1]) if found else None
    end = int(found[2]) + 1 if found and found[2] else None
    return Request(method, target, start, end, head, body)


async def _body(request: Request, head: bytes, reader: asyncio.StreamReader) -> bytes:
    length = _LENGTH.search(head)
    if request.method == "HEAD":
        return b""
    if length is not None:
        return await reader.readexactly(int(length[1]))
    if _CHUNKED.search(head) is None:
        return await reader.read()
    body = b""
    while not body.endswith(b"0\r\n\r\n"):  # passed on as it is: chunks and all
        line = await reader.readline()
        body += line + await reader.readexactly(int(line, 16) + 2)
    return body
