"""How often tests repeat themselves: few times by default, the full counts under `TARLIGHT_SOAK=1`.

Tests marked `soak` run long and only then. Every other test whose counts grow is marked `counted`, so that
`make soak` runs `-m "soak or counted"` and leaves out what `make test` has shown already.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SOAKING = os.environ.get("TARLIGHT_SOAK") == "1"
"""True when the full counts were asked for."""

_COUNTING = ("TARLIGHT_SOAK", "repetitions", "SOAKING")
"""Words in a test module that say that its counts grow."""


def repetitions(few: int, full: int) -> int:
    """Return how often to repeat: `few` times, or `full` under `TARLIGHT_SOAK=1`."""
    return full if SOAKING else few


def pytest_configure(config: pytest.Config) -> None:
    """Choose the number of Hypothesis examples; under CI they are the same in every run."""
    under_ci = os.environ.get("CI") == "true"
    settings.register_profile(
        "tarlight",
        max_examples=repetitions(30, 500),
        deadline=None,
        derandomize=under_ci,
        database=None if under_ci else settings.default.database,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("tarlight")


def pytest_report_header() -> str:
    """Say which counts this run uses."""
    return (
        f"repetitions: {'full (TARLIGHT_SOAK=1)' if SOAKING else 'few (TARLIGHT_SOAK=1 for the full counts)'}"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests whose counts grow; leave out the long ones unless they were asked for."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) or _counts(item.path):
            item.add_marker("counted")
    if not SOAKING:
        long = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@cache
def _counts(path: Path) -> bool:
    source = path.read_text(encoding="utf-8")
    return any(word in source for word in _COUNTING)
