"""The decode room on real files: photos, unusual JPEGs and broken ones, against both oracles."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tarfile
import zlib
from functools import cache
from pathlib import Path

import pytest

from tarlight.decode import select_decoder
from tests.decode.jpegs import encoded

pytestmark = pytest.mark.corpus

BEFORE_THE_SCAN = (
    "bad ICC marker",
    "extraneous bytes before marker",
    "Invalid SOS parameters for sequential JPEG",
    "unknown JFIF revision",
    "Unknown Adobe color transform",
    "Could not determine subsampling level",
    "Unsupported color conversion request",
)
"""What strict libjpeg-turbo says of files that we deliver all the same."""


@cache
def judged(folder: Path) -> list[dict]:
    """Return what a child process under limits found out about every image of a folder."""
    command = [sys.executable, "-W", "error", "-m", "tests.decode.judge_corpus", str(folder)]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def num_images(folder: Path) -> int:
    with (folder / "manifest.tsv").open(newline="") as rows:
        return sum(1 for _ in csv.DictReader(rows, delimiter="\t"))


def test_photos_have_the_pixels_of_the_manifest(corpus):
    """900 of 900 photographs have the checksum that Pillow's pixels have."""
    folder, decoder, good = corpus / "photos", select_decoder("turbo"), 0
    with (folder / "manifest.tsv").open(newline="") as rows:
        expected = {row["key"]: row["pillow_rgb_crc32"] for row in csv.DictReader(rows, delimiter="\t")}
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as archive:
            for member in archive:
                if member.name.endswith(".jpg"):
                    (result,) = decoder.decode([encoded(archive.extractfile(member).read())])
                    height, width, _ = result.pixels.shape
                    found = f"{zlib.crc32(result.pixels):08x}:{width}x{height}"
                    assert found == expected[member.name.removesuffix(".jpg")]
                    good += 1
    assert good == len(expected) == 900


@pytest.mark.parametrize("folder", ["odd_jpegs", "bad_jpegs", "large"])
class TestFolder:
    def test_every_image_gets_one_verdict_from_both_decoders(self, corpus, folder):
        """No image crashes the process or is passed over, and the verdict is the same from both decoders."""
        found = judged(corpus / folder)
        assert len({row["key"] for row in found}) == len(found) == num_images(corpus / folder)
        assert [row for row in found if row["verdicts"][0] != row["verdicts"][1]] == []

    def test_what_both_oracles_decode_is_delivered(self, corpus, folder):
        """Pillow reads it and strict libjpeg-turbo has no complaint: it is delivered as checked."""
        sound = [row for row in judged(corpus / folder) if row.get("seen") and row["strict"] == "ok"]
        assert len(sound) > 10
        assert [row for row in sound if row["verdicts"][0] != "good"] == []

    def test_delivered_pixels_are_those_of_pillow(self, corpus, folder):
        """Whatever is delivered and Pillow reads has Pillow's pixels, within 2 levels for four components."""
        for row in judged(corpus / folder):
            limit = 2 if row.get("components") == 4 else 0
            assert all(difference <= limit for difference in row.get("differences", [])), row

    def test_only_complaints_about_headers_are_mended(self, corpus, folder):
        """What strict libjpeg-turbo refuses and we deliver was refused for something before the scan."""
        good = [row for row in judged(corpus / folder) if row["verdicts"][0] == "good"]
        mended = [row for row in good if row["strict"] != "ok"]
        for row in mended:
            assert any(known in row["strict"] for known in BEFORE_THE_SCAN), row
        assert folder == "large" or mended

    def test_unchecked_images_say_why(self, corpus, folder):
        """An image that only Pillow could read is marked as unchecked and names the limit it met."""
        for row in judged(corpus / folder):
            if row["verdicts"][0] == "good, unchecked":
                assert row["fallback"].endswith("that libjpeg-turbo does not do")
                assert row["strict"] != "ok"

    def test_nothing_unexpected_was_raised(self, corpus, folder):
        """No refusal comes from an exception that nobody expected."""
        assert [
            row for row in judged(corpus / folder) if row.get("detail", "").startswith("unexpected")
        ] == []
