"""A dataset with one fault of each kind."""

from __future__ import annotations

import pytest

from tarlight.sample import SampleSummary, write_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    """Write a sound dataset and one with faults."""
    return write_sample(tmp_path_factory.mktemp("data") / "s", num_images=10, num_shards=4, damage=True)


@pytest.fixture(scope="session")
def faults(sample: SampleSummary) -> str:
    """Give the folder with one fault of each kind."""
    return sample.shards[0].replace("00000.tar", "faults")
