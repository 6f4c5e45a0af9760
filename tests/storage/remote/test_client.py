"""One request at a time, against a server that answers as it is told."""

from __future__ import annotations

import asyncio

import pytest

from tarlight.storage import RemoteStore
from tarlight.storage.remote.wire import Fault, FaultKind, ObjectFacts

RANGE = {"Content_Range": "bytes 2-5/9", "ETag": '"e"'}


def client_of(url):
    """The client of a URL, and the key there."""
    client, address, _ = RemoteStore({"read_timeout": "300ms"}).client(url)
    return client, address.key


def get(url, etag=""):
    """Ask for the bytes 2 to 5, and return the answer with its body."""

    async def ask():
        client, key = client_of(url)
        answer = await client.get(key, 2, 6, etag)
        return answer, b"".join([bytes(piece) async for piece in answer.pieces(1)])

    return asyncio.run(ask())


def test_a_range_comes_with_the_facts_of_the_whole(server):
    """An answer tells where its body lies, and size and ETag of the whole object."""
    server.say(206, b"abcd", **RANGE)
    answer, data = get(f"{server.url}/d/a.tar")
    assert data == b"abcd"
    assert (answer.start, answer.end) == (2, 6)
    assert answer.facts == ObjectFacts("d/a.tar", 9, "e")
    assert server.asked[0][2]["range"] == "bytes=2-5"


@pytest.mark.parametrize(
    ("etag", "header", "value"),
    [
        ("e", "if-match", '"e"'),
        ("2015-10-21T07:28:00+00:00", "if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ('W/"e"', "if-match", None),
        ("", "if-match", None),
    ],
)
def test_a_version_is_a_precondition(server, etag, header, value):
    """A strong ETag is asked for with If-Match, a time with If-Unmodified-Since, a weak ETag not at all."""
    told = {"Last_Modified": "Wed, 21 Oct 2015 07:28:00 GMT"} if etag[:1] == "2" else {"ETag": etag or "e"}
    server.say(206, b"abcd", Content_Range="bytes 2-5/9", **({"ETag": '"e"'} if etag == "e" else told))
    get(f"{server.url}/a.tar", etag)
    assert server.asked[0][2].get(header) == value


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (412, b"", {}, FaultKind.CHANGED),
        (206, b"abcd", {"Content_Range": "bytes 2-5/9", "ETag": '"f"'}, FaultKind.CHANGED),
        (206, b"abcd", {"Content_Range": "bytes 2-5/9", "ETag": 'W/"f"'}, FaultKind.CHANGED),
        (416, b"", {}, FaultKind.NO_SUCH_RANGE),
        (200, b"<Error>", {}, FaultKind.NO_RANGES),
    ],
)
def test_answers_that_are_not_the_range_of_that_version(server, status, body, headers, kind):
    """Another version, no such range and no range at all are told apart."""
    server.say(status, body, **headers)
    with pytest.raises(Fault) as caught:
        get(f"{server.url}/a.tar", "e")
    assert caught.value.kind is kind


def test_a_server_without_ranges_still_tells_the_facts(server):
    """Size and ETag come from a whole answer where there are no ranges, and its body is not needed."""
    server.say(200, b"x" * 9, ETag='"e"')
    client, key = client_of(f"{server.url}/a.tar")
    assert asyncio.run(client.head(key)) == ObjectFacts("a.tar", 9, "e")


def test_an_empty_object_has_facts(server):
    """An object of no bytes has no first one, and is asked for its facts by themselves."""
    server.say(416)
    client, key = client_of(f"{server.url}/a.tar")
    with pytest.raises(Fault) as caught:
        asyncio.run(client.head(key))
    assert caught.value.kind is FaultKind.NO_SUCH_RANGE
    assert [method for method, *_ in server.asked] == ["GET", "HEAD"]


def test_one_client_serves_a_host(server):
    """Equal options and the same host share a client; other options, and URLs with a query, do not."""
    store = RemoteStore({"headers": {"a": "b"}})
    one = store.client(f"{server.url}/a.tar")[0]
    assert store.client(f"{server.url}/b/c.tar")[0] is one
    assert RemoteStore({"headers": {"a": "b"}}).client(f"{server.url}/a.tar")[0] is one
    assert RemoteStore({"headers": {"a": "c"}}).client(f"{server.url}/a.tar")[0] is not one
    assert store.client(f"{server.url}/a.tar?x=y")[0] is not one
