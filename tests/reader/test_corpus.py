"""The reader on real photographs and real damage."""

from __future__ import annotations

import csv
import json
import time
import zlib

import pytest

from .dataset import ids, images, load, pipeline


def manifest(folder):
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("fields", [(), ("txt", "json")])
def test_photos(corpus, fields):
    """All 900 photos are delivered under their keys, with Pillow's pixels, and captions and json attached."""
    rows = manifest(corpus / "photos")
    with pipeline(str(corpus / "photos"), fields=fields).stream() as run:
        seen = []
        for image in (image for batch in run for image in batch.data):
            height, width = image.image_data.shape[:2]
            seen.append((image.image_id, f"{zlib.crc32(image.image_data):08x}:{width}x{height}"))
            assert sorted(image.metadata) == sorted(fields)
            if fields:
                assert isinstance(image.metadata["txt"], str)
                assert isinstance(image.metadata["json"], dict)
    assert seen == [(row["key"], row["pillow_rgb_crc32"]) for row in rows]
    assert len(seen) == 900
    assert run.report.is_balanced


def test_mixed(corpus):
    """Of a shard with 56 broken images all 1,000 good ones are delivered, and each broken one is named."""
    expected = json.loads((corpus / "mixed" / "expected.json").read_text(encoding="utf-8"))
    result = load(str(corpus / "mixed"))
    assert ids(result) == [entry["key"] for entry in expected if entry["verdict"] == "good"]
    skips = {skip.key: skip.reason for skip in result.report.skips}
    assert list(skips) == [entry["key"] for entry in expected if entry["verdict"] != "good"]
    not_jpeg = {entry["key"] for entry in expected if entry["verdict"] == "not_jpeg"}
    assert {skips[key] for key in not_jpeg} <= {"not_jpeg", "empty"}
    assert result.report.is_balanced


@pytest.mark.parametrize("folder", ["odd_jpegs", "bad_jpegs", "large"])
def test_every_image_is_accounted_for(corpus, folder):
    """Every odd, broken or large image is delivered or skipped under its own key; the books balance."""
    keys = [row["key"] for row in manifest(corpus / folder)]
    with pipeline(str(corpus / folder), batch_size=16).stream() as run:
        delivered = [image.image_id for batch in run for image in batch.data]
    skipped = [skip.key for skip in run.report.skips]
    assert sorted(delivered + skipped) == sorted(keys)
    assert run.report.is_balanced


def test_every_archive_ends(corpus):
    """Every sound, odd and hostile archive ends soon, with balanced books, whatever it holds."""
    archives = [path for path in sorted((corpus / "tars").iterdir()) if path.name not in NOT_ARCHIVES]
    assert len(archives) > 200
    for archive in archives:
        started = time.monotonic()
        report = load(str(archive)).report
        assert report.is_balanced, archive.name
        assert time.monotonic() - started < 10, archive.name
        if archive.stat().st_size and not report.shards:
            pytest.fail(f"{archive.name} was not read")


def test_sound_archives_give_their_images(corpus):
    """The sound archives give exactly the images among their members; links are counted, not followed."""
    expected = json.loads((corpus / "tars" / "expected.json").read_text(encoding="utf-8"))
    for name, archive in expected.items():
        if archive["kind"] != "valid" or archive["members"] is None:
            continue
        wanted = [member for member in archive["members"] if member.lower().endswith((".jpg", ".jpeg"))]
        result = load(str(corpus / "tars" / name))
        delivered = [image.source.member for image in images(result)]
        skipped = [skip.member for skip in result.report.skips]
        links = sum(result.report.ignored.get(kind, 0) for kind in ("hardlink", "symlink"))
        found = [member for member in delivered + skipped if member in wanted]
        assert len(found) + links == len(wanted), name
        assert len(found) == len(delivered + skipped) or name in READ_ON, name
        assert not len(result.report.losses), name


READ_ON = {"generated-ok_concatenated.tar"}
"""Two archives in one file: the manifest lists the first, tarlight reads on, as C1 asks."""

WHOLE = {"generated-bad_size_swallows_next.tar": 2}
"""Hostile archives that a tar reader finds sound: the first image only has bytes after its end."""

NOT_ARCHIVES = {"manifest.tsv", "expected.json"}


def test_hostile_archives_leave_a_trace(corpus):
    """Of every hostile archive the report says what was wrong; hostile names are labels, and delivered."""
    expected = json.loads((corpus / "tars" / "expected.json").read_text(encoding="utf-8"))
    hostile = {name: archive for name, archive in expected.items() if archive["kind"] == "hostile"}
    assert len(hostile) > 30
    for name, archive in hostile.items():
        report = load(str(corpus / "tars" / name)).report
        if archive["members"] is not None or name in WHOLE:
            assert report.images_delivered == (
                len(archive["members"]) if archive["members"] else WHOLE[name]
            ), name
        else:
            links = sum(report.ignored.get(kind, 0) for kind in ("hardlink", "symlink", "sparse"))
            assert report.num_skipped + len(report.losses) + len(report.notes) + links, name
