"""The Ray executor."""

from __future__ import annotations

import pytest

from tarlight.executors.ray import RayExecutor

from .contract import ExecutorContract



class TestRayExecutor(ExecutorContract):
    """The shared suite on Ray, tasks in the order of arrival."""

    @pytest.fixture
    def executor(self, small_ray):
        return RayExecutor()


class TestRayInOrder(ExecutorContract):
    """The shared suite on Ray, tasks in the order of the local executor."""

    @pytest.fixture
    def executor(self, small_ray):
        return RayExecutor(preserve_order=True)
