"""Sound archives give exactly their members, however written and however cut into chunks."""

from __future__ import annotations

import io
import itertools
import tarfile
import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.tar import Damage, iter_members
from tests.tar.shards import DIALECTS, four_records, members, raw_header, split, write_shard

SIZES = st.sampled_from([0, 1, 511, 512, 513, 1024]) | st.integers(0, 3000)
PART = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]) | st.sampled_from("a.é-"),
    min_size=1,
    max_size=60,
).filter(lambda part: part not in (".", "..") and unicodedata.normalize("NFC", part) == part)
NAMES = st.lists(PART, min_size=1, max_size=6).map("/".join)
ENTRIES = st.lists(st.tuples(NAMES, SIZES.map(lambda size: b"\xa7" * size)), max_size=6)


def read_with_tarfile(data: bytes) -> list[tuple[str, int, int, bytes]]:
    """What Python's tarfile finds: name, offset, size, payload."""
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8") as tar:
        return [(info.name, info.offset_data, info.size, tar.extractfile(info).read()) for info in tar]


def fits(dialect: str, name: str) -> bool:
    """Whether a dialect can hold a name at all."""
    if dialect != "ustar":
        return True
    try:
        tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("dialect", DIALECTS)
@given(entries=ENTRIES, step=st.sampled_from([1, 7, 512, 1000, 10**6]))
def test_members_are_those_of_tarfile(dialect: str, entries: list[tuple[str, bytes]], step: int) -> None:
    """Names, offsets, sizes and bytes are what Python's tarfile reads, and every byte has its column."""
    entries = [entry for entry in entries if fits(dialect, entry[0])]
    data = write_shard(dialect, entries).data
    stream = iter_members(split(data, step), size=len(data))
    found = [(item.name, item.offset, item.size, bytes(item.data)) for item in stream]
    assert found == read_with_tarfile(data)
    account = stream.account
    assert account.is_balanced
    assert (account.size, account.end, account.lost) == (len(data), 1024, 0)
    assert account.payload == sum(len(payload) for _, payload in entries)


@st.composite
def cut_shards(draw) -> tuple[bytes, list[bytes]]:
    """A shard, perhaps with some bytes changed, and the same bytes in chunks of any lengths."""
    data = bytearray(four_records(draw(st.sampled_from(sorted(DIALECTS)))).data)
    for offset in draw(st.lists(st.integers(0, len(data) - 1), max_size=4)):
        data[offset] ^= draw(st.integers(1, 255))
    del data[draw(st.integers(1, len(data))) :]
    borders = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=12))})
    return bytes(data), [bytes(data[a:b]) for a, b in itertools.pairwise(borders)]


def observe(chunks: list[bytes], **options) -> tuple[list[object], object, list[object]]:
    """Everything that can be seen of a stream, with payloads as bytes."""
    stream = iter_members(chunks, **options)
    items = [
        item
        if isinstance(item, Damage)
        else item._replace(data=None if item.data is None else bytes(item.data))
        for item in stream
    ]
    return items, stream.account, stream.notes


@given(cut_shards())
def test_chunks_change_nothing(case: tuple[bytes, list[bytes]]) -> None:
    """Members, damage, account and notes depend on the bytes and not on how they were cut into chunks."""
    data, chunks = case
    whole = observe([data], size=len(data))
    assert observe(chunks, size=len(data)) == whole
    assert observe(split(data, 1), size=len(data)) == whole
    assert whole[1].is_balanced


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda data: memoryview(data).cast("h")])
def test_any_bytes_like_chunk_will_do(wrap) -> None:
    """Chunks may be bytes, bytearrays or memory views of any item type."""
    shard = four_records("pax")
    stream = iter_members([wrap(part) for part in split(shard.data, 4096)], size=len(shard.data))
    assert [(item.name, bytes(item.data)) for item in stream] == shard.entries


def test_a_payload_inside_a_chunk_is_not_copied() -> None:
    """The payload of a member that lies in one chunk is a view into it."""
    chunk = four_records("ustar").data
    assert all(item.data.obj is chunk for item in iter_members([chunk]))


def test_unwanted_payloads_are_not_handed_out() -> None:
    """`wanted` decides by name, for short and for long ones, and changes nothing else."""
    shard = four_records("gnu")
    found, _, stream = members(shard.data, wanted=lambda name: name.endswith(".jpg"))
    assert [member.name for member in found] == [name for name, _ in shard.entries]
    assert [member.name for member in found if member.data is not None] == list(shard.images)
    assert stream.account.is_balanced


def test_unwanted_payloads_take_constant_memory() -> None:
    """A payload that is passed over is never held: 256 MiB of it pass in less than 4 MiB."""
    block = bytes(1 << 16)

    def chunks():
        yield raw_header(b"big.bin", 1 << 28)
        yield from itertools.repeat(block, 1 << 12)

    tracemalloc.start()
    try:
        (member,) = list(iter_members(chunks(), wanted=lambda name: False))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (member.size, member.data, member.flaw) == (1 << 28, None, None)
    assert peak < 4 << 20


def test_a_stream_can_be_asked_item_by_item() -> None:
    """`next` and a loop read on from the same place."""
    shard = four_records("ustar")
    stream = iter_members([shard.data])
    first = next(stream)
    assert [first.name, *(item.name for item in stream)] == [name for name, _ in shard.entries]
    assert next(stream, None) is None


def test_errors_of_the_chunks_pass_through() -> None:
    """An error while reading is the caller's own, not swallowed and not translated."""
    shard = four_records("ustar")

    def broken():
        yield shard.data[:3000]
        raise OSError("the disk is gone")

    stream = iter_members(broken(), size=len(shard.data))
    with pytest.raises(OSError, match="the disk is gone"):
        list(stream)
