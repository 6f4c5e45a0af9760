"""One contract for four stores: what `Store` promises, each real server keeps."""

from __future__ import annotations

import pickle
import random

import pytest

from tarlight.errors import InputMissingError, ShardChangedError, ShardReadError
from tarlight.storage import find_shards, open_store
from tarlight.storage.route import location

from .dataset import MIB

NAMES = ["plain.tar", "a b.tar", "50%.tar", "x%20y.tar", "a+b.tar", "ü.tar", "[0].tar", "~.tar", "'&=.tar"]
DATA = random.Random(1).randbytes(3 * MIB)


def opened(server, key):
    """The store and what it says of an object."""
    url = server.url(key)
    store = open_store(url, server.storage_options)
    return store, store.stat(location(url))


def read_whole(server, key):
    """The bytes of an object."""
    store, stat = opened(server, key)
    return b"".join(store.chunks(stat))


def read_all(server, pattern):
    """Read whatever a pattern names."""
    for shard in find_shards([pattern], storage_options=server.storage_options).shards:
        list(open_store(shard.path, server.storage_options).chunks(shard))


def listed(server, prefix, **options):
    return find_shards([server.url(prefix)], storage_options=server.storage_options, **options)


@pytest.mark.parametrize("key", NAMES)
def test_any_name_is_found_and_read(server, key):
    """An object is found under its name and read whole, whatever characters it has."""
    server.put(f"names/{key}", DATA[:1000])
    store, stat = opened(server, f"names/{key}")
    assert b"".join(store.chunks(stat)) == DATA[:1000]


@pytest.mark.parametrize("size", [0, 1, 1000, MIB, 3 * MIB])
def test_an_object_is_read_whole(server, size):
    """Chunks put together are the object, of any size down to none."""
    server.put(f"sizes/{size}.tar", DATA[:size])
    store, stat = opened(server, f"sizes/{size}.tar")
    assert stat.size in {size, None}
    assert b"".join(store.chunks(stat)) == DATA[:size]


def test_a_large_object_is_read_whole(server):
    """An object of several ranges is put together in order."""
    data = random.Random(2).randbytes(37 * MIB + 11)
    server.put("large/00.tar", data)
    store, stat = opened(server, "large/00.tar")
    assert b"".join(store.chunks(stat)) == data


@pytest.mark.parametrize(("offset", "size"), [(0, 1), (0, 1000), (512, 100), (999, 1), (0, 0), (1000, 0)])
def test_a_range_is_read_exactly(server, offset, size):
    """A range gives just its bytes."""
    server.put("range.tar", DATA[:1000])
    store, stat = opened(server, "range.tar")
    assert store.read(stat, offset, size) == DATA[offset : offset + size]


@pytest.mark.parametrize(("offset", "size"), [(990, 11), (1000, 1), (5000, 1)])
def test_a_range_beyond_the_end_is_an_error(server, offset, size):
    """A range that does not lie in the object is an error, never fewer bytes."""
    server.put("range.tar", DATA[:1000])
    store, stat = opened(server, "range.tar")
    with pytest.raises(ShardReadError):
        store.read(stat, offset, size)


def test_a_missing_object_is_missing(server):
    """An object that is not there is `InputMissingError`, which names it."""
    server.put("there.tar", b"")
    with pytest.raises(InputMissingError, match="nowhere"):
        read_whole(server, "nowhere.tar")


def test_a_changed_object_is_not_read(server):
    """An object that was replaced since it was listed is `ShardChangedError`."""
    server.put("changed.tar", DATA[:1000])
    store, stat = opened(server, "changed.tar")
    server.put("changed.tar", DATA[1:1001])
    if stat.version:
        with pytest.raises(ShardChangedError, match="changed"):
            store.read(stat, 0, 10)
        with pytest.raises(ShardChangedError, match="changed"):
            list(store.chunks(stat))


def test_a_folder_is_listed_in_natural_order(bucket):
    """A listing has the shards below a folder, with sizes, 9 before 10, and nothing of its neighbours."""
    for key in ("10.tar", "9.tar", "deep/er/1.tar", "note.txt"):
        bucket.put(f"folder/{key}", DATA[: len(key)])
    bucket.put("folder2/1.tar", b"")
    bucket.put("folder.tar", b"")
    found = listed(bucket, "folder").shards
    assert [shard.path for shard in found] == [
        bucket.url(f"folder/{key}") for key in ("9.tar", "10.tar", "deep/er/1.tar")
    ]
    assert [shard.size for shard in found] == [5, 6, 13]


def test_a_range_of_names_is_found(server):
    """A brace range gives its shards in order."""
    for number in range(8, 12):
        server.put(f"numbered/{number:02d}.tar", DATA[:number])
    pattern = server.url("numbered") + "/{08..11}.tar"
    found = find_shards([pattern], storage_options=server.storage_options).shards
    assert [shard.path.rpartition("/")[2] for shard in found] == ["08.tar", "09.tar", "10.tar", "11.tar"]


def test_a_hole_in_a_range_of_names_is_an_error(server):
    """A shard missing from a brace range is named, before reading where the store lists."""
    server.put("holes/0.tar", DATA[:10])
    server.put("holes/2.tar", DATA[:10])
    pattern = server.url("holes") + "/{0..2}.tar"
    with pytest.raises(InputMissingError, match=r"1\.tar"):
        read_all(server, pattern)


def test_a_glob_is_found(bucket):
    """A glob gives what matches, in natural order."""
    for key in ("a1.tar", "a10.tar", "a2.tar", "b1.tar"):
        bucket.put(f"globbed/{key}", b"")
    found = listed(bucket, "globbed/a*.tar").shards
    assert [shard.path.rpartition("/")[2] for shard in found] == ["a1.tar", "a2.tar", "a10.tar"]


def test_an_empty_folder_is_missing(bucket):
    """A prefix below which nothing lies is an error."""
    with pytest.raises(InputMissingError):
        listed(bucket, "nothing/here")


def test_a_store_survives_pickling(server):
    """A store that has read pickles, and reads on the other side."""
    server.put("pickled.tar", DATA[:1000])
    store, stat = opened(server, "pickled.tar")
    again, same = pickle.loads(pickle.dumps((store, stat)))
    assert again.read(same, 5, 10) == DATA[5:15]
