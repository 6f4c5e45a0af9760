"""What kinds of members there are, and that none of them loses the place."""

from __future__ import annotations

import pytest

from tests.tar.shards import jpeg_like, members, raw_header, raw_member, records, seal

END = bytes(1024)
NEXT = raw_member(b"next.jpg", jpeg_like(600))


@pytest.mark.parametrize("flag", [b"0", b"\0", b"7", b"Q", b"\xe9"])
def test_regular_and_unknown_flags_are_files(flag: bytes) -> None:
    """A type flag that nobody knows is a regular file, as POSIX asks."""
    found, _, _ = members(raw_member(b"a.jpg", b"data", flag) + NEXT + END)
    assert next((member.kind, bytes(member.data)) for member in found) == ("file", b"data")
    assert found[1].name == "next.jpg"


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        (b"1", "hardlink"),
        (b"2", "symlink"),
        (b"3", "character_device"),
        (b"4", "block_device"),
        (b"5", "directory"),
        (b"6", "fifo"),
    ],
)
@pytest.mark.parametrize("data", [b"", b"\xa7" * 700])
@pytest.mark.parametrize("declared", [0, 700])
def test_kinds_without_data_may_have_some(flag: bytes, kind: str, data: bytes, declared: int) -> None:
    """A link may declare its target's size and carry nothing, or carry it: the next header decides."""
    if data and not declared:
        return
    header = raw_header(b"a.jpg", declared, flag)
    found, damage, stream = members(header + data + bytes(-len(data) % 512) + NEXT + END)
    assert [(member.name, member.kind) for member in found] == [("a.jpg", kind), ("next.jpg", "file")]
    assert not damage
    assert stream.account.is_balanced


@pytest.mark.parametrize(
    ("flag", "kind"), [(b"D", "dumpdir"), (b"M", "continuation"), (b"V", "volume_label"), (b"N", "old_names")]
)
def test_gnu_kinds_are_passed_and_counted(flag: bytes, kind: str) -> None:
    """GNU's own kinds are ignored by kind, with their data."""
    images, report = records(raw_member(b"a.jpg", b"x" * 600, flag) + NEXT + END)
    assert [image.member for image in images] == ["next.jpg"]
    assert report.ignored == {kind: 1}


@pytest.mark.parametrize("flag", [b"g", b"K", b"A"])
def test_headers_about_other_things_are_passed(flag: bytes) -> None:
    """Global headers, long links and ACLs name nothing and are counted as header bytes."""
    found, damage, stream = members(raw_member(b"h", b"17 path=other.jpg\n", flag) + NEXT + END)
    assert [member.name for member in found] == ["next.jpg"]
    assert not damage
    assert stream.account.header == 3 * 512


def test_version_7_marks_directories_by_a_slash() -> None:
    """A name that ends in a slash is a directory where the type flag is NUL, and a file's name elsewhere."""
    found, _, _ = members(raw_header(b"d/", 0, b"\0") + raw_header(b"e/", 0) + END)
    assert [member.kind for member in found] == ["directory", "file"]


def test_old_sparse_maps_are_passed() -> None:
    """A sparse member's map may go on in more blocks; it is ignored and the next member read."""
    header = bytearray(raw_header(b"a.jpg", 512, b"S"))
    header[482] = 1
    from_map = bytearray(512)
    from_map[504] = 1
    data = seal(header) + bytes(from_map) + b"\1" + bytes(511) + b"\xa7" * 512 + NEXT + END
    images, report = records(data)
    assert [image.member for image in images] == ["next.jpg"]
    assert report.ignored == {"sparse": 1}
    assert not report.losses
