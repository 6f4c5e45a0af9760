"""`run()` on more than fits in `result_memory` (C5)."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from tarlight.errors import ArgumentError, PixelsReleasedError, ResultTooLargeError, ShardChangedError
from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import ImageBatch

from .dataset import images, jpeg, pipeline, pixels, write_shards, write_tar

IMAGE_BYTES = 24 * 16 * 3


class Same(ProcessingStage[ImageBatch, ImageBatch]):
    def process(self, task):
        return task


@pytest.fixture
def released(tmp_path):
    write_shards(tmp_path, shards=3, records=4)
    with pytest.warns(UserWarning, match=r"Pipeline\.stream") as warned:
        result = pipeline(str(tmp_path), batch_size=2).run(result_memory=5 * IMAGE_BYTES)
    assert len(warned) == 1
    return result


def test_keeps_what_fits(released):
    """Batches are kept up to `result_memory`, and the rest comes back released, with one warning."""
    assert [image.is_released for image in images(released)] == [False] * 4 + [True] * 8
    assert sum(batch.num_bytes for batch in released) == 4 * IMAGE_BYTES
    assert released.report.is_balanced


def test_the_warning_points_at_who_called(tmp_path):
    """The warning of `run()` names the file that called it, where a user can change something."""
    write_shards(tmp_path, shards=3, records=4)
    with pytest.warns(UserWarning, match="result_memory") as warned:
        pipeline(str(tmp_path), batch_size=2).run(result_memory=5 * IMAGE_BYTES)
    assert [one.filename for one in warned] == [__file__]


def test_released_images_decode_on_access(released):
    """A released image gives the same pixels on every access."""
    for index, image in enumerate(images(released)):
        assert np.array_equal(image.image_data, pixels(jpeg(index)))
        assert np.array_equal(image.image_data, pixels(jpeg(index)))


def test_released_images_do_not_travel(released):
    """Unpickled elsewhere, access raises and names `image.source.open`, which works."""
    image = pickle.loads(pickle.dumps(images(released)[-1]))
    assert image.is_released
    with pytest.raises(PixelsReleasedError, match=r"image\.source\.open"):
        _ = image.image_data
    assert image.source.open() == jpeg(11)


def test_setting_pixels_ends_the_release(released):
    """Pixels that a user sets are kept."""
    image = images(released)[-1]
    mine = np.zeros((1, 1, 3), np.uint8)
    image.image_data = mine
    assert image.image_data is mine
    assert not image.is_released


def test_a_changed_shard_is_an_error(released):
    """A shard that was written again since is `ShardChangedError`, never other pixels."""
    image = images(released)[-1]
    write_tar(image.source.shard, [(f"{i:06d}.jpg", jpeg(i + 100)) for i in range(8, 12)])
    os.utime(image.source.shard, ns=(1, 1))
    with pytest.raises(ShardChangedError, match=r"00002\.tar"):
        _ = image.image_data


def test_own_stages_end_the_rule(tmp_path):
    """After a stage of one's own, pixels may be anything: too large a result is an error naming `stream`."""
    write_shards(tmp_path)
    run = Pipeline(stages=[*pipeline(str(tmp_path)).stages, Same()])
    with pytest.raises(ResultTooLargeError, match=r"Pipeline\.stream"):
        run.run(result_memory=1)
    assert len(images(run.run(result_memory="1GiB"))) == 15


def test_gzip_shards_are_not_released(tmp_path):
    """Images out of gzip shards are not released: each access would inflate the shard from its start."""
    shard = write_tar(tmp_path / "a.tar.gz", [("1.jpg", jpeg(1))])
    with pytest.raises(ResultTooLargeError):
        pipeline(shard).run(result_memory=1)


@pytest.mark.parametrize("value", [0, -1, "much"])
def test_result_memory_is_checked(tmp_path, value):
    """`result_memory` must be a size."""
    write_shards(tmp_path)
    with pytest.raises(ArgumentError, match="result_memory"):
        pipeline(str(tmp_path)).run(result_memory=value)
