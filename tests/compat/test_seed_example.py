"""The documented example runs as it is written, under both names."""

from __future__ import annotations

import runpy
import sys
import tarfile
from pathlib import Path

import pytest

from tarlight.sample import write_sample

EXAMPLE = Path(__file__).with_name("documented_example.txt").read_text()
SOURCE = Path(__file__).parents[2] / "compat" / "nemo_curator" / "src"


@pytest.mark.parametrize("package", ["nemo_curator", "tarlight"])
def test_the_documented_example_runs_unchanged(tmp_path, monkeypatch, package):
    """Only the path of the dataset is put in, and every image comes back under its documented id."""
    monkeypatch.syspath_prepend(SOURCE)
    for name in [name for name in sys.modules if name.partition(".")[0] == "nemo_curator"]:
        monkeypatch.delitem(sys.modules, name)
    summary = write_sample(tmp_path / "data", num_images=12, num_shards=2)
    script = tmp_path / "example.py"
    script.write_text(
        EXAMPLE.replace("/path/to/tar_dataset", str(tmp_path / "data")).replace("nemo_curator", package)
    )
    results = runpy.run_path(str(script))["results"]
    ids = [image.image_id for batch in results for image in batch.data]
    assert ids == [key for shard in summary.shards for key in _keys(shard)]
    assert ids[:2] == ["000000000", "000000001"]
    assert all(image.image_data.shape[2] == 3 for batch in results for image in batch.data)
    assert results.report.is_balanced
    assert results.report.images_delivered == summary.images


def _keys(shard):
    with tarfile.open(shard) as archive:
        return [name.removesuffix(".jpg") for name in archive.getnames() if name.endswith(".jpg")]
