"""Datasets for the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tarlight.sample import write_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with 12 images in 3 shards, and broken shards in `damaged` below it."""
    folder = tmp_path_factory.mktemp("sample") / "a dataset"
    write_sample(folder, num_images=12, num_shards=3, damage=True)
    return folder


@pytest.fixture(scope="session")
def sound(sample: Path) -> str:
    """Give a pattern for the sound shards."""
    return f"{sample}/*.tar"


@pytest.fixture(scope="session")
def long_dataset(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of shards that takes half a minute to load: links to one shard."""
    folder = tmp_path_factory.mktemp("long")
    for number in range(4_000):
        (folder / f"{number:05}.tar").symlink_to(sample / "00000.tar")
    return folder
