"""The shared suite through a Ray client: run by `test_ray_clusters.py`, in a process of its own."""

from __future__ import annotations

import os

import pytest

from tarlight.executors.ray import RayExecutor
from tarlight.pipeline import Pipeline

from .contract import ExecutorContract, Source, ids


def test_connects_by_itself():
    """An executor with the address of a client server connects, and leaves when the run ends."""
    import ray  # noqa: PLC0415

    result = Pipeline("p", stages=[Source(2, 1)]).run(RayExecutor(os.environ["TARLIGHT_TEST_RAY"]))
    assert ids(result) == [["0-0"], ["1-0"]]
    assert not ray.is_initialized()


@pytest.fixture(scope="module")
def client():
    """Connect once: each connection starts a process on the head."""
    import ray  # noqa: PLC0415

    with ray.init(os.environ["TARLIGHT_TEST_RAY"]):
        yield


class TestRayClient(ExecutorContract):
    """The shared suite behind `ray://`."""

    @pytest.fixture
    def executor(self, client):
        return RayExecutor()
