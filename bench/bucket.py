"""Single passes over the measured object store, each in a process: `python -m bench.bucket NAME PORT`."""

from __future__ import annotations

import itertools
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench.measure import print_timing, timed
from bench.server import LARGE_BYTES, LARGE_SHARDS

if TYPE_CHECKING:
    from collections.abc import Callable

_RANGE_BYTES = 8 << 20


def options(port: int) -> dict[str, object]:
    """The storage options that reach the server."""
    return {"endpoint": f"http://127.0.0.1:{port}", "region": "us-east-1", "skip_signature": True}


def one_get(port: int) -> Callable[[], int]:
    """One GET of one large shard: a single stream."""

    def work() -> int:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            return _get(connection, "large/00.tar", 0, LARGE_BYTES, bytearray(1 << 20))

    return work


def raw(port: int, connections: int) -> Callable[[], int]:
    """Ranges of 8 MiB over many connections, thrown away unread: what this set-up can give at most."""
    ranges = itertools.product(range(LARGE_SHARDS), range(0, LARGE_BYTES, _RANGE_BYTES))
    buffers = [bytearray(1 << 20) for _ in range(connections)]

    def some(number: int) -> int:
        done = 0
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for shard, start in ranges:  # shared: next() of a C iterator is atomic
                end = start + _RANGE_BYTES
                done += _get(connection, f"large/{shard:02d}.tar", start, end, buffers[number])
        return done

    def work() -> int:
        with ThreadPoolExecutor(connections) as pool:
            return sum(pool.map(some, range(connections)))

    return work


def ours(port: int) -> Callable[[], int]:
    """The large shards as the parser gets them."""
    from tarlight.storage import find_shards, open_store  # noqa: PLC0415 (numpy is not in the way here)

    def work() -> int:
        store = open_store("s3://bucket/large", options(port))
        shards = find_shards(["s3://bucket/large"], storage_options=options(port)).shards
        return sum(len(chunk) for shard in shards for chunk in store.chunks(shard))

    return work


def listing(port: int, prefix: str = "many") -> Callable[[], int]:
    """All rows of a listing of 100,000 keys."""
    from tarlight.storage import find_shards  # noqa: PLC0415

    def work() -> int:
        return len(find_shards([f"s3://bucket/{prefix}"], storage_options=options(port)).shards)

    return work


def short_listing(port: int) -> Callable[[], int]:
    """A listing of four keys, for its memory."""
    return listing(port, "large")


def photos(port: int) -> Callable[[], int]:
    """The photos, decoded."""
    from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline  # noqa: PLC0415

    def work() -> int:
        stages = [
            FilePartitioningStage("s3://bucket/photos", storage_options=options(port)),
            ImageReaderStage(num_threads=2, verbose=False, storage_options=options(port)),
        ]
        return sum(len(batch.data) for batch in Pipeline(stages=stages).stream())

    work()
    return work


def _get(connection: socket.socket, key: str, start: int, end: int, buffer: bytearray) -> int:
    request = f"GET /bucket/{key} HTTP/1.1\r\nHost: store\r\nRange: bytes={start}-{end - 1}\r\n\r\n"
    connection.sendall(request.encode())
    received = connection.recv_into(buffer)
    left = end - start - (received - buffer.index(b"\r\n\r\n", 0, received) - 4)
    while left:
        left -= connection.recv_into(buffer, min(left, len(buffer)))
    return end - start


PASSES = {
    "one GET": one_get,
    "ours": ours,
    "listing": listing,
    "short listing": short_listing,
    "photos": photos,
}


def main(name: str, port: int) -> None:
    """Time one pass."""
    work = raw(port, int(name.split()[1])) if name.startswith("raw ") else PASSES[name](port)
    print_timing(timed(work))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
