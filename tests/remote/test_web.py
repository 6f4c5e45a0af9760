"""Web servers: presigned URLs, headers, and servers that know no ranges."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tarlight.errors import InputDeniedError
from tests.servers.proxy import Proxy
from tests.servers.start import moto_client

from .dataset import big, load, small


@pytest.fixture(scope="module")
def stored(web):
    """Shards of one range and of several."""
    web.put("web/0.tar", small())
    web.put("web/1.tar", big())
    return web


def test_presigned_urls(s3, moto_port, tmp_path):
    """A presigned URL of S3 is read over HTTP, query and all, and reads again."""
    s3.put("signed/a b.tar", small())
    url = moto_client(moto_port).generate_presigned_url(
        "get_object", Params={"Bucket": "bucket", "Key": "signed/a b.tar"}
    )
    assert "?" in url
    with Proxy(s3.port) as proxy:
        through = url.replace(f":{s3.port}", f":{proxy.port}")
        loaded = load(through)
        assert all("?" in request.target for request in proxy.requests)
    assert loaded.images == load(s3.url("signed"), s3.storage_options).images


def test_headers(stored):
    """`headers` of the storage options are sent with every request."""
    url = stored.url("web/0.tar").replace("/files/", "/guarded/")
    options = {"headers": {"X-Token": "open-sesame"}}
    assert load(url, options).images == load(stored.url("web/0.tar")).images
    with pytest.raises(InputDeniedError):
        load(url, on_error="raise")


@pytest.mark.parametrize("name", ["web/0.tar", "web/1.tar"])
def test_a_server_without_ranges(stored, name):
    """A server that sends the whole object for every range is read all the same, with few requests."""
    expected = load(stored.url(name))
    with Proxy(stored.port) as proxy:
        loaded = load(stored.at(proxy.port).url(name).replace("/files/", "/whole/"))
        assert len(proxy.requests) <= 3
    assert loaded.images == expected.images
    assert loaded.books == expected.books


def test_a_range_of_urls(stored):
    """A brace range over HTTP reads its shards in order."""
    both = load(stored.url("web") + "/{0..1}.tar")
    assert both.images == load(stored.url("web/0.tar")).images + load(stored.url("web/1.tar")).images


def test_every_request_for_bytes_asks_for_a_range(stored):
    """Ranges in flight together cover a large shard once."""
    with Proxy(stored.port) as proxy:
        load(stored.at(proxy.port).url("web/1.tar"))
        ranges = sorted((request.start, request.end) for request in proxy.gets())
    assert len(ranges) >= 3
    assert ranges[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
