"""Keys, ids, sidecars, and what the ledger is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.ledger import Ledger, Loss, SkipReason
from tarlight.tar import read_records
from tarlight.tar.holding import MAX_HELD
from tarlight.tar.name import last_extension, make_image_id, split_name
from tests.tar.shards import (
    EXTENSIONS,
    four_records,
    jpeg_like,
    notes_by_kind,
    raw_header,
    raw_member,
    records,
    split,
    write_shard,
)

JPEG = jpeg_like(600)
END = bytes(1024)


@pytest.mark.parametrize(
    ("name", "key", "field", "image_id"),
    [
        ("000031.jpg", "000031", "jpg", "000031"),
        ("./000031.jpg", "000031", "jpg", "000031"),
        ("a/000031.seg.json", "a/000031", "seg.json", "a/000031.seg"),
        ("000000.left.jpg", "000000", "left.jpg", "000000.left"),
        ("v1.2/a.b/000000.jpg", "v1.2/a.b/000000", "jpg", "v1.2/a.b/000000"),
        ("dir/.jpg", "dir/", "jpg", "dir/"),
        ("../escape.jpg", "../escape", "jpg", "../escape"),
        ("plain", "plain", "", "plain"),
    ],
)
def test_identity(name: str, key: str, field: str, image_id: str) -> None:
    """The key ends at the first dot after the last slash; the id keeps what lies before the extension."""
    assert split_name(name) == (key, field)
    assert make_image_id(*split_name(name)) == image_id


@given(st.text("ab./", max_size=12))
def test_key_and_field_make_up_the_name(name: str) -> None:
    """Nothing of a name is lost but a leading `./`, and only a field may hold the last extension."""
    key, field = split_name(name)
    assert (f"{key}.{field}" == name.removeprefix("./")) or (key == name.removeprefix("./") and not field)
    assert "." not in key.rpartition("/")[2]
    extension = last_extension(name)
    assert extension == "(none)" or f".{field}".endswith(extension)


@pytest.mark.parametrize("name", ["a.JPG", "a.Jpeg", "a.x.jpg", ".jpg", "a.png.jpeg"])
def test_the_last_extension_makes_an_image(name: str) -> None:
    """Extensions match in any case, and only the last one counts."""
    images, _ = records(raw_member(name.encode(), JPEG) + END)
    assert [(image.member, image.data) for image in images] == [(name, JPEG)]


def test_what_is_no_image_is_counted_by_extension_or_kind() -> None:
    """Everything else is in the ledger as ignored, by its last extension in lower case, or by kind."""
    names = [
        b"a.jpg.txt",
        b"b.TXT",
        b"jpg",
        b"._c.jpg",
        b"__MACOSX/d.jpg",
        b"x/__MACOSX/e.jpg",
        b"f." + b"g" * 40,
    ]
    data = b"".join(raw_member(name, b"x") for name in names) + raw_header(b"dir.jpg", 0, b"5") + END
    images, report = records(data)
    assert not images
    assert report.ignored == {".txt": 2, "(none)": 1, "appledouble": 3, "(long)": 1, "directory": 1}
    assert set(notes_by_kind(report)) == {"no_images"}


def test_an_empty_image_is_a_flaw() -> None:
    """An image without a byte is seen, and flawed as empty."""
    images, report = records(raw_member(b"a.jpg", b"") + END)
    assert [(image.flaw, image.data) for image in images] == [(SkipReason.EMPTY, None)]
    assert report.images_seen == 1


def test_undecodable_names_are_labels() -> None:
    """A name that is no UTF-8 is kept with surrogate escapes."""
    images, _ = records(raw_member(b"caf\xe9.jpg", JPEG) + END)
    assert images[0].member == "caf\udce9.jpg"


@pytest.mark.parametrize("fields", [(), ("txt",)])
@pytest.mark.parametrize("stop_after", [0, 1, 3, 4])
def test_exactly_the_yielded_images_are_seen(fields: tuple[str, ...], stop_after: int) -> None:
    """Closed at any image, the books have those it yielded, and those it held as undelivered."""
    data = four_records("pax").data
    ledger = Ledger()
    reader = read_records(
        split(data, 700), shard="s", size=len(data), ledger=ledger, extensions=EXTENSIONS, fields=fields
    )
    for _ in range(stop_after):
        next(reader)
    reader.close()
    report = ledger.report("stopped", 0.0)
    assert report.images_seen == stop_after + report.undelivered
    assert report.undelivered <= (1 if fields else 0)
    assert report.shards == 0


def test_an_image_is_its_own_copy() -> None:
    """The bytes of an image hold no chunk alive."""
    images, _ = records(four_records("ustar").data)
    assert all(type(image.data) is bytes for image in images)


def test_a_read_error_leaves_true_books() -> None:
    """When reading fails, the images that came before are counted and the error passes through."""
    data = four_records("ustar").data

    def broken():
        yield data[: len(data) // 2]
        raise OSError("gone")

    ledger = Ledger()
    images = []
    reader = read_records(broken(), shard="s", size=len(data), ledger=ledger, extensions=EXTENSIONS)
    with pytest.raises(OSError, match="gone"):
        images.extend(reader)
    assert ledger.report("failed", 0.0).images_seen == len(images) == 2


FIELDS = ("txt", "json", "seg.json", "npy", "cls")


@pytest.mark.parametrize("order", [1, -1])
def test_fields_of_the_record_are_attached(order: int) -> None:
    """Sidecars before and after an image are its fields: text decoded, JSON parsed, others as bytes."""
    parts = [
        ("a.jpg", JPEG),
        ("a.txt", "eine Höhle".encode()),
        ("a.JSON", b'{"n": 1}'),
        ("a.seg.json", b"[2]"),
        ("a.npy", b"\x93NUMPY"),
        ("a.left.jpg", JPEG),
    ][::order]
    shard = write_shard(
        "ustar", [*parts, ("b.jpg", JPEG), ("c.txt", b"alone"), ("d.jpg", JPEG), ("d.md", b"no")]
    )
    images, report = records(shard.data, fields=FIELDS)
    fields = {"txt": "eine Höhle", "json": {"n": 1}, "seg.json": [2], "npy": b"\x93NUMPY"}
    assert {image.member: image.fields for image in images} == {
        "a.jpg": fields,
        "a.left.jpg": fields,
        "b.jpg": {},
        "d.jpg": {},
    }
    assert [image.member for image in images] == list(shard.images)
    assert report.ignored == {".txt": 1, ".md": 1}
    assert not len(report.notes)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b"{"),
        ("a.json", b"[" * 100_000),
        ("a.json", b"9" * 5000),
        ("a.json", b"\xff\xfe\xff"),
        ("a.txt", b"caf\xe9"),
        ("a.txt", b" " * ((16 << 20) + 1)),
    ],
)
def test_a_broken_sidecar_is_a_note(name: str, data: bytes) -> None:
    """A sidecar that cannot be read is noted, and its image comes with the other fields."""
    shard = write_shard("ustar", [("a.jpg", JPEG), (name, data), ("a.cls", b"7")])
    images, report = records(shard.data, fields=FIELDS)
    assert [(image.data, image.fields) for image in images] == [(JPEG, {"cls": "7"})]
    assert notes_by_kind(report) == {"broken_field": 1}
    assert not report.ignored


def test_a_second_sidecar_of_one_field_is_noted() -> None:
    """The first of two sidecars with one name is attached; the second is ignored and noted."""
    shard = write_shard("ustar", [("a.jpg", JPEG), ("a.txt", b"one"), ("a.txt", b"two")])
    images, report = records(shard.data, fields=("txt",))
    assert images[0].fields == {"txt": "one"}
    assert report.ignored == {".txt": 1}
    assert notes_by_kind(report) == {"broken_field": 1}


def test_flawed_images_keep_their_place() -> None:
    """With fields, sound and flawed images still come in tar order."""
    entries = [("a.jpg", JPEG), ("a.left.jpg", b""), ("a.txt", b"x"), ("b.jpg", b""), ("c.jpg", JPEG)]
    shard = write_shard("ustar", entries)
    images, _ = records(shard.data, fields=("txt",))
    assert [image.member for image in images] == list(shard.images)


def test_one_key_with_many_parts_is_bounded() -> None:
    """A record with too many images is passed on in parts, noted once, with every image."""
    count = 3 * MAX_HELD + 7
    data = b"".join(raw_member(b"k.%06d.jpg" % number, b"x") for number in range(count))
    images, report = records(raw_member(b"k.txt", b"caption") + data + END, fields=("txt",))
    assert len(images) == report.images_seen == count
    assert all(image.fields == {"txt": "caption"} for image in images)
    assert notes_by_kind(report) == {"record_in_parts": 1}


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=3), st.integers(), max_size=5))
def test_json_comes_as_it_was_written(value: dict[str, int]) -> None:
    """A JSON sidecar is the value that was dumped."""
    shard = write_shard("ustar", [("a.jpg", JPEG), ("a.json", json.dumps(value).encode())])
    images, _ = records(shard.data, fields=("json",))
    assert images[0].fields == {"json": value}


def test_losses_name_their_neighbours() -> None:
    """A loss in the ledger says after and before which members it lies."""
    broken = b"X" + raw_member(b"b.jpg", JPEG)[1:]
    data = raw_member(b"a.jpg", JPEG) + broken + raw_member(b"c.jpg", JPEG) + END
    _, report = records(data)
    (loss,) = report.losses
    assert "after 'a.jpg'" in loss.detail
    assert "before 'c.jpg'" in loss.detail
    assert report.bytes_lost == loss.end - loss.start == len(broken)


@pytest.mark.parametrize("fields", [(), ("txt",)])
def test_losses_come_in_tar_order(fields: tuple[str, ...]) -> None:
    """Images and losses come in the order of their bytes, also when images wait for their fields."""
    broken = b"X" + raw_member(b"b.jpg", JPEG)[1:]
    sound = [raw_member(name, JPEG) for name in (b"a.jpg", b"c.jpg", b"c.right.jpg")]
    data = broken + sound[0] + broken + raw_member(b"a.txt", b"x") + sound[1] + broken + sound[2] + END
    items = list(
        read_records([data], shard="s", size=None, ledger=Ledger(), extensions=EXTENSIONS, fields=fields)
    )
    places = [item.start if isinstance(item, Loss) else item.offset for item in items]
    assert places == sorted(places)
    assert [type(item) for item in items].count(Loss) == 3
