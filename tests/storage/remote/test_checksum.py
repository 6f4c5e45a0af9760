"""ETags that are MD5s: flipped bits are found; ETags that only look so raise no alarm."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import pytest

from tarlight.errors import ShardChecksumError
from tarlight.storage.remote.arrival import StoppedError

from .scripted import FAST, Server, Trouble, download, fetch, origin
from .test_download import noise

SMALL_SIZE, LARGE_SIZE = 1500, 20_000
NOT_MD5 = "0123456789abcdef" * 2


def md5(body):
    return hashlib.md5(body).hexdigest()


def server_of(size, troubles=(), **options):
    body = noise(size)
    return Server(body, md5(body), troubles, **options)


def test_a_small_shard_is_checked_before_its_first_byte():
    """A flipped bit in a small shard is never handed out: the shard is fetched again, and counted as such."""
    server = server_of(SMALL_SIZE, [Trouble("flip", 3), Trouble("flip", 9)])
    loading = download(server)
    assert b"".join(loading.chunks()) == server.body
    assert loading.tally.describe() == "2 requests were repeated: checksum x 2"
    assert loading._origin.has_md5


def test_a_small_shard_that_is_never_right_is_lost_whole():
    """A small shard whose bits flip anew each time is an error before the first byte."""
    server = server_of(SMALL_SIZE, [Trouble("flip", at) for at in range(20)])
    chunks = download(server).chunks()
    with pytest.raises(ShardChecksumError, match="s3://bucket/key"):
        next(chunks)
    assert len(server.requests) == FAST.max_retries + 1


def test_a_fault_in_a_held_shard_is_told_at_its_start():
    """What breaks for ever in a shard that is held back for its check ends it before its first byte."""
    server = server_of(SMALL_SIZE, for_ever=Trouble("reset", 0), troubles=[Trouble("reset", 700)])
    chunks = download(server).chunks()
    with pytest.raises(OSError, match="at byte 700"):
        next(chunks)


@pytest.mark.parametrize(("size", "num_requests"), [(SMALL_SIZE, 2), (LARGE_SIZE, 21)])
def test_an_etag_that_is_no_md5_costs_one_more_reading(size, num_requests):
    """Two equal readings mean that an ETag is no MD5; the bucket's next shard is read once."""
    server = Server(noise(size), NOT_MD5)
    loading = download(server, size=size)
    assert b"".join(loading.chunks()) == server.body
    assert len(server.requests) == num_requests
    assert loading._origin.has_md5 is False
    assert fetch(server, of=loading._origin, size=size) == server.body
    assert len(server.requests) == num_requests + (1 if size == SMALL_SIZE else 20)


def test_a_flip_in_a_large_shard_is_told_at_its_end():
    """All bytes of a large shard are handed out, and then that they are not those of the object."""
    server = server_of(LARGE_SIZE, [Trouble(), Trouble(), Trouble("flip", 5)])
    got = []
    with pytest.raises(ShardChecksumError, match="ETag"):
        got.extend(download(server, size=LARGE_SIZE).chunks())
    assert sum(map(len, got)) == LARGE_SIZE
    assert b"".join(got) != server.body


def test_a_proven_bucket_needs_no_second_reading():
    """Once one shard matched its ETag, a mismatch of a large one is believed at once."""
    where = origin(server_of(SMALL_SIZE))
    fetch(where.client, of=where)
    where.client = server_of(LARGE_SIZE, for_ever=Trouble("flip", 5))
    with pytest.raises(ShardChecksumError):
        fetch(where.client, of=where, size=LARGE_SIZE)
    assert len(where.client.requests) == LARGE_SIZE // 1000


def test_closing_ends_a_second_reading():
    """Whoever waits for the second reading of a large shard is let go when the download is closed."""
    server = Server(noise(LARGE_SIZE), NOT_MD5, [Trouble()] * 20, for_ever=Trouble("stall", 0))
    loading = download(server, size=LARGE_SIZE)
    chunks, got = loading.chunks(), 0
    while got < LARGE_SIZE:
        got += len(next(chunks))
    threading.Timer(0.1, loading.close).start()
    with pytest.raises(StoppedError):
        next(chunks)


def test_an_etag_that_is_no_md5_is_told_without_retries_too():
    """The second reading that tells an ETag from an MD5 is made even where nothing is repeated otherwise."""
    server = Server(noise(SMALL_SIZE), NOT_MD5)
    assert fetch(server, policy=replace(FAST, max_retries=0)) == server.body
    assert len(server.requests) == 2


def test_an_empty_shard_cannot_be_wrong():
    """An empty shard whose ETag is no MD5 is read, and says nothing of the bucket."""
    loading = download(Server(b"", NOT_MD5))
    assert b"".join(loading.chunks()) == b""
    assert loading._origin.has_md5 is None
