"""The sample dataset: what it promises about names, pictures, captions and damage."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from tarlight.errors import ArgumentError, ArgumentTypeError, InputDeniedError
from tarlight.sample import write_sample
from tarlight.sample.palette import PALETTES
from tarlight.sample.scene import FAMILIES, MAX_SIDE, MIN_SIDE, paint

NUM_IMAGES = 23


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A small dataset with damaged shards."""
    return write_sample(
        tmp_path_factory.mktemp("s") / "data", num_images=NUM_IMAGES, num_shards=3, damage=True
    )


def members(path):
    with tarfile.open(path) as archive:
        return [(entry.name, archive.extractfile(entry).read()) for entry in archive]


def damaged(sample, name):
    return Path(next(path for path, _ in sample.damaged if path.endswith(f"/{name}")))


def test_shards_and_keys_are_named_as_documented(sample):
    """Shards are numbered, and each starts a thousand of record keys with three members each."""
    assert [Path(path).name for path in sample.shards] == ["00000.tar", "00001.tar", "00002.tar"]
    names = [[name for name, _ in members(path)] for path in sample.shards]
    assert [len(shard) for shard in names] == [24, 24, 21]
    assert names[0][:4] == ["000000000.jpg", "000000000.txt", "000000000.json", "000000001.jpg"]
    assert names[1][0] == "000001000.jpg"
    assert sample.images == NUM_IMAGES == sum(map(len, names)) // 3


def test_every_picture_is_a_jpeg_that_fits_its_facts(sample):
    """Pictures decode in both decoders without complaint, have the stated size, and none is flat."""
    for path in sample.shards:
        record = dict(members(path))
        for name in [name for name in record if name.endswith(".jpg")]:
            facts = json.loads(record[name.replace(".jpg", ".json")])
            with Image.open(io.BytesIO(record[name])) as picture:
                assert (picture.format, picture.mode) == ("JPEG", "RGB")
                assert picture.size == (facts["width"], facts["height"])
            pixels = simplejpeg.decode_jpeg(record[name], strict=True)
            assert MIN_SIDE <= min(pixels.shape[:2]) <= max(pixels.shape[:2]) <= MAX_SIDE
            assert pixels.std() > 8
            assert len(np.unique(pixels.astype(np.uint32) @ [1, 256, 65536])) > 1000


def test_captions_tell_what_is_to_be_seen(sample):
    """A caption is one sentence with the colours and the mood of the facts."""
    for path in sample.shards:
        record = dict(members(path))
        for name in [name for name in record if name.endswith(".txt")]:
            caption, facts = record[name].decode(), json.loads(record[name.replace(".txt", ".json")])
            assert caption.endswith(".\n")
            assert all(colour in caption for colour in facts["colours"])
            assert facts["mood"] in caption
            assert facts["family"] in FAMILIES
            assert len(facts["palette"]) == 5


def test_the_same_seed_gives_the_same_bytes(tmp_path, sample):
    """A dataset depends on its seed alone, and another seed gives other pictures."""
    again = write_sample(tmp_path / "again", num_images=NUM_IMAGES, num_shards=3, damage=True)
    for one, two in zip(sample.shards, again.shards, strict=True):
        assert Path(one).read_bytes() == Path(two).read_bytes()
    for one, two in zip(sample.damaged, again.damaged, strict=True):
        assert Path(one[0]).read_bytes() == Path(two[0]).read_bytes()
    other = write_sample(tmp_path / "other", num_images=1, num_shards=1, seed=1)
    assert members(other.shards[0])[0] != members(sample.shards[0])[0]


def test_pictures_do_not_depend_on_the_number_of_shards(tmp_path, sample):
    """The same pictures come in the same order, however they are spread."""
    one = write_sample(tmp_path, num_images=NUM_IMAGES, num_shards=1)
    pictures = [data for path in sample.shards for name, data in members(path) if name.endswith(".jpg")]
    assert [data for name, data in members(one.shards[0]) if name.endswith(".jpg")] == pictures


def test_every_family_paints_every_shape():
    """All painters cope with many seeds and sizes; each is there."""
    seen = set()
    for index in range(3 * len(FAMILIES)):
        scene = paint(99, index)
        seen.add(scene.facts["family"])
        assert scene.image.size == (scene.facts["width"], scene.facts["height"])
    assert seen == set(FAMILIES)


def test_palettes_go_from_dark_to_light():
    """Painters rely on the order of a palette's colours."""
    for palette in PALETTES:
        light = palette.rgb @ np.array([0.299, 0.587, 0.114])
        assert (np.diff(light) > 0).all(), palette.name


def test_progress_counts_every_picture(tmp_path):
    """The listener hears of each picture once, in order, across shards."""
    calls = []
    write_sample(tmp_path, num_images=5, num_shards=2, on_progress=lambda *call: calls.append(call))
    assert calls == [(done, 5) for done in range(1, 6)]


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path):
    """A folder with a shard in it is refused before anything is written; an error leaves no part behind."""
    (tmp_path / "00001.tar").write_bytes(b"mine")
    with pytest.raises(ArgumentError, match=r"00001.tar exists already .*not overwritten"):
        write_sample(tmp_path, num_images=4, num_shards=2)
    assert [path.name for path in tmp_path.iterdir()] == ["00001.tar"]

    def interrupt(done, _total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "new", num_images=4, num_shards=2, on_progress=interrupt)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["00000.tar"]


def test_impossible_folders_are_named(tmp_path):
    """A folder below a file is an error that says so."""
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="below a file"):
        write_sample(tmp_path / "file" / "data", num_images=1, num_shards=1)
    with pytest.raises(ArgumentError, match="is or lies below a file"):
        write_sample(tmp_path / "file", num_images=1, num_shards=1)


def test_folders_that_may_not_be_written_to_are_named(tmp_path, monkeypatch):
    """A folder without write permission, or below a closed one, is an error before anything is painted."""
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    Path("readable").mkdir(mode=0o555)
    Path("closed").mkdir(mode=0)
    was = os.geteuid()
    if was == 0:  # root may write everywhere: lend the process the id of `nobody`
        os.seteuid(65534)
    try:
        for folder in ("readable", "readable/new", "closed/new"):
            with pytest.raises(InputDeniedError, match=rf"^{folder}: permission denied"):
                write_sample(folder, num_images=1, num_shards=1)
    finally:
        os.seteuid(was)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"num_images": 0}, ArgumentError),
        ({"num_shards": 0}, ArgumentError),
        ({"num_images": 2, "num_shards": 3}, ArgumentError),
        ({"seed": -1}, ArgumentError),
        ({"num_images": True}, ArgumentTypeError),
        ({"num_shards": 1.0}, ArgumentTypeError),
        ({"seed": "x"}, ArgumentTypeError),
    ],
)
def test_wrong_numbers_are_named(tmp_path, options, error):
    """A wrong argument is named before a file is written."""
    with pytest.raises(error, match=next(iter(options)).split("_")[0]):
        write_sample(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_damaged_shards_are_listed_and_explained(sample):
    """Every broken shard is listed with what to expect, and the README says the same of it."""
    folder = Path(sample.shards[0]).parent / "damaged"
    assert {path.name for path in folder.iterdir()} == {
        "README.txt",
        *(Path(path).name for path, _ in sample.damaged),
    }
    readme = " ".join((folder / "README.txt").read_text().split())
    assert all(Path(path).name in readme and text in readme for path, text in sample.damaged)
    assert write_sample(folder.parent / "more", num_images=1, num_shards=1).damaged == ()


def test_the_flipped_header_is_one_byte_of_one_image(sample):
    """Setting the byte right again gives a sound archive of 12 records, which differs in nothing else."""
    broken = damaged(sample, "flipped_header.tar").read_bytes()
    whole = gzip.decompress(damaged(sample, "packed_gzip.tar").read_bytes())
    different = [at for at, (one, two) in enumerate(zip(broken, whole, strict=True)) if one != two]
    assert len(different) == 1
    header = different[0] // 512 * 512
    assert broken[header : header + 17] == b"damage_000005.jpg"
    with pytest.raises(tarfile.TarError):
        tarfile.TarInfo.frombuf(broken[header : header + 512], "utf-8", "strict")
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        assert len(archive.getnames()) == 36


def test_the_truncated_shard_ends_inside_the_ninth_image(sample):
    """Eight images are whole, and the ninth has less data than its header says."""
    data = damaged(sample, "truncated.tar").read_bytes()
    at = data.index(b"damage_000008.jpg\0")
    assert data[:at].count(b".jpg\0") == 8
    assert (
        at + 512 < len(data) < at + 512 + tarfile.TarInfo.frombuf(data[at : at + 512], "utf-8", "strict").size
    )


def test_bad_images_are_bad_and_good_ones_good(sample):
    """Strict libjpeg-turbo and Pillow agree with what the README says of each image."""
    bad = members(damaged(sample, "bad_images.tar"))
    names = [name for name, _ in bad]
    assert len(names) == 13
    assert names.count("h_twice.jpg") == 2
    verdicts = {name: _verdict(data) for name, data in bad if name != "i_bomb.jpg"}
    good = {"a_good.jpg", "d_good.jpg", "h_twice.jpg", "j_gray.jpg", "k_cmyk.jpg", "l_progressive.jpg"}
    assert {name for name, verdict in verdicts.items() if verdict == "good"} == good
    assert "Premature end of JPEG file" in verdicts["b_cut.jpg"]
    assert "Corrupt JPEG data" in verdicts["c_damaged.jpg"]
    assert simplejpeg.decode_jpeg_header(dict(bad)["i_bomb.jpg"])[:2] == (65_500, 65_500)
    modes = [Image.open(io.BytesIO(dict(bad)[name])).mode for name in ("j_gray.jpg", "k_cmyk.jpg")]
    assert modes == ["L", "CMYK"]
    assert Image.open(io.BytesIO(dict(bad)["e_png.jpg"])).format == "PNG"


def _verdict(data):
    try:
        simplejpeg.decode_jpeg(data, strict=True)
    except ValueError as error:
        return str(error)
    return "good"


def test_the_other_damaged_shards_are_what_they_say(sample):
    """Packed shards hold the sound archive, empty ones nothing, and one is a JPEG."""
    sound = gzip.decompress(damaged(sample, "packed_gzip.tar").read_bytes())
    assert lzma.decompress(damaged(sample, "packed_xz.tar").read_bytes()) == sound
    assert members(damaged(sample, "no_images.tar")) == []
    assert damaged(sample, "zero_bytes.tar").read_bytes() == b""
    with Image.open(damaged(sample, "not_a_tar.tar")) as picture:
        assert picture.format == "JPEG"
    fields = dict(members(damaged(sample, "broken_json.tar")))
    with pytest.raises(ValueError, match="property name"):
        json.loads(fields["damage_000001.json"])
    with pytest.raises(UnicodeDecodeError):
        fields["damage_000002.txt"].decode()
