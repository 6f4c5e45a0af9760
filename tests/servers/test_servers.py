"""The servers and the proxy do what tests of tarlight rely on, seen with the client library alone."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

import pytest

from tests.servers import fault
from tests.servers.proxy import Proxy

DATA = bytes(range(256)) * 16


def fetch(url, first=None, last=None, **headers):
    """Body, status and headers of a GET, of a range where one is given."""
    asked = {} if first is None else {"Range": f"bytes={first}-{last}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers={**asked, **headers}), timeout=5) as got:
        return got.read(), got.status, got.headers


@pytest.fixture
def file(web):
    """A file on the web server."""
    web.put("a b%+ü.bin", DATA)
    return web


@pytest.fixture
def front(file):
    """A proxy before the web server, and the file's URL through it."""
    with Proxy(file.port) as proxy:
        yield proxy, file.at(proxy.port).url("a b%+ü.bin")


def test_the_web_server_serves_ranges(file):
    """A range gives just its bytes, and a name with odd characters is found."""
    body, status, headers = fetch(file.url("a b%+ü.bin"), 10, 19)
    assert (body, status) == (DATA[10:20], 206)
    assert headers["Content-Range"] == f"bytes 10-19/{len(DATA)}"


def test_the_web_server_without_ranges_gives_all(file):
    """Below /whole/ a range is not heeded."""
    body, status, _ = fetch(file.url("a b%+ü.bin").replace("/files/", "/whole/"), 10, 19)
    assert (body, status) == (DATA, 200)


def test_the_guarded_folder_asks_for_a_header(file):
    """Below /guarded/ only requests with the header are served."""
    url = file.url("a b%+ü.bin").replace("/files/", "/guarded/")
    assert fetch(url, **{"X-Token": "open-sesame"})[0] == DATA
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(url)


def test_the_proxy_passes_on_and_counts(front):
    """Without rules the answer is the server's, and the request is on record with its range."""
    proxy, url = front
    assert fetch(url, 10, 19)[0] == DATA[10:20]
    (request,) = proxy.requests
    assert (request.method, request.start, request.end) == ("GET", 10, 20)
    assert request.covers(10)
    assert not request.covers(20)


def test_a_rule_strikes_as_often_as_it_was_told(front):
    """A fault that is to strike once strikes the first request that fits, and no other."""
    proxy, url = front
    proxy.add(fault.flip_bit(12), lambda request: request.covers(12), times=1)
    assert fetch(url, 0, 9)[0] == DATA[:10]
    assert fetch(url, 10, 19)[0] == DATA[10:12] + bytes([DATA[12] ^ 0x10]) + DATA[13:20]
    assert fetch(url, 10, 19)[0] == DATA[10:20]


@pytest.mark.parametrize("play", [fault.reset_at_once, fault.reset_in_body, fault.cut_body])
def test_broken_answers_are_seen_by_any_client(front, play):
    """A connection that breaks, or ends before the announced length, is an error for the standard library."""
    proxy, url = front
    proxy.add(play)
    with pytest.raises((OSError, http.client.HTTPException)):
        fetch(url, 0, 2000)


@pytest.mark.parametrize(("play", "length"), [(fault.short_with_lie, 1000), (fault.long_with_lie, 3000)])
def test_lies_about_the_length_are_seen_by_no_client(front, play, length):
    """A body whose length fits its header arrives, although it is not what was asked for."""
    proxy, url = front
    proxy.add(play)
    assert len(fetch(url, 0, 1999)[0]) == length


def test_an_error_page_comes_with_status_200(front):
    """The error page has the status of success."""
    proxy, url = front
    proxy.add(fault.error_page)
    body, status, _ = fetch(url, 0, 1999)
    assert status == 200
    assert b"<Error>" in body


def test_a_replaced_object_has_another_etag(front, file):
    """An object that is replaced before the second request has another ETag in its answer."""
    proxy, url = front
    proxy.add(fault.replaced(lambda: file.put("a b%+ü.bin", DATA)), lambda request: request.start == 10)
    assert fetch(url, 0, 9)[2]["ETag"] != fetch(url, 10, 19)[2]["ETag"]


def test_each_store_lists_what_was_put(bucket):
    """Each store that lists gives the objects below a prefix, with their sizes."""
    bucket.put("listed/a b.tar", DATA)
    assert [(row["path"], row["size"]) for row in _rows(bucket)] == [("listed/a b.tar", len(DATA))]


def _rows(bucket):
    from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415

    stores = {"s3": S3Store, "gcs": GCSStore, "azure": AzureStore}
    name = bucket.root.partition("://")[2]
    store = stores[bucket.name](name, client_options={"allow_http": True}, **bucket.storage_options)
    return [row for page in store.list("listed/") for row in page]
