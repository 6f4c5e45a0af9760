"""One small Ray on this machine for all tests of a session, and what they need to know of its processes."""

from __future__ import annotations

import logging
import os

import pytest

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Nothing leaves this machine, nothing is written to the home folder, nothing warns about its future."""


@pytest.fixture(scope="session")
def small_ray():
    """Give a Ray with two CPUs and no GPU."""
    os.environ.update(SETTINGS)
    import ray  # noqa: PLC0415 (takes half a second)

    ray.init(
        "local",
        num_cpus=2,
        num_gpus=0,
        include_dashboard=False,
        object_store_memory=256 << 20,
        logging_level=logging.ERROR,
        log_to_driver=False,  # else a thread of Ray's writes to whatever stderr is just then
    )
    yield ray
    ray.shutdown()
