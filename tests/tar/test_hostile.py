"""What a hostile shard can waste: bounded time, bounded memory, and one image."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

import pytest

from tarlight.ledger import Ledger, LossReason, SkipReason
from tarlight.tar import read_records
from tests.tar.shards import (
    EXTENSIONS,
    jpeg_like,
    members,
    notes_by_kind,
    pad,
    pax_records,
    raw_header,
    raw_member,
    records,
    seal,
)

END = bytes(1024)
NEXT = raw_member(b"next.jpg", jpeg_like(600))
T = TypeVar("T")
HANG_S = 2.0
"""No limit of speed: only a hang takes longer."""


def bounded(work: Callable[[], T], megabytes: int = 64) -> T:
    """Do the work, and fail if it hangs or holds more than so much memory."""
    started = time.process_time()
    tracemalloc.start()
    try:
        result = work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 10 * HANG_S
    assert peak < megabytes << 20
    return result


@pytest.mark.parametrize(
    "size_field",
    [b"\x80" + (1 << 62).to_bytes(11), b"777777777777", b"77777777777\0"],
)
@pytest.mark.parametrize("flag", [b"0", b"x", b"L", b"g", b"S", b"1", b"5"])
@pytest.mark.parametrize("is_size_known", [True, False])
def test_no_size_field_allocates_or_hangs(size_field: bytes, flag: bytes, is_size_known: bool) -> None:
    """A giant size costs one member; with a known size the members after it are delivered."""
    data = raw_header(b"a.jpg", 0, flag, size_field=size_field) + pad(b"x" * 600) + NEXT + END
    size = len(data) if is_size_known else None
    found, _, stream = bounded(lambda: members(data, size=size), 4)
    assert stream.account.is_balanced
    assert not is_size_known or found[-1].name == "next.jpg"


@pytest.mark.parametrize("size_field", [b"\xff" * 12, b"-0000001000\0", b"\x80" + b"\xff" * 11])
def test_a_negative_or_absurd_size_is_a_bad_header(size_field: bytes) -> None:
    """A size that cannot be is damage, and the next member is delivered."""
    data = raw_header(b"a.jpg", 0, size_field=size_field) + pad(b"x" * 600) + NEXT + END
    found, (damage,), _ = members(data)
    assert [member.name for member in found] == ["next.jpg"]
    assert (damage.start, damage.end, damage.reason) == (0, 1536, LossReason.BAD_HEADER)


@pytest.mark.parametrize("flag", [b"x", b"L", b"K", b"g"])
def test_5000_extension_headers_in_a_row_are_one_loss(flag: bytes) -> None:
    """A chain of headers is cut at a bound, without recursion; the image after it is `name_lost`."""
    payload = pax_records(path="a.jpg") if flag in b"xg" else b"a.jpg\0"
    data = raw_member(b"h", payload, flag) * 5000 + NEXT + NEXT + END
    images, report = bounded(lambda: records(data))
    assert [image.flaw for image in images] == [SkipReason.NAME_LOST, None]
    assert len(report.losses) == 1
    assert not report.unbalanced_shards


def test_a_huge_pax_payload_is_not_read() -> None:
    """A PAX header of more than 1 MiB is passed over as damage."""
    payload = pax_records(comment="x" * (3 << 20), path="a.jpg")
    images, report = bounded(lambda: records(raw_member(b"h", payload, b"x") + NEXT + END), 16)
    assert [image.flaw for image in images] == [SkipReason.NAME_LOST]
    assert report.bytes_lost == len(raw_member(b"h", payload, b"x"))


def test_an_image_above_the_cap_is_not_held() -> None:
    """An image larger than `max_member_bytes` is skipped as too large, and passed over in constant memory."""
    block = bytes(1 << 20)

    def chunks():
        yield raw_header(b"big.jpg", 100 << 20)
        for _ in range(100):
            yield block
        yield NEXT + END

    ledger = Ledger()
    images = bounded(
        lambda: list(
            read_records(
                chunks(), shard="s", size=None, ledger=ledger, extensions=EXTENSIONS, max_member_bytes=1 << 20
            )
        ),
        8,
    )
    assert [image.flaw for image in images] == [SkipReason.TOO_LARGE, None]
    assert "max_member_bytes" in images[0].detail


def test_endless_sparse_maps_end() -> None:
    """A chain of sparse map blocks is passed block by block and ends at the next header."""
    header = bytearray(raw_header(b"a.bin", 0, b"S"))
    header[482] = 1
    more = bytearray(512)
    more[504] = 1
    data = seal(header) + bytes(more) * 20_000 + NEXT + END
    found, _, stream = bounded(lambda: members(data), 4)
    assert [member.name for member in found] == ["a.bin", "next.jpg"]
    assert stream.account.is_balanced


def test_many_damaged_headers_are_cheap() -> None:
    """Damage at every second block costs no more than reading it."""
    broken = b"X" + raw_header(b"a.jpg", 0)[1:]
    data = (broken + raw_header(b"b.txt", 0)) * 10_000 + END
    images, report = bounded(lambda: records(data))
    assert not images
    assert len(report.losses) == 10_000
    assert report.ignored == {".txt": 10_000}


def test_a_million_extensions_stay_bounded() -> None:
    """Members with ever new extensions are counted, and the counts stay bounded."""
    data = b"".join(raw_header(b"a.%06x" % number, 0) for number in range(20_000)) + END
    _, report = bounded(lambda: records(data), 16)
    assert sum(report.ignored.values()) == 20_000
    assert len(report.ignored) <= 1001


def test_notes_are_bounded() -> None:
    """A thousand oddities give a hundred notes and one that counts the rest."""
    data = (NEXT + bytes(512)) * 1000 + END
    _, _, stream = members(data)
    assert notes_by_kind(stream) == {"zero_block": 101}
    assert stream.notes[-1].text == "899 more notes of this kind"


def test_scanning_rubbish_is_linear() -> None:
    """Megabytes without any header are scanned in one pass and little memory."""
    data = NEXT + b"Y" + raw_header(b"y", 5)[1:] + jpeg_like(16 << 20)
    _, (damage,), _ = bounded(lambda: members(data), 8)
    assert (damage.start, damage.end) == (len(NEXT), len(data))
