"""What lies at and after the end of an archive."""

from __future__ import annotations

import pytest

from tarlight.ledger import LossReason
from tests.tar.shards import four_records, jpeg_like, members, notes_by_kind, pad, raw_member

ONE = raw_member(b"a.jpg", jpeg_like(600))
TWO = raw_member(b"b.jpg", jpeg_like(900, 2))
END = bytes(1024)
NOISE = jpeg_like(1024, 3)


def names(data: bytes) -> list[str]:
    return [member.name for member in members(data)[0]]


@pytest.mark.parametrize(
    ("data", "found", "kinds"),
    [
        (b"", [], {"empty"}),
        (END, [], {"empty"}),
        (bytes(10240), [], {"empty"}),
        (bytes(100), [], {"empty"}),
        (ONE + END, ["a.jpg"], set()),
        (ONE + END + bytes(10240), ["a.jpg"], set()),
        (ONE + END + bytes(77), ["a.jpg"], set()),
        (ONE + bytes(512), ["a.jpg"], set()),
        (ONE, ["a.jpg"], {"missing_end"}),
        (ONE + END + NOISE, ["a.jpg"], {"trailing"}),
        (ONE + END + b"short", ["a.jpg"], {"trailing"}),
        (ONE + END + TWO + END, ["a.jpg", "b.jpg"], {"concatenated"}),
        (ONE + bytes(512) + TWO + END, ["a.jpg", "b.jpg"], {"zero_block"}),
    ],
)
def test_endings_are_notes(data: bytes, found: list[str], kinds: set[str]) -> None:
    """Whatever follows the last member of a sound archive costs nothing; what is odd about it is noted."""
    _, damage, stream = members(data)
    assert names(data) == found
    assert not damage
    assert set(notes_by_kind(stream)) == kinds
    assert stream.account.is_balanced


def test_trailing_bytes_have_their_own_column() -> None:
    """Bytes after the end mark are `trailing`, zeros around them are `end`."""
    account = members(ONE + END + NOISE + bytes(2048))[2].account
    assert (account.trailing, account.end, account.lost) == (len(NOISE), len(END) + 2048, 0)


def test_noise_between_two_archives_is_lost() -> None:
    """When an archive follows the bytes after an end mark, they stood where a header should have been."""
    data = ONE + END + NOISE + TWO + END
    found, (damage,), _ = members(data)
    assert [member.name for member in found] == ["a.jpg", "b.jpg"]
    assert (damage.start, damage.end) == (len(ONE + END), len(ONE + END + NOISE))
    assert (damage.reason, damage.after, damage.before) == (LossReason.BAD_HEADER, "a.jpg", "b.jpg")


def test_a_damaged_header_after_an_end_mark_is_lost() -> None:
    """A block after an end mark that still has the magic was a header, so its image is lost, not trailing."""
    broken = b"X" + TWO[1:]
    _, (damage,), stream = members(ONE + END + broken + END)
    assert (damage.start, damage.end) == (len(ONE + END), len(ONE + END + broken))
    assert damage.reason is LossReason.BAD_HEADER
    assert not stream.account.trailing


def test_damage_names_both_neighbours() -> None:
    """Damage says which members it lies between."""
    broken = b"X" + TWO[1:]
    _, (damage,), _ = members(ONE + broken + raw_member(b"c.jpg", b"c") + END)
    assert (damage.after, damage.before) == ("a.jpg", "c.jpg")
    assert (damage.start, damage.end) == (len(ONE), len(ONE + broken))


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (jpeg_like(5000), "JPEG"),
        (b'<?xml version="1.0"?><Error/>', "XML or HTML"),
        (b"\n<!DOCTYPE html>" + b" " * 3000, "XML or HTML"),
        (b'{"error": 404}', "JSON"),
        (b"\x8f" * 700, "no tar header"),
        (b"\0" * 512 + b"\x8f" * 700, "no tar header"),
        (b"x", "no tar header"),
    ],
)
def test_what_is_no_tar_is_lost_as_a_whole(data: bytes, looks: str) -> None:
    """A file without a single sound header is one loss over all of its bytes, and says what it looks like."""
    found, (damage,), stream = members(data)
    assert not found
    assert (damage.start, damage.end, damage.reason) == (0, len(data), LossReason.NOT_A_TAR)
    assert looks in damage.detail
    assert stream.account.is_balanced
    assert stream.account.lost == len(data)


@pytest.mark.parametrize(
    ("magic", "name"),
    [
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x50\x2a\x4d\x18", "zstd"),
        (b"\x04\x22\x4d\x18", "lz4"),
    ],
)
@pytest.mark.parametrize("is_size_known", [True, False])
def test_other_compressions_are_named(magic: bytes, name: str, is_size_known: bool) -> None:
    """A compression that is not read is one loss over the file, and its detail names it."""
    data = magic + b"\x55" * 3000
    _, (damage,), stream = members(data, size=len(data) if is_size_known else None)
    assert (damage.start, damage.end) == (0, len(data))
    assert damage.reason is LossReason.UNSUPPORTED_COMPRESSION
    assert name in damage.detail
    assert stream.account.is_balanced


def test_a_member_may_be_named_like_a_compression() -> None:
    """A sound tar header wins over any magic at the start of its name."""
    assert names(raw_member(b"BZh9.jpg", b"x") + END) == ["BZh9.jpg"]


def test_a_size_beyond_the_end_costs_one_image() -> None:
    """A size that reaches over the end is not believed: that image is truncated, the next ones come."""
    shard = four_records("ustar")
    broken = raw_member(b"big.jpg", b"", size_field=b"77777777777\0") + pad(jpeg_like(700))
    found, (damage,), stream = members(broken + shard.data)
    assert [member.name for member in found] == ["big.jpg", *(name for name, _ in shard.entries)]
    assert found[0].flaw == "truncated"
    assert (damage.start, damage.end) == (512, len(broken))
    assert stream.account.is_balanced
