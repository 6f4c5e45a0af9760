"""The same images, pixels and books from every store as from disk."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tarlight.sample import write_sample

from .dataset import load


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """A drawn dataset, its broken shards too."""
    folder = tmp_path_factory.mktemp("drawn")
    write_sample(folder, num_images=24, num_shards=3, damage=True)
    return folder


def from_store(server, folder, prefix):
    """Load a folder of the disk from a store."""
    names = sorted(path.name for path in folder.glob("*.tar"))
    url = server.put_folder(folder, prefix)
    return load(url if server.lists else [f"{url}/{name}" for name in names], server.storage_options)


def test_photos(server, corpus):
    """The 900 photos come from each store with the ids, pixels and books that they have from disk."""
    here = load(str(corpus / "photos"))
    there = from_store(server, corpus / "photos", "photos")
    assert len(there.images) == 900
    assert there.images == here.images
    assert there.books == here.books


def test_sound_and_damaged_samples(server, sample):
    """A drawn dataset, sound and damaged, is told alike from each store and from disk."""
    for folder in (sample, sample / "damaged"):
        names = sorted(str(path) for path in folder.glob("*.tar"))
        here, there = load(names), from_store(server, folder, f"sample/{folder.name}")
        assert there.images == here.images
        assert {**there.books, "bytes_read": 0} == {
            **here.books,
            "bytes_read": 0,
        }  # a shard given up: its start
        assert [_place(loss) for loss in there.report.losses] == [_place(loss) for loss in here.report.losses]


def _place(loss):
    return loss.shard.rpartition("/")[2], loss.start, loss.end, loss.reason


def test_the_command_loads_from_a_bucket(s3, sample, tmp_path):
    """`tarlight load s3://...` with the credentials in the environment delivers everything."""
    url = s3.put_folder(sample, "command")
    options = s3.storage_options
    environment = {
        "AWS_ACCESS_KEY_ID": options["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": options["secret_access_key"],
        "AWS_REGION": options["region"],
        "AWS_ENDPOINT_URL": options["endpoint"],
    }
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tarlight", "load", url, "--strict", "--json", str(report)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text())["images_delivered"] == 24
