"""One flipped byte costs at most one image; a cut costs nothing before it (C1), end to end with pixels."""

from __future__ import annotations

import random
import tarfile

import pytest

from tests.soak import repetitions

from .dataset import images, jpeg, load, pixels, write_tar

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}
LONG = "a-folder-with-quite-a-long-name/" * 4
"""Longer than a ustar header holds, so that PAX and GNU shards need long-name headers."""


def members(dialect):
    prefix = "" if dialect == "ustar" else LONG
    for index in range(6):
        yield f"{prefix}{index:06d}.jpg", jpeg(index)
        yield f"{prefix}{index:06d}.txt", f"caption {index}".encode()


def delivered(path):
    result = load(path)
    assert result.report.is_balanced
    return {image.image_id: image.image_data.tobytes() for image in images(result)}, result.report


@pytest.fixture(params=FORMATS)
def shard(request, tmp_path):
    """A sound shard in one dialect: its path, its bytes, its images' extents, its ids and pixels."""
    path = write_tar(tmp_path / "a.tar", members(request.param), FORMATS[request.param])
    found = images(load(path))
    extents = {image.image_id: (image.source.offset, image.source.size) for image in found}
    expected = {image.image_id: pixels(jpeg(index)).tobytes() for index, image in enumerate(found)}
    assert len(expected) == 6
    return tmp_path / "b.tar", (tmp_path / "a.tar").read_bytes(), extents, expected


def test_one_flipped_byte_costs_one_image(shard):
    """Whatever byte is flipped, all other images arrive with their ids and pixels; damage is named."""
    # What nobody can see is counted: wrong pixels by a flip in entropy data, and a name changed by a flip in
    # a long name's payload. Either touches only the image that was hit.
    path, sound, extents, expected = shard
    random.seed(3)
    wrong_pixels = renamed = 0
    count = repetitions(120, 1500)
    for _ in range(count):
        position = random.randrange(len(sound))
        damaged = bytearray(sound)
        damaged[position] ^= random.randrange(1, 256)
        path.write_bytes(damaged)
        found, report = delivered(path)
        missing = {key for key in expected if found.get(key) != expected[key]}
        assert len(missing) <= 1, (position, missing)
        unknown = found.keys() - expected.keys()
        renamed += bool(unknown)
        assert len(unknown) <= len(missing)
        for key in missing:
            offset, size = extents[key]
            if key in found:
                wrong_pixels += 1
                assert offset <= position < offset + size
            elif not unknown:
                assert report.num_skipped or len(report.losses), (position, key)
        for loss in report.losses:
            assert loss.start <= position < loss.end or loss.end - loss.start < 2048
    assert wrong_pixels <= count * 0.2
    assert renamed <= count * 0.1


def test_a_cut_costs_nothing_before_it(shard):
    """Cut anywhere, every image before the cut is delivered; a cut one never passes as good."""
    path, sound, extents, expected = shard
    random.seed(4)
    cuts = {*range(0, len(sound), 512 * repetitions(3, 1))}
    cuts |= {random.randrange(len(sound)) for _ in range(repetitions(40, 300))}
    for cut in sorted(cuts):
        path.write_bytes(sound[:cut])
        found, report = delivered(path)
        whole = {key for key, (offset, size) in extents.items() if offset + size <= cut}
        assert found == {key: expected[key] for key in whole}
        begun = {key for key, (offset, size) in extents.items() if offset - 512 < cut < offset + size}
        if begun:
            assert report.num_skipped or len(report.losses), cut
