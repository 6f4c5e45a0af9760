"""A shard out of ranges: every byte in order, or a named error."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.errors import (
    InputDeniedError,
    InputMissingError,
    InputUnreachableError,
    ShardChangedError,
    ShardReadError,
    TarlightError,
)
from tarlight.storage.remote.window import Window

from .scripted import SMALL, Server, Trouble, download, fetch, wait_until_empty


def noise(size, seed=0):
    return random.Random(seed).randbytes(size)


troubles = st.builds(
    Trouble,
    st.sampled_from(["none", "reset", "short", "long", "busy", "server", "page", "unreachable"]),
    st.integers(0, 2500),
)


@given(
    size=st.integers(0, 9000),
    hint=st.sampled_from(["none", "right", "wrong"]),
    script=st.lists(troubles, max_size=12),
    piece_bytes=st.integers(1, 2500),
    web=st.booleans(),
    ranges=st.booleans(),
)
def test_bytes_are_the_objects_or_there_is_an_error(*, size, hint, script, piece_bytes, web, ranges):
    """Whatever happens to requests, the bytes are the object's from the first on, all or up to an error."""
    body = noise(size)
    server = Server(body, troubles=script, piece_bytes=piece_bytes, ranges=ranges or not web)
    loading = download(server, web=web, size={"none": None, "right": size, "wrong": size // 2 + 7}[hint])
    got = b""
    try:
        for chunk in loading.chunks():
            assert chunk
            got += chunk
    except (ShardReadError, InputUnreachableError):
        assert script
        assert body.startswith(got)
    else:
        assert got == body
    loading.close()
    wait_until_empty(loading._window)


@given(size=st.integers(1, 9000), changes=st.dictionaries(st.integers(2, 12), st.integers(1, 3), max_size=3))
def test_versions_are_never_mixed(size, changes):
    """A shard that is overwritten while it is read is a ShardChangedError, or all of one version."""
    versions = [noise(size, seed) for seed in range(4)]
    server = Server(versions[0], "0", [Trouble("reset", 100)] * 2)
    server.changes = {at: (versions[seed], str(seed)) for at, seed in changes.items()}
    loading = download(server)
    got = b""
    try:
        for chunk in loading.chunks():
            got += chunk
        assert got == versions[0]
    except ShardChangedError:
        assert versions[0].startswith(got)
    loading.close()


@pytest.mark.parametrize("size", [1, 1999, 2000])
def test_a_small_shard_takes_one_request(size):
    """A shard of up to two ranges takes exactly one GET, whether its size was known or not."""
    for hint in (None, size):
        server = Server(noise(size))
        assert fetch(server, size=hint) == server.body
        assert len(server.requests) == 1


@given(size=st.integers(2001, 60_000))
def test_large_shards_are_cut_into_equal_ranges(size):
    """A shard of known size is cut into ranges of one to two range lengths, pinned from the second on."""
    server = Server(noise(size))
    assert fetch(server, size=size) == server.body
    lengths = [end - start for start, end, _ in server.requests]
    assert min(lengths) >= SMALL.range_bytes - 1
    assert max(lengths) <= 2 * SMALL.range_bytes
    assert max(lengths) - min(lengths) <= len(lengths)
    assert [etag for *_, etag in server.requests] == ["", *["an-etag"] * (len(lengths) - 1)]


def test_the_first_byte_comes_before_the_last_is_there():
    """The first piece is handed out while the later ranges have not been asked for."""
    server = Server(noise(50_000))
    loading = download(server, size=50_000)
    chunks = loading.chunks()
    first = next(chunks)
    assert server.body.startswith(first)
    assert len(server.requests) < 50_000 // SMALL.range_bytes
    loading.close()


@pytest.mark.parametrize("known", [True, False])
def test_an_empty_object_is_no_byte(known):
    """An object of 0 bytes, to which no range can be given, is an empty shard."""
    server = Server(b"")
    assert fetch(server, size=0 if known else None) == b""


@pytest.mark.parametrize("kind", ["denied", "missing"])
def test_what_will_not_change_is_not_repeated(kind):
    """A refusal is an error of its own kind after one request."""
    server = Server(noise(10), troubles=[Trouble(kind)])
    error = {"denied": InputDeniedError, "missing": InputMissingError}[kind]
    with pytest.raises(error, match="s3://bucket/key"):
        fetch(server)
    assert len(server.requests) == 1


def test_a_host_that_never_answered_is_given_up_soon():
    """Nothing listens at the address: an error after two repetitions."""
    server = Server(noise(10), for_ever=Trouble("unreachable"))
    with pytest.raises(TarlightError, match="refused"):
        fetch(server)
    assert len(server.requests) == 3


@pytest.mark.parametrize("kind", ["busy", "server", "reset", "short", "stall", "page"])
def test_exhausted_retries_name_the_byte(kind):
    """What fails for ever after some bytes is a ShardReadError that names the first byte that is missing."""
    server = Server(noise(1500), troubles=[Trouble("reset", 700)], for_ever=Trouble(kind))
    loading = download(server)
    chunks = loading.chunks()
    assert b"".join(next(chunks) for _ in range(3)) == server.body[:700]
    with pytest.raises(ShardReadError, match=r"at byte 700"):
        next(chunks)
    loading.close()
    assert len(server.requests) == 4


def test_a_repetition_begins_at_the_missing_byte():
    """After a reset only what is missing is asked for again, of the same version."""
    server = Server(noise(1500), troubles=[Trouble("reset", 700), Trouble("reset", 400)])
    assert fetch(server) == server.body
    assert server.requests == [(0, 2000, ""), (700, 1500, "an-etag"), (1100, 1500, "an-etag")]


def test_progress_renews_patience_within_a_bound():
    """A range that brings a byte a request is given up in the end, though every repetition made progress."""
    server = Server(noise(1500), for_ever=Trouble("reset", 1))
    with pytest.raises(ShardReadError, match="after 31 attempts"):
        fetch(server)


def test_a_server_without_ranges_is_asked_twice_then_for_everything():
    """A web server that never gives ranges gets one GET, and for its next shard nothing else."""
    server = Server(noise(30_000), ranges=False)
    loading = download(server, web=True)
    assert b"".join(loading.chunks()) == server.body
    assert server.requests == [(0, 2000, ""), (0, 2000, ""), "whole"]
    assert not loading.tally.describe()
    assert fetch(server, of=loading._origin) == server.body
    assert server.requests[3:] == ["whole"]


def test_a_whole_answer_starts_over_and_skips():
    """A whole GET that breaks starts over and skips what was delivered, if the object is the same."""
    server = Server(noise(30_000), ranges=False, troubles=[Trouble()] * 2 + [Trouble("reset", 12_345)])
    assert fetch(server, web=True) == server.body
    server = Server(noise(30_000), "0", ranges=False, troubles=[Trouble()] * 2 + [Trouble("reset", 12_345)])
    server.changes = {4: (noise(30_000, 1), "1")}
    with pytest.raises(ShardChangedError):
        fetch(server, web=True)


def test_an_error_page_from_a_bucket_is_asked_again():
    """A whole answer from a bucket, or from a host that gave ranges before, is an error page: asked again."""
    server = Server(noise(9000), troubles=[Trouble("page")] * 3)
    assert fetch(server) == server.body
    server = Server(noise(9000), troubles=[Trouble(), *[Trouble("page")] * 3])
    assert fetch(server, web=True) == server.body
    assert "whole" not in server.requests


def test_repetitions_are_counted_by_cause():
    """The tally of a download says how many requests there were, and why some were repeated."""
    server = Server(noise(1500), troubles=[Trouble("busy"), Trouble("busy"), Trouble("reset", 5)])
    loading = download(server)
    assert b"".join(loading.chunks()) == server.body
    assert loading.tally.num_requests == 4
    assert loading.tally.describe() == "3 requests were repeated: 503 x 2, broken x 1"


class Panic(BaseException):
    """What the client library raises when it panics is no Exception."""


class PanickingServer(Server):
    """A server whose third request makes the client library panic."""

    async def get(self, key, start, end, etag=""):
        if len(self.requests) == 2:
            raise Panic
        return await super().get(key, start, end, etag)


def test_a_panic_of_the_client_library_reaches_the_reader():
    """Whatever ends a request, the reader is told and never waits for ever."""
    server = PanickingServer(noise(20_000))
    window = Window(SMALL.window_bytes, SMALL.max_requests)
    with pytest.raises(Panic):
        fetch(server, window=window)
    wait_until_empty(window)
