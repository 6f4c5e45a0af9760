"""Reading from the local disk, and reading one image again."""

from __future__ import annotations

import gzip
import os
import pickle
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tarlight.errors import (
    ArgumentError,
    InputDeniedError,
    InputMissingError,
    ShardChangedError,
    ShardReadError,
)
from tarlight.storage import ShardSource, Store, open_store
from tarlight.storage.local import CHUNK_BYTES, _read
from tarlight.tasks import ImageSource


@pytest.fixture
def shard(tmp_path):
    """A file of two and a half chunks."""
    path = tmp_path / "x.tar"
    path.write_bytes(os.urandom(CHUNK_BYTES * 5 // 2))
    return path


def listed(path):
    store: Store = open_store(str(path))
    return store, store.stat(str(path))


def open_files():
    return set(Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_chunks_are_the_file(tmp_path, size):
    """The chunks of a shard put together are its bytes, in pieces of at most 1 MiB, none empty."""
    path = tmp_path / "x.tar"
    path.write_bytes(os.urandom(size))
    store, stat = listed(path)
    chunks = list(store.chunks(stat))
    assert b"".join(chunks) == path.read_bytes()
    assert all(type(chunk) is bytes and 0 < len(chunk) <= CHUNK_BYTES for chunk in chunks)


def test_leaving_early_closes_the_file(shard):
    """An iterator that is closed in the middle leaves no file open."""
    store, stat = listed(shard)
    before = open_files()
    with closing(store.chunks(stat)) as chunks:
        next(chunks)
        assert open_files() > before
    assert open_files() == before


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 100), st.integers(0, 100))
def test_ranges_are_slices(tmp_path, offset, size):
    """A range inside the shard is that slice of the file; one that leaves it is an error."""
    path = tmp_path / "x.tar"
    if not path.exists():
        path.write_bytes(bytes(range(100)))
    store, stat = listed(path)
    if offset + size <= 100:
        assert store.read(stat, offset, size) == bytes(range(100))[offset : offset + size]
    else:
        with pytest.raises(ShardReadError, match=rf"bytes {offset} to {offset + size} .* 100 bytes"):
            store.read(stat, offset, size)


def test_a_range_beyond_the_end_allocates_nothing(shard):
    """A size from a hostile header is compared with the file before memory is asked for."""
    store, stat = listed(shard)
    with pytest.raises(ShardReadError):
        store.read(stat, 0, 1 << 62)
    with pytest.raises(ArgumentError):
        store.read(stat, -1, 5)


def grow(path):
    with path.open("ab") as file:
        file.write(b"more")


def cut(path):
    os.truncate(path, CHUNK_BYTES // 2)


def overwrite(path):
    path.write_bytes(bytes(path.stat().st_size))
    os.utime(path, ns=(1, 1))


def replace(path):
    other = path.with_suffix(".new")
    other.write_bytes(b"other")
    other.rename(path)


@pytest.mark.parametrize("change", [grow, cut, overwrite, replace])
def test_a_shard_changed_before_reading_is_refused(shard, change):
    """A shard that is not the listed one any more gives no byte."""
    store, stat = listed(shard)
    change(shard)
    for read in (lambda: next(store.chunks(stat)), lambda: store.read(stat, 0, 1)):
        with pytest.raises(ShardChangedError, match=r"x.tar: the shard was changed"):
            read()


@pytest.mark.parametrize("change", [grow, cut, overwrite])
def test_a_shard_changed_while_it_is_read_is_noticed(shard, change):
    """A shard cut, grown or written over during the reading does not end as if nothing had happened."""
    store, stat = listed(shard)
    chunks = store.chunks(stat)
    next(chunks)
    change(shard)
    with pytest.raises(ShardChangedError):
        list(chunks)


def test_a_shard_replaced_while_it_is_read_is_read_to_its_end(shard):
    """A new file under the same name does not disturb the one that is open."""
    store, stat = listed(shard)
    data, chunks = shard.read_bytes(), store.chunks(stat)
    first = next(chunks)
    replace(shard)
    assert b"".join([first, *chunks]) == data


def test_a_pipe_in_the_shards_place_does_not_hang(shard):
    """A shard that became a named pipe is a changed shard, and opening it does not wait for a writer."""
    store, stat = listed(shard)
    shard.unlink()
    os.mkfifo(shard)
    with pytest.raises(ShardChangedError):
        next(store.chunks(stat))


def test_missing_and_denied_shards_are_named_when_opened(unprivileged):
    """A shard that went away or was locked after the listing is our error, and a built-in one."""
    Path("x.tar").write_bytes(b"bytes")
    store, stat = listed("x.tar")
    Path("x.tar").chmod(0)
    with unprivileged(), pytest.raises(InputDeniedError, match=r"^x.tar: permission denied"):
        next(store.chunks(stat))
    Path("x.tar").unlink()
    with pytest.raises(InputMissingError, match=r"^x.tar: "):
        store.read(stat, 0, 1)


def test_a_read_error_has_its_offset():
    """An error in the middle of reading is ours and names the byte."""
    # A descriptor's own memory: page 0 of a process can be opened and not read, for root as well.
    file = os.open("/proc/self/mem", os.O_RDONLY)
    try:
        with pytest.raises(ShardReadError, match=r"^mem.tar: .*at byte 0"):
            _read(file, "mem.tar", 10, 0)
    finally:
        os.close(file)


def test_stores_and_stats_pickle(shard):
    """A store and what it found work in another process."""
    store, stat = pickle.loads(pickle.dumps(listed(shard)))
    assert b"".join(store.chunks(stat)) == shard.read_bytes()


def source_of(path, **facts):
    _, stat = listed(path)
    return ShardSource(**{"shard": str(path), "member": "a.jpg", "version": stat.version, **facts})


def test_a_source_reads_its_image_again(shard):
    """A source gives the bytes at its place, also after pickling."""
    source = pickle.loads(pickle.dumps(source_of(shard, offset=1000, size=70000)))
    assert isinstance(source, ImageSource)
    assert source.open() == shard.read_bytes()[1000:71000]
    assert source.open(storage_options={}) == source.open()


@pytest.mark.parametrize("change", [grow, cut, overwrite, replace])
def test_a_source_of_a_changed_shard_is_refused(shard, change):
    """An image is never read from a shard that is another one now."""
    source = source_of(shard, offset=0, size=10)
    change(shard)
    with pytest.raises(ShardChangedError, match=r"a\.jpg"):
        source.open()
    shard.unlink()
    with pytest.raises(InputMissingError):
        source.open()


def test_a_replacement_of_the_same_size_and_time_is_another_shard(shard):
    """The inode tells a replaced file from the one that was read, even with size and time kept."""
    source, facts = source_of(shard, offset=0, size=10), shard.stat()
    other = shard.with_suffix(".new")
    other.write_bytes(bytes(facts.st_size))
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.rename(shard)
    with pytest.raises(ShardChangedError):
        source.open()


@pytest.mark.parametrize("members", [1, 3])
def test_a_source_in_gzip_counts_inflated_bytes(tmp_path, members):
    """An image in a gzip shard, of one member or several, is found by its inflated offset."""
    data = os.urandom(3_000_000)
    step = len(data) // members
    path = tmp_path / "x.tar.gz"
    path.write_bytes(b"".join(gzip.compress(data[at : at + step], 1) for at in range(0, len(data), step)))
    for offset, size in ((0, 10), (step - 10, 20), (2_500_000, 500_000), (5, 0)):
        expected = data[offset : offset + size]
        assert source_of(path, offset=offset, size=len(expected), inflated=True).open() == expected
    with pytest.raises(ShardReadError, match="ends before"):
        source_of(path, offset=len(data) - 5, size=10, inflated=True).open()


def test_a_damaged_gzip_gives_what_lies_before_the_damage(tmp_path):
    """An image before a cut is read; one behind it is an error that names the range."""
    data = os.urandom(100_000)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(data)[:50_000])
    assert source_of(path, offset=20_000, size=10_000, inflated=True).open() == data[20_000:30_000]
    with pytest.raises(ShardReadError, match=r"inflating bytes 90000 to 90010"):
        source_of(path, offset=90_000, size=10, inflated=True).open()
    path.write_bytes(b"no gzip at all")
    with pytest.raises(ShardReadError):
        source_of(path, offset=0, size=1, inflated=True).open()
