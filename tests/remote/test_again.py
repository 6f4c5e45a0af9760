"""Images read again from a store: one range, the same bytes, the same pixels."""

from __future__ import annotations

import zlib

import pytest

from tarlight.errors import ShardChangedError

from .dataset import MIB, load, pipeline, shard


@pytest.fixture
def front(s3, proxy):
    """A shard of several MiB behind a proxy."""
    s3.put("again/00.tar", shard(4, ballast=MIB, seed=3))
    return s3.at(proxy.port)


def test_an_image_is_read_again_with_one_range(front, proxy):
    """`image.source.open` asks for just the bytes of that image."""
    with pipeline(front.url("again"), front.storage_options).stream() as stream:
        images = [image for batch in stream for image in batch.data]
    for image in images:
        proxy.requests.clear()
        data = image.source.open(storage_options=front.storage_options)
        (request,) = proxy.gets()
        assert (request.start, request.end) == (image.source.offset, image.source.offset + image.source.size)
        assert len(data) == image.source.size
        assert data.startswith(b"\xff\xd8")
        assert len(proxy.requests) <= 2


def test_released_pixels_come_again_from_the_store(server):
    """Images beyond `result_memory` have the same pixels when they are decoded again."""
    server.put("released/00.tar", shard(5))
    url, options = server.url("released/00.tar"), server.storage_options
    expected = load(url, options).images
    with pytest.warns(UserWarning, match=r"Pipeline\.stream"):
        batches = pipeline(url, options).run(result_memory=1)
    again = [image for batch in batches for image in batch.data]
    assert all(image.is_released for image in again)
    assert [(image.image_id, zlib.crc32(image.image_data)) for image in again] == expected


def test_a_shard_that_changed_is_not_read_again(server):
    """An image of a shard that was replaced is `ShardChangedError`, not other bytes."""
    server.put("exchanged/00.tar", shard(5))
    with pipeline(server.url("exchanged/00.tar"), server.storage_options).stream() as stream:
        image = next(stream).data[0]
    server.put("exchanged/00.tar", shard(5, seed=9))
    with pytest.raises(ShardChangedError, match=r"00\.tar"):
        image.source.open(storage_options=server.storage_options)
