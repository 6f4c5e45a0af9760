"""gzip shards: by magic, several members, and everything before damage."""

from __future__ import annotations

import gzip
import io
import itertools
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.ledger import LossReason
from tarlight.tar import Damage, iter_members
from tests.soak import repetitions
from tests.tar.shards import (
    four_records,
    jpeg_like,
    members,
    notes_by_kind,
    raw_header,
    records,
    split,
    write_shard,
)

SHARD = four_records("pax")
LARGE = write_shard("ustar", [(f"{n:03d}.jpg", jpeg_like(20_000, n)) for n in range(20)])


def names(data: bytes) -> list[str]:
    return [member.name for member in members(data)[0]]


def test_gzip_is_read_and_offsets_count_inflated_bytes() -> None:
    """A gzip shard gives the same members, offsets and account as the shard inside it."""
    found, damage, stream = members(gzip.compress(SHARD.data))
    plain, _, plain_stream = members(SHARD.data)
    assert found == plain
    assert not damage
    assert stream.is_inflated
    assert stream.account == plain_stream.account
    assert records(gzip.compress(SHARD.data))[0][0].inflated


@given(st.lists(st.integers(1, len(SHARD.data) - 1), max_size=4), st.sampled_from([1, 13, 4096]))
def test_members_of_gzip_are_joined(borders: list[int], step: int) -> None:
    """A stream of several gzip members, cut anywhere, is one shard; that is noted."""
    places = sorted({0, len(SHARD.data), *borders})
    pieces = [gzip.compress(SHARD.data[a:b]) for a, b in itertools.pairwise(places)]
    stream = iter_members(split(b"".join(pieces), step))
    assert [(item.name, bytes(item.data)) for item in stream] == SHARD.entries
    assert ("gzip_members" in notes_by_kind(stream)) == (len(pieces) > 1)


def test_optional_header_fields_are_passed() -> None:
    """Extra field, file name, comment and header checksum are passed over."""
    body = gzip.compress(SHARD.data, mtime=0)[10:]
    extra = b"\x04\0abcd"
    header = b"\x1f\x8b\x08\x1e" + bytes(6) + extra + b"name.tar\0" + b"a comment\0" + b"\x12\x34"
    assert names(header + body) == [name for name, _ in SHARD.entries]


@pytest.mark.parametrize(("tail", "kinds"), [(bytes(1000), set()), (b"garbage" * 99, {"trailing"})])
def test_what_follows_the_last_gzip_member(tail: bytes, kinds: set[str]) -> None:
    """Zeros after the stream are padding, other bytes a note."""
    _, damage, stream = members(gzip.compress(SHARD.data) + tail)
    assert not damage
    assert set(notes_by_kind(stream)) == kinds


@pytest.mark.parametrize("where", [-8, -1])
def test_a_wrong_checksum_is_a_note(where: int) -> None:
    """A wrong CRC or length at the end costs nothing: every member has been delivered."""
    data = bytearray(gzip.compress(SHARD.data))
    data[where] ^= 0xFF
    found, damage, stream = members(bytes(data))
    assert len(found) == len(SHARD.entries)
    assert not damage
    assert set(notes_by_kind(stream)) == {"gzip_crc"}


def test_a_cut_gzip_delivers_what_it_can() -> None:
    """Wherever a gzip stream is cut, what can be inflated is delivered and the rest is named."""
    data = gzip.compress(LARGE.data)
    chooser = random.Random(31)
    for cut in chooser.choices(range(1, len(data) - 8), k=repetitions(40, 400)):
        images, report = records(data[:cut])
        inflated = zlib.decompressobj(31).decompress(data[:cut])
        whole = [
            name
            for (name, _), payload in zip(LARGE.entries, LARGE.payloads, strict=True)
            if payload.stop <= len(inflated)
        ]
        assert [image.member for image in images if image.flaw is None] == whole
        (loss,) = report.losses
        assert loss.reason in (LossReason.GZIP_ERROR, LossReason.NOT_A_TAR)
        assert not report.unbalanced_shards


def test_a_corrupt_gzip_delivers_what_comes_before() -> None:
    """After a flipped byte, images before it have their bytes, and the loss gives the compressed offset."""
    data = gzip.compress(LARGE.data)
    chooser = random.Random(32)
    for offset in chooser.choices(range(200, len(data) - 8), k=repetitions(40, 400)):
        broken = data[:offset] + bytes([data[offset] ^ (1 << chooser.randrange(8))]) + data[offset + 1 :]
        images, report = records(broken)
        before = len(zlib.decompressobj(31).decompress(data[:offset]))
        whole = [
            name
            for (name, _), payload in zip(LARGE.entries, LARGE.payloads, strict=True)
            if payload.stop < before - 300
        ]
        delivered = [image.member for image in images if image.data == LARGE.images.get(image.member)]
        assert delivered[: len(whole)] == whole
        assert all("compressed byte" in loss.detail for loss in report.losses)
        assert not report.unbalanced_shards


def test_gzip_chunks_change_nothing() -> None:
    """Members, damage and details of a broken gzip shard do not depend on the chunks."""
    data = bytearray(gzip.compress(LARGE.data))
    data[len(data) // 2] ^= 0x10

    def observe(step: int) -> list[object]:
        stream = iter_members(split(bytes(data), step))
        return (
            [item if isinstance(item, Damage) else item[:3] for item in stream]
            + stream.notes
            + [stream.account]
        )

    assert observe(1) == observe(1000) == observe(10**7)


def test_a_bomb_is_given_up() -> None:
    """A gigabyte of zeros in a megabyte is given up soon after 64 MiB, in little memory."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as bomb:
        bomb.write(raw_header(b"a.jpg", 1 << 30))
        for _ in range(160):
            bomb.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        _, (damage,), stream = members(buffer.getvalue())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert damage.reason is LossReason.INFLATES_TOO_MUCH
    assert damage.end < (64 << 20) + (1 << 20)
    assert stream.account.is_balanced
    assert peak < 16 << 20


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08", b"\x1f\x8b\x08\x08" + bytes(6) + b"name without end"])
def test_a_cut_gzip_header_is_a_gzip_error(data: bytes) -> None:
    """A stream that ends inside its header has lost everything, of unknown length."""
    _, (damage,), stream = members(data)
    assert (damage.start, damage.end, damage.reason) == (0, 0, LossReason.GZIP_ERROR)
    assert stream.account.is_balanced


def test_gzip_of_something_else_is_no_tar() -> None:
    """What inflates to no tar is lost as such."""
    _, (damage,), _ = members(gzip.compress(b"<html>" * 500))
    assert damage.reason is LossReason.NOT_A_TAR
    assert "HTML" in damage.detail
