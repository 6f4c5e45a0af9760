"""Many small shards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tarlight.storage import Reading
from tests.remote.dataset import load, shard
from tests.servers.proxy import passed

if TYPE_CHECKING:
    from tests.servers.proxy import Exchange, Proxy
    from tests.servers.server import Server


def test_small_shards_are_asked_for_together(s3: Server, proxy: Proxy) -> None:
    """Shards of one request each are under way at once: none of them waits for the answer to another."""
    names, together = [f"together/{number}.tar" for number in range(9)], 8
    for name in names:
        s3.put(name, shard())
    arrived, all_there = [], asyncio.Event()

    async def when_all_are_there(exchange: Exchange) -> bool:
        arrived.append(exchange.request.target)
        if len(arrived) == together:
            all_there.set()
        await asyncio.wait_for(all_there.wait(), 20)
        return await passed(exchange)

    proxy.add(when_all_are_there, lambda request: "0.tar" not in request.target)
    remote = s3.at(proxy.port)
    reading = Reading(remote.storage_options)
    try:
        for name in names:
            reading.expect(remote.url(name), len(shard()))
        for name in names:
            assert b"".join(reading.open(remote.url(name), len(shard())).chunks()) == shard()
    finally:
        reading.close()
    assert len(arrived) == together


def test_a_shard_that_outgrew_its_listing_is_named(s3: Server, proxy: Proxy) -> None:
    """A small shard that is larger than the listing said is one loss, and those after it are delivered."""
    for number in range(4):
        s3.put(f"grown/{number}.tar", shard(5))

    async def grow(exchange: Exchange) -> bool:
        grown = shard(6)
        await asyncio.get_running_loop().run_in_executor(None, s3.put, "grown/2.tar", grown)
        return await passed(exchange)

    proxy.add(grow, lambda request: request.covers(0) and "2.tar" in request.target, times=1)
    remote = s3.at(proxy.port)
    loaded = load(remote.url("grown"), remote.storage_options)
    assert len(loaded.images) in {15, 21}  # 21 where the first shard had not been answered yet
    assert len(loaded.report.losses) == (len(loaded.images) == 15)
