"""Surveys of real datasets."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline
from tarlight.errors import InputMissingError
from tarlight.inspect import Surveyor, survey, write_report
from tarlight.inspect.surveying.thumbnail import MAX_BYTES, make_thumbnail, thumbnail_of_png
from tarlight.report.survey import LOST, SKIPPED
from tarlight.sample import write_sample
from tests.reader.dataset import jpeg, write_shards, write_tar


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Give a sample dataset with broken shards."""
    folder = tmp_path_factory.mktemp("survey") / "sample"
    write_sample(folder, num_images=30, num_shards=3, damage=True)
    return folder


def test_measures_are_those_of_the_images(dataset) -> None:
    """Every delivered image is measured, as pixels in memory and Pillow say."""
    found = survey(dataset, num_threads=2)
    stages = [FilePartitioningStage(str(dataset)), ImageReaderStage(verbose=False)]
    images = [image for batch in Pipeline(stages=stages).run() for image in batch.data]
    heights, widths = np.array([image.image_data.shape[:2] for image in images]).T
    sizes = np.array([image.source.size for image in images])
    weights = [0.2126, 0.7152, 0.0722]
    lumas = [np.asarray(image.image_data, np.float64).mean((0, 1)) @ weights for image in images]
    assert found.report.images_delivered == found.aspect.count == len(images)
    assert sum(found.shapes.values()) == len(images)
    assert found.aspect.mean == pytest.approx(np.mean(widths / heights))
    assert found.megapixels.maximum == max(widths * heights) / 1e6
    assert (found.num_bytes.minimum, found.num_bytes.maximum) == (sizes.min(), sizes.max())
    assert found.density.mean == pytest.approx(np.mean(sizes / (widths * heights)))
    assert found.luminance.mean == pytest.approx(np.mean(lumas), rel=0.03)  # 256 spots of each picture


def test_captions_are_found_in_text_and_in_json(tmp_path) -> None:
    """A caption is the text beside the image, or the one inside its json; its length is in characters."""
    members = [
        *(("a.jpg", jpeg(1)), ("a.txt", b" five5 \n")),
        *(("b.jpg", jpeg(2)), ("b.json", b'{"caption": "seven 7"}')),
        *(("c.jpg", jpeg(3)), ("c.json", b'["no caption"]')),
    ]
    write_tar(tmp_path / "a.tar", members)
    found = survey(tmp_path, fields=("txt", "json"))
    assert found.captions.points == ((5.0, 1), (7.0, 1))
    assert [picture.caption for picture in found.pictures] == ["five5", "seven 7", ""]


@pytest.mark.parametrize("options", [{"num_threads": 1}, {"num_threads": 3}])
def test_a_survey_is_the_same_for_any_number_of_threads(dataset, options) -> None:
    """Pictures, problems, measures and shards do not depend on threads."""
    one, other = survey(dataset, num_threads=2), survey(dataset, **options)
    for part in ("pictures", "problems", "shards", "folded", "shapes", "luminance", "num_bytes"):
        assert getattr(one, part) == getattr(other, part)


def test_a_dataset_that_was_moved_has_the_same_sample(dataset, tmp_path) -> None:
    """The sample depends on the names of shards and members, and the seed, not on where the dataset lies."""
    shutil.copytree(dataset, tmp_path / "elsewhere")
    one, other = survey(dataset, num_pictures=9), survey(tmp_path / "elsewhere", num_pictures=9)
    assert [picture.key for picture in one.pictures] == [picture.key for picture in other.pictures]
    assert one.pictures != survey(dataset, num_pictures=9, seed=1).pictures


def test_a_surveyor_can_be_asked_twice(dataset) -> None:
    """Asking for the survey again, also in the middle of a run, counts nothing twice."""
    surveyor = Surveyor()
    partitioning, reader = FilePartitioningStage(str(dataset)), ImageReaderStage(verbose=False)
    with Pipeline(stages=[partitioning, surveyor.watch(), reader]).stream() as stream:
        for batch in stream:
            surveyor.take(batch)
            surveyor.survey(stream.report)
    first, second = surveyor.survey(stream.report), surveyor.survey(stream.report)
    assert first.shards == second.shards == survey(dataset).shards


def test_rows_say_what_became_of_each_shard(dataset) -> None:
    """Each shard has its row, with the file's size, exact counts, and marks where the ledger has them."""
    found = survey(dataset)
    rows = {row.path: row for row in found.shards}
    assert set(rows) == {str(path) for path in dataset.rglob("*.tar")}
    assert sum(row.delivered for row in rows.values()) == found.report.images_delivered
    assert sum(row.skipped for row in rows.values()) == found.report.num_skipped
    assert sum(row.bytes_lost for row in rows.values()) == found.report.bytes_lost
    for path, row in rows.items():
        content = Path(path).read_bytes()
        if not content.startswith(b"\x1f\x8b"):  # the strip of a gzip shard shows its contents
            assert row.size == len(content)
    assert set(rows[str(dataset / "damaged" / "not_a_tar.tar")].cells) == {LOST}
    for skip in found.report.skips:
        row = rows[skip.shard]
        assert row.cells[skip.offset // row.cell_bytes] & SKIPPED


def test_problems_show_what_can_be_seen(dataset) -> None:
    """A PNG, a cut and a damaged JPEG and a duplicate have a thumbnail; a bomb and a web page have none."""
    seen = {problem.key: problem.thumbnail for problem in survey(dataset).problems}
    for key in ("e_png", "b_cut", "c_damaged", "h_twice"):
        with Image.open(io.BytesIO(seen[key].jpeg)) as picture:
            assert picture.size == (seen[key].width, seen[key].height)
            assert 100 < max(picture.size) <= 200
    assert seen["i_bomb"] is seen["f_web_page"] is seen["g_empty"] is None


def test_a_limit_is_exact(dataset) -> None:
    """With a limit so many images are looked at, the books balance, and unread shards have no row."""
    found = survey(dataset, limit=7)
    assert found.aspect.count == found.report.images_delivered == 7
    assert found.report.is_balanced
    assert all(row.delivered for row in found.shards)


def test_a_shard_that_went_away_is_told(tmp_path) -> None:
    """When a skipped image cannot be read again for its thumbnail, its problem says why."""
    path = tmp_path / "a.tar"
    write_tar(path, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)[:200])])
    surveyor = Surveyor()
    with Pipeline(
        stages=[FilePartitioningStage(str(path)), ImageReaderStage(verbose=False)]
    ).stream() as stream:
        for batch in stream:
            surveyor.take(batch)
    path.unlink()
    (problem,) = surveyor.survey(stream.report).problems
    assert problem.thumbnail is None
    assert "could not be read again" in problem.detail


def test_a_missing_dataset_is_an_error(tmp_path) -> None:
    """A path that does not exist raises, and no page appears."""
    with pytest.raises(InputMissingError):
        survey(tmp_path / "nowhere")


def test_a_page_is_written_whole(tmp_path) -> None:
    """The page replaces what was there, and no unfinished file stays beside it."""
    write_shards(tmp_path / "shards", 1, 2)
    target = tmp_path / "report.html"
    target.write_text("old")
    write_report(survey(tmp_path / "shards"), target)
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "shards"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3000, 1), (700, 900), (20, 30)])
def test_thumbnails_keep_the_shape(shape) -> None:
    """A thumbnail has the picture's proportions, is never larger than it, and a JPEG."""
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    small = make_thumbnail(pixels)
    with Image.open(io.BytesIO(small.jpeg)) as picture:
        assert picture.size == (small.width, small.height)
    assert max(small.width, small.height) <= min(400, max(shape))
    assert small.width / small.height == pytest.approx(shape[1] / shape[0], rel=0.1) or min(shape) < 10
    assert len(small.jpeg) <= MAX_BYTES


def test_a_png_that_is_none_has_no_thumbnail() -> None:
    """Damaged, cut and enormous PNGs give no thumbnail and no error."""
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40), "red").save(buffer, "PNG")
    good = buffer.getvalue()
    assert thumbnail_of_png(good).width == 50
    enormous = good[:16] + (60_000).to_bytes(4, "big") * 2 + good[24:]
    for bad in (b"", good[:8], good[:40], enormous, good.replace(b"IDAT", b"IDAX")):
        assert thumbnail_of_png(bad) is None


@pytest.mark.corpus
def test_hostile_images_do_not_stop_a_survey(corpus) -> None:
    """Thousands of broken images give a survey whose problems are counted exactly."""
    found = survey([str(corpus / "bad_jpegs"), str(corpus / "odd_jpegs")], num_threads=2)
    assert sum(found.problem_counts.values()) == found.report.num_skipped + len(found.report.losses)
    assert any(problem.thumbnail for problem in found.problems)
