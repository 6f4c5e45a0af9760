"""The window is never exceeded, and nobody waits in it for ever."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.errors import ArgumentError
from tarlight.storage.remote.arrival import StoppedError
from tarlight.storage.remote.plan import Plan
from tarlight.storage.remote.window import Window

from .scripted import SMALL, Server, Trouble, download, wait_until_empty
from .test_download import noise

askings = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 2), st.booleans()), max_size=30)


@given(askings)
def test_bytes_and_requests_never_exceed_the_window(asked):
    """Whoever asks, is cancelled or gives back, in any order: never more is out than the window has."""
    window = Window(10, 3)

    async def ask(num_bytes, pause, order, index):
        await window.acquire(num_bytes)
        try:
            order.append(index)
            assert window.used_bytes <= 10
            assert window.used_requests <= 3
            for _ in range(pause):
                await asyncio.sleep(0)
        finally:
            window.release(num_bytes, 1)

    async def run():
        order = []
        tasks = [asyncio.create_task(ask(*one[:2], order, index)) for index, one in enumerate(asked)]
        await asyncio.sleep(0)
        for task, (*_, is_cancelled) in zip(tasks, asked, strict=True):
            if is_cancelled:
                task.cancel()
        ends = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends)
        assert (window.used_bytes, window.used_requests) == (0, 0)
        return order

    order = asyncio.run(run())
    assert order == sorted(order)


def test_what_never_fits_is_refused():
    """A request larger than the window is an error, not a wait for ever."""
    with pytest.raises(ValueError, match="never fit"):
        asyncio.run(Window(10, 3).acquire(11))
    with pytest.raises(ArgumentError, match="room"):
        Plan(range_bytes=10, window_bytes=19)


@given(
    sizes=st.lists(st.integers(1, 12_000), min_size=1, max_size=6),
    taken=st.lists(st.integers(0, 40), min_size=6, max_size=6),
    script=st.lists(st.sampled_from([Trouble(), Trouble("reset", 300), Trouble("short", 0)]), max_size=3),
)
def test_shards_may_be_left_at_any_point(sizes, taken, script):
    """Shards in a row, each left after some pieces: the next is read to its end, within the same window."""
    window = Window(SMALL.window_bytes, SMALL.max_requests)
    servers, loadings, highest = [], [], []
    for size in sizes:
        servers.append(Server(noise(size), troubles=script))
        before = loadings[-1] if loadings else None
        loadings.append(download(servers[-1], window=window, size=size, before=before))
    for loading, server, count in zip(loadings, servers, taken, strict=False):
        chunks = loading.chunks()
        got = b"".join(piece for piece, _ in zip(chunks, range(count), strict=False))
        highest.append(window.used_bytes)
        assert server.body.startswith(got)
        loading.close()
    assert max(highest) <= SMALL.window_bytes
    last = download(Server(noise(9000)), window=window, before=loadings[-1])
    assert b"".join(last.chunks()) == noise(9000)
    last.close()
    wait_until_empty(window)


def test_later_shards_wait_until_this_one_has_asked_for_everything():
    """No request for the next shard is made before the last range of this one was asked for."""
    window, log = Window(SMALL.window_bytes, 4), []
    first, second = Server(noise(30_000)), Server(noise(5000))
    for name, server in (("first", first), ("second", second)):
        server.requests = _Log(name, log)
    one = download(first, window=window, size=30_000)
    two = download(second, window=window, size=5000, before=one)
    assert b"".join(one.chunks()) == first.body
    assert b"".join(two.chunks()) == second.body
    assert log == ["first"] * 30 + ["second"] * 5


class _Log(list):
    def __init__(self, name, log):
        super().__init__()
        self.name, self.log = name, log

    def append(self, request):
        super().append(request)
        self.log.append(self.name)


def test_closing_lets_go_whoever_waits():
    """A reader that waits for a stalled server leaves at once when the download is closed elsewhere."""
    loading = download(Server(noise(5000), for_ever=Trouble("stall", 0)))
    left = []

    def read():
        try:
            list(loading.chunks())
        except StoppedError:
            left.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    loading.close()
    reader.join(20)
    assert left == [True]
    loading.close()
    wait_until_empty(loading._window)
