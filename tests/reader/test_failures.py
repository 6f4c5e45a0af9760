"""Bad input: each image and each byte that is not delivered has its entry, and the rest is delivered."""

from __future__ import annotations

import bz2
import os
import struct
from pathlib import Path

import pytest

from tarlight.errors import ArgumentError, ImageError, InputMissingError, TarError, TooManyFailuresError

from .dataset import ids, images, jpeg, load, pipeline, record, write_shards, write_tar

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


def bomb():
    """A JPEG whose header asks for 65,000 x 65,000 pixels."""
    data = bytearray(jpeg(1))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    return bytes(data)


BAD = {
    "empty": b"",
    "not_jpeg": PNG,
    "truncated": jpeg(1)[:-40],
    "too_many_pixels": bomb(),
}


@pytest.mark.parametrize("reason", BAD)
@pytest.mark.parametrize("decoder", ["turbo", "pillow"])
def test_one_bad_image_costs_one_image(tmp_path, reason, decoder):
    """A bad image between good ones is skipped with its reason, key, shard, member and offset."""
    shard = write_tar(tmp_path / "a.tar", [("0.jpg", jpeg(0)), ("1.jpg", BAD[reason]), ("2.jpg", jpeg(2))])
    result = load(shard, decoder=decoder)
    assert ids(result) == ["0", "2"]
    (skip,) = result.report.skips
    assert (skip.reason, skip.key, skip.shard, skip.member) == (reason, "1", shard, "1.jpg")
    assert skip.offset == images(result)[0].source.offset + (len(jpeg(0)) + 511) // 512 * 512 + 512
    assert result.report.images_skipped == {reason: 1}
    assert result.report.is_balanced


def test_raise_stops_at_the_first_bad_image(tmp_path):
    """`on_error="raise"` names shard, member, offset and reason; full batches before it were delivered."""
    members = [(f"{i}.jpg", BAD["empty"] if i == 5 else jpeg(i)) for i in range(9)]
    shard = write_tar(tmp_path / "a.tar", members)
    run = pipeline(shard, on_error="raise", batch_size=2).stream()
    delivered = []
    with pytest.raises(ImageError, match=r"a\.tar: 5\.jpg at offset \d+: empty"):
        delivered.extend(image.image_id for batch in run for image in batch.data)
    assert delivered == ["0", "1", "2", "3"]
    assert run.report.outcome == "failed"
    assert run.report.is_balanced


def test_raise_stops_at_damage(tmp_path):
    """`on_error="raise"` stops at damage of the tar, naming the range, after the images before it."""
    shard = write_tar(tmp_path / "a.tar", [(f"{i}.jpg", jpeg(i)) for i in range(4)])
    header = images(load(shard))[2].source.offset - 512
    with open(shard, "r+b") as raw:  # noqa: PTH123
        raw.seek(header + 130)
        raw.write(b"\xff")
    run = pipeline(shard, on_error="raise", batch_size=1).stream()
    with pytest.raises(TarError, match=f"bad_header from byte {header}"):
        list(run)
    assert run.report.images_delivered == 2
    assert run.report.is_balanced


def test_max_failures_counts(tmp_path):
    """`max_failures=n` lets n failures pass and stops at the next."""
    bad = [("0.jpg", jpeg(0)), *((f"{i}.jpg", b"") for i in range(1, 4)), ("4.jpg", jpeg(4))]
    shard = write_tar(tmp_path / "a.tar", bad)
    assert load(shard, max_failures=3).report.images_delivered == 2
    run = pipeline(shard, max_failures=2).stream()
    with pytest.raises(TooManyFailuresError, match="max_failures=2"):
        list(run)
    assert run.report.is_balanced


def test_max_failures_as_a_fraction(tmp_path):
    """A fraction is looked at once a hundred images were seen."""
    early = [(f"{i:03d}.jpg", b"" if i < 3 else jpeg(i)) for i in range(150)]
    assert load(write_tar(tmp_path / "few.tar", early), max_failures=0.02).report.images_delivered == 147
    late = [(f"{i:03d}.jpg", b"" if i % 10 == 0 else jpeg(i)) for i in range(150)]
    with pytest.raises(TooManyFailuresError, match=r"max_failures=0\.02"):
        load(write_tar(tmp_path / "many.tar", late), max_failures=0.02)


def test_duplicate_names(tmp_path):
    """Of two members with one name the first is delivered; after a skipped first, the second is."""
    long = "d/" * 40
    members = [
        ("1.jpg", jpeg(1)), ("1.jpg", jpeg(2)),
        ("2.jpg", b""), ("2.jpg", jpeg(3)),
        (f"{long}3.jpg", jpeg(4)), (f"{long}3.jpg", jpeg(5)),
    ]  # fmt: skip
    result = load(write_tar(tmp_path / "a.tar", members))
    assert ids(result) == ["1", "2", f"{long}3"]
    assert [image.image_data.tobytes() for image in images(result)] == [
        image.image_data.tobytes()
        for image in images(load(write_tar(tmp_path / "b.tar", [(f"{i}.jpg", jpeg(i)) for i in (1, 3, 4)])))
    ]
    assert result.report.images_skipped == {"duplicate_key": 2, "empty": 1}


def test_same_name_in_two_shards(tmp_path):
    """The same name in two shards is no duplicate."""
    for name in ("a", "b"):
        write_tar(tmp_path / f"{name}.tar", record(1))
    assert ids(load(str(tmp_path), files_per_partition=2)) == ["000001", "000001"]


@pytest.mark.parametrize("content", [b"", b"\0" * 1024], ids=["0 bytes", "empty archive"])
def test_nothing_inside(tmp_path, content):
    """A 0-byte shard and an empty archive deliver nothing, with a note and without an error."""
    (tmp_path / "a.tar").write_bytes(content)
    result = load(str(tmp_path))
    assert (list(result), result.report.images_seen) == ([], 0)
    assert len(result.report.notes) == 1
    assert result.report.is_balanced


def test_shard_without_images(tmp_path):
    """A shard without an image delivers nothing and is noted."""
    result = load(write_tar(tmp_path / "a.tar", [("a.txt", b"text")]))
    assert (list(result), result.report.ignored) == ([], {".txt": 1})
    assert [note.kind for note in result.report.notes] == ["no_images"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (jpeg(0), "not_a_tar"),
        (os.urandom(5_000), "not_a_tar"),
        (b"<html>404</html>", "not_a_tar"),
        (bz2.compress(b"x" * 5_000), "unsupported_compression"),
        (b"\xfd7zXZ\0" + b"x" * 600, "unsupported_compression"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 600, "unsupported_compression"),
        (b"\x04\x22\x4d\x18" + b"x" * 600, "unsupported_compression"),
    ],
)
def test_what_is_no_tar_is_lost_whole(tmp_path, content, reason):
    """A file that is no tar is one loss over all its bytes, and the other shards are delivered."""
    (tmp_path / "0.tar").write_bytes(content)
    write_tar(tmp_path / "1.tar", record(1))
    result = load(str(tmp_path))
    assert ids(result) == ["000001"]
    (loss,) = result.report.losses
    assert (loss.reason, loss.start, loss.end) == (reason, 0, len(content))
    assert result.report.bytes_lost == len(content)
    with pytest.raises(TarError, match=reason):
        load(str(tmp_path), on_error="raise")


def test_missing_input_is_an_error(tmp_path):
    """A path that is not there is an error before anything is read."""
    with pytest.raises(InputMissingError, match="nowhere"):
        load(str(tmp_path / "nowhere"))


def test_a_shard_that_shrinks_while_it_is_read(tmp_path):
    """A shard cut by someone else in mid-run is named as lost from there on, and the run goes on."""
    big = write_tar(tmp_path / "0.tar", [(f"{i:04d}.jpg", jpeg(i, 200, 200)) for i in range(400)])
    write_tar(tmp_path / "1.tar", record(7))
    size = Path(big).stat().st_size
    with pipeline(str(tmp_path), batch_size=1, max_batch_bytes=1).stream() as run:
        delivered = [next(run).data[0].image_id]
        os.truncate(big, size // 2)
        delivered += [image.image_id for batch in run for image in batch.data]
    assert delivered[-1] == "000007"
    losses = list(run.report.losses)
    assert losses[-1].reason == "read_failed"
    assert losses[-1].end == size
    assert run.report.is_balanced


def test_storage_options_that_no_store_has(tmp_path):
    """Options that no store knows are refused, and their values are not shown."""
    write_shards(tmp_path, shards=1, records=1)
    with pytest.raises(ArgumentError, match="storage_options") as caught:
        load(str(tmp_path), storage_options={"sceret": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_many_bad_images_take_bounded_memory(tmp_path):
    """Beyond 10,000 skips the report keeps the rest on disk, and gives all of them in order."""
    shard = write_tar(tmp_path / "a.tar", [(f"{i:05d}.jpg", b"") for i in range(10_050)])
    report = load(shard).report
    assert report.images_skipped == {"empty": 10_050}
    assert [skip.key for skip in report.skips] == [f"{i:05d}" for i in range(10_050)]
    report.save(tmp_path / "report.json")
    lines = (tmp_path / "report.skips.jsonl").read_text().splitlines()
    assert len(lines) == 10_050
