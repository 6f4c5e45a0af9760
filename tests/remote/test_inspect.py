"""Questions about a dataset in a bucket."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from bench.bucket import options
from bench.server import Bucket, Network
from tarlight.inspect import check, peek
from tarlight.sample import write_sample
from tests.remote.dataset import shard
from tests.terminal import run_in_pipes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.server import Server

NUM_SHARDS = 10_000


class Counted(Bucket):
    """A bucket of many shards, all alike, that keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(Network(0, 0), [])
        self._files = {f"set/{number:05d}.tar": shard(12) for number in range(NUM_SHARDS)}
        self._sizes = {key: len(data) for key, data in self._files.items()}
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.CancelledError):  # the test is over
                await super().serve(reader, writer)
        finally:
            writer.transport.abort()  # what the client did not fetch is of no use any more

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.asked.append(head.split(b"\r\n", 1)[0].decode())
        await super()._answer(head, writer)


@contextmanager
def served(bucket: Bucket) -> Iterator[int]:
    """Serve a bucket on a free port of this machine; give the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_server(bucket.serve, "127.0.0.1", 0)
    listener = asyncio.run_coroutine_threadsafe(starting, loop).result(30)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(listener.close)
        asyncio.run_coroutine_threadsafe(_end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end() -> None:
    """End the connections that clients keep open."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.05)  # sockets close in the next turn of the loop


def as_typed(storage_options: dict[str, Any]) -> list[str]:
    """Storage options as they are typed."""
    return [
        part for name, value in storage_options.items() for part in ("--storage-option", f"{name}={value}")
    ]


def test_a_glimpse_of_many_shards_takes_few_requests() -> None:
    """Of 10,000 shards in a bucket the first page is listed and one shard read, and the table says so."""
    bucket = Counted()
    with served(bucket) as port:
        glimpse = peek("s3://bucket/set", storage_options=options(port))
        assert len(bucket.asked) <= 4, bucket.asked
        assert sum("list-type" in asked for asked in bucket.asked) == 1
        assert len(glimpse.records) == 10
        assert (glimpse.num_shards, glimpse.is_all) == (1000, False)
        assert glimpse.shards == ("s3://bucket/set/00000.tar",)
        ran = run_in_pipes(["-m", "tarlight", "peek", "s3://bucket/set", *as_typed(options(port))])
    assert (ran.code, ran.err) == (0, "")
    assert "on the first page of the listing, in the store's order" in ran.out


def test_check_finds_the_same_in_a_bucket(tmp_path: Path, s3: Server) -> None:
    """A dataset with a fault of each kind is judged in a bucket as on disk, place for place."""
    sample = write_sample(tmp_path / "sample", num_images=4, num_shards=1, damage=True)
    folder = tmp_path / "sample" / "faults"
    url = s3.put_folder(folder, "faults")
    local, remote = check(folder), check(url, storage_options=s3.storage_options)
    assert sample.planted
    assert remote.counts == local.counts
    places = [
        {
            (found.kind, found.shard.rpartition("/")[2], found.member, found.offset)
            for found in findings.examples
        }
        for findings in (local, remote)
    ]
    assert places[0] == places[1]


def test_options_of_a_store_are_typed_as_for_load(tmp_path: Path, s3: Server) -> None:
    """`check` and `explain` reach a bucket with `--storage-option`."""
    write_sample(tmp_path / "sample", num_images=6, num_shards=2)
    url, store = s3.put_folder(tmp_path / "sample", "typed"), as_typed(s3.storage_options)
    ran = run_in_pipes(["-m", "tarlight", "check", url, *store, "--json", "-", "--quiet"])
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["images"] == 6
    ran = run_in_pipes(
        ["-m", "tarlight", "explain", url, *store, "--seconds", "0.5", "--json", "-", "--quiet"]
    )
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["observed"]["images"] == 6
