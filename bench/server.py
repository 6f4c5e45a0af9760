"""An object store to measure against, in its own process: `python -m bench.server ...`; prints its port.

It answers range requests and listings as S3 does, after a latency and at a rate a connection, at little cost:
it is not what shall be measured. Objects: `large/` (zeros), `many/` (for listings), `photos/` (files).
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
from bisect import bisect_right
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from bench.measure import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE_SHARDS, LARGE_BYTES = 4, 128 << 20
MANY_KEYS = 100_000
_PAGE = 1000
_PIECE = bytes(128 << 10)
_RANGE = re.compile(rb"range: bytes=(\d+)-(\d*)", re.IGNORECASE)
_ROW = (
    "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;0123456789abcdef0123456789abcdef-8&quot;</ETag><Size>{}</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


@dataclass(frozen=True)
class Network:
    """What stands between client and store."""

    latency_s: float
    """Before every answer."""
    rate: float
    """Bytes a second of one connection; 0 for no limit."""


def _made_up() -> dict[str, int]:
    keys = {f"large/{number:02d}.tar": LARGE_BYTES for number in range(LARGE_SHARDS)}
    return keys | {f"many/{number:06d}.tar": 1 << 20 for number in range(MANY_KEYS)}


class Bucket:
    """The objects of one bucket, and how they are sent."""

    def __init__(self, network: Network, photos: list[Path]) -> None:
        self._network = network
        self._files = {f"photos/{shard.name}": shard.read_bytes() for shard in photos}
        self._sizes = _made_up() | {key: len(file) for key, file in self._files.items()}
        self._prefixes: dict[str, list[str]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        writer.transport.set_write_buffer_limits(high=1 << 20)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self._network.latency_s)
                await self._answer(head, writer)
        writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        url = urlsplit(head.split(b" ", 2)[1].decode())
        key = unquote(url.path).removeprefix("/bucket").removeprefix("/")
        if not key:
            body = self._page(parse_qs(url.query)).encode()
            await _send(writer, b"200 OK", len(body), body)
        elif key in self._sizes:
            await self._object(key, head, writer)
        else:
            await _send(writer, b"404 Not Found", 0)

    async def _object(self, key: str, head: bytes, writer: asyncio.StreamWriter) -> None:
        size, asked = self._sizes[key], _RANGE.search(head)
        start = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1, size) if asked and asked[2] else size
        status, where = (b"206 Partial Content", (start, end, size)) if asked else (b"200 OK", None)
        await _send(writer, status, end - start, where=where)
        if head.startswith(b"GET"):
            await self._body(key, start, end, writer)

    async def _body(self, key: str, start: int, end: int, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        file, began, at = self._files.get(key), loop.time(), start
        while at < end:
            step = min(len(_PIECE), end - at)
            writer.write(_PIECE[:step] if file is None else file[at : at + step])
            await writer.drain()
            at += step
            if self._network.rate:
                await asyncio.sleep(began + (at - start) / self._network.rate - loop.time())

    def _page(self, query: dict[str, list[str]]) -> str:
        prefix = query.get("prefix", [""])[0]
        keys = self._prefixes.get(prefix) or [key for key in self._sizes if key.startswith(prefix)]
        self._prefixes[prefix] = keys
        after = query.get("start-after", [""])[0]
        first = int(query.get("continuation-token", [bisect_right(keys, after)])[0])
        rows = "".join(_ROW.format(key, self._sizes[key]) for key in keys[first : first + _PAGE])
        more = first + _PAGE < len(keys)
        token = f"<NextContinuationToken>{first + _PAGE}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult><Name>bucket</Name><Prefix>{prefix}</Prefix><MaxKeys>{_PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        )


async def _send(
    writer: asyncio.StreamWriter,
    status: bytes,
    length: int,
    body: bytes = b"",
    where: tuple[int, int, int] | None = None,
) -> None:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % length]
    lines.append(b'ETag: "0123456789abcdef0123456789abcdef-8"')
    lines.append(b"Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT")
    if where is not None:
        start, end, size = where
        lines.append(b"Content-Range: bytes %d-%d/%d" % (start, end - 1, size))
    writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    await writer.drain()


@contextmanager
def serving(latency_ms: float = 0, rate: float = 0, photos: list[Path] | None = None) -> Iterator[int]:
    """Run the server in another process; give its port."""
    command = [sys.executable, "-m", "bench.server", str(latency_ms), str(rate), *map(str, photos or ())]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


async def _main(network: Network, photos: list[Path]) -> None:
    listener = await asyncio.start_server(Bucket(network, photos).serve, "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=Path(__file__).stem)
    options.add_argument("latency_ms", type=float)
    options.add_argument("rate", type=float)
    options.add_argument("photos", type=Path, nargs="*")
    chosen = options.parse_args()
    asyncio.run(_main(Network(chosen.latency_ms / 1000, chosen.rate), chosen.photos))
