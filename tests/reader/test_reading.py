"""Sound shards: what is delivered, under which id, in which order."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.stages.image.io.image_reader import ImageReaderStage

from .dataset import ids, images, jpeg, load, pipeline, pixels, record, write_shards, write_tar


def test_delivers_every_image(tmp_path):
    """Every image is delivered, in tar order, under its record's key, with the decoder's pixels."""
    write_shards(tmp_path, shards=3, records=5)
    result = load(str(tmp_path), batch_size=4)
    assert ids(result) == [f"{index:06d}" for index in range(15)]
    assert [len(batch.data) for batch in result] == [4, 1, 4, 1, 4, 1]
    for index, image in enumerate(images(result)):
        assert np.array_equal(image.image_data, pixels(jpeg(index)))
        assert image.image_data.flags.c_contiguous
        assert image.decoder == "turbo"
    report = result.report
    assert (report.outcome, report.shards, report.images_seen) == ("finished", 3, 15)
    assert report.ignored == {".txt": 15, ".json": 15}
    assert report.decoders == {"turbo": 15}
    assert report.is_balanced


def test_identity(tmp_path):
    """`image_path` is shard + member; `source` tells where the bytes lie and reads them again."""
    shard = write_tar(
        tmp_path / "a.tar", [("x/7.left.jpg", jpeg(1)), ("x/7.jpg", jpeg(2)), ("./8.JPEG", jpeg(3))]
    )
    found = images(load(shard))
    assert [image.image_id for image in found] == ["x/7.left", "x/7", "8"]
    assert [image.image_path for image in found] == [
        f"{shard}/x/7.left.jpg",
        f"{shard}/x/7.jpg",
        f"{shard}/./8.JPEG",
    ]
    for seed, image in enumerate(found, start=1):
        assert image.source.open() == jpeg(seed)
        with open(shard, "rb") as raw:  # noqa: PTH123 (an oracle of its own)
            raw.seek(image.source.offset)
            assert raw.read(image.source.size) == jpeg(seed)


def test_gzip(tmp_path):
    """A gzip shard gives the same images, and their sources can be read again."""
    members = [member for index in range(4) for member in record(index)]
    shard = write_tar(tmp_path / "a.tar.gz", members)
    result = load(shard)
    assert ids(result) == ["000000", "000001", "000002", "000003"]
    assert [image.source.open() for image in images(result)] == [jpeg(index) for index in range(4)]


def test_fields(tmp_path):
    """`fields` attaches captions as text and json as values; the batch keeps its partition's metadata."""
    write_shards(tmp_path, shards=1, records=3)
    result = load(str(tmp_path), fields=("txt", ".JSON"))
    for index, image in enumerate(images(result)):
        assert image.metadata == {"txt": f"picture number {index}", "json": {"index": index}}
    assert result.report.ignored == {}
    assert result[0].metadata["partition_index"] == 0


def test_broken_field(tmp_path):
    """A sidecar that does not parse costs its field and a note, not the image."""
    broken = [("1.jpg", jpeg(1)), ("1.json", b"{"), ("1.txt", b"\xff\xfe")]
    result = load(write_tar(tmp_path / "a.tar", broken), fields=("txt", "json"))
    assert images(result)[0].metadata == {}
    assert [note.kind for note in result.report.notes].count("broken_field") == 2


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_same_for_any_threads(tmp_path, threads):
    """Batches, ids and task ids do not depend on the number of threads."""
    write_shards(tmp_path, shards=4, records=90)
    expected = load(str(tmp_path), num_threads=3, batch_size=32)
    result = load(str(tmp_path), num_threads=threads, batch_size=32)
    assert [batch.task_id for batch in result] == [batch.task_id for batch in expected]
    assert [[i.image_id for i in batch.data] for batch in result] == [
        [i.image_id for i in batch.data] for batch in expected
    ]


def test_ids_do_not_depend_on_partitions(tmp_path):
    """Other partitions give the same ids in the same order, in other batches that never cross a border."""
    write_shards(tmp_path, shards=4, records=6)
    alone, together = (load(str(tmp_path), files_per_partition=n, batch_size=5) for n in (1, 3))
    assert ids(alone) == ids(together)
    assert [len(batch.data) for batch in together] == [5, 5, 5, 3, 5, 1]


def test_batch_ends_at_its_bytes(tmp_path):
    """A batch ends before `max_batch_bytes` of pixels are exceeded; a larger image goes alone."""
    sizes = [(10, 10), (10, 10), (40, 40), (10, 10), (10, 10), (10, 10)]
    members = [(f"{i}.jpg", jpeg(i, *size)) for i, size in enumerate(sizes)]
    result = load(write_tar(tmp_path / "a.tar", members), max_batch_bytes=700)
    assert [len(batch.data) for batch in result] == [2, 1, 2, 1]


def test_extensions(tmp_path):
    """`extensions` says which members are images; case and dot do not matter."""
    shard = write_tar(tmp_path / "a.tar", [("1.jpe", jpeg(1)), ("2.jpg", jpeg(2)), ("3.JFIF", jpeg(3))])
    result = load(shard, extensions=["jpe", ".jfif"])
    assert ids(result) == ["1", "3"]
    assert result.report.ignored == {".jpg": 1}


def test_stage_pickles():
    """A stage travels to a worker before `setup`."""
    stage = pickle.loads(pickle.dumps(ImageReaderStage(batch_size=7, fields=["txt"])))
    assert stage.options == ImageReaderStage(batch_size=7, fields=("txt",)).options


def test_both_names_of_the_batch_size():
    """`batch_size` and `dali_batch_size` are one option; two values for it are an error."""
    assert ImageReaderStage(dali_batch_size=7).options.batch_size == 7
    assert ImageReaderStage(7, dali_batch_size=7).options.batch_size == 7
    with pytest.raises(ArgumentError, match="dali_batch_size"):
        ImageReaderStage(7, dali_batch_size=8)


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("batch_size", 0, ArgumentError),
        ("batch_size", "100", ArgumentTypeError),
        ("batch_size", True, ArgumentTypeError),
        ("dali_batch_size", -1, ArgumentError),
        ("num_threads", 0, ArgumentError),
        ("num_gpus_per_worker", -0.5, ArgumentError),
        ("num_gpus_per_worker", 1.5, ArgumentError),
        ("num_gpus_per_worker", float("nan"), ArgumentError),
        ("verbose", "yes", ArgumentTypeError),
        ("decoder", "magic", ArgumentError),
        ("decoder", 3, ArgumentTypeError),
        ("extensions", ".png", ArgumentError),
        ("extensions", (), ArgumentError),
        ("fields", "txt,json", ArgumentError),
        ("fields", 3, ArgumentTypeError),
        ("on_error", "ignore", ArgumentError),
        ("max_failures", -1, ArgumentError),
        ("max_failures", 1.5, ArgumentError),
        ("damaged", "keep", ArgumentError),
        ("exif_orientation", None, ArgumentTypeError),
        ("max_pixels", 0, ArgumentError),
        ("max_scans", 0, ArgumentError),
        ("max_member_bytes", 0, ArgumentError),
        ("max_batch_bytes", "1GiB", ArgumentTypeError),
        ("storage_options", "key=secret", ArgumentTypeError),
        ("name", 7, ArgumentTypeError),
    ],
)
def test_arguments_are_checked(argument, value, error):
    """A wrong value or type is an error that names the argument, before anything is read."""
    with pytest.raises(error, match=argument):
        ImageReaderStage(**{argument: value})


def test_describe_states_the_memory_bound(tmp_path):
    """`describe` names the decoder, the threads and the memory that the reader may take."""
    text = pipeline(str(tmp_path)).describe()
    for words in ("turbo", "256 MiB read ahead", "1024 MiB in the batch", "1 reading, 2 decoding"):
        assert words in text


def test_describe_states_what_decides_about_images():
    """`describe` tells how images are verified, what becomes of bad ones, and the caps."""
    told = ImageReaderStage(
        verify="strict", on_error="raise", max_failures=0.5, damaged="deliver", max_scans=7
    ).describe()
    shown = [told[name] for name in ("verify", "on_error", "max_failures", "damaged")]
    assert shown == ["strict", "raise", "0.5", "deliver"]
    assert told["caps"] == "178,956,970 pixels, 7 scans, 268,435,456 bytes a member"
    assert ImageReaderStage().describe()["max_failures"] == "none"


def test_verbose_tells_stderr(tmp_path, capfd):
    """`verbose=True` ends with the ledger on stderr; `False` prints nothing; stdout stays empty."""
    write_shards(tmp_path, shards=1, records=2)
    load(str(tmp_path))
    assert capfd.readouterr() == ("", "")
    load(str(tmp_path), verbose=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "delivered" in err
