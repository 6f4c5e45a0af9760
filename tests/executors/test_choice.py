"""Which executor runs a pipeline when none is given."""

from __future__ import annotations

import pytest

from tarlight.cli.run import choose
from tarlight.errors import ArgumentError
from tarlight.executors.choice import make_executor
from tarlight.executors.local import LocalExecutor
from tarlight.executors.ray import RayExecutor


@pytest.mark.parametrize(
    ("name", "variable", "kind"),
    [
        (None, None, LocalExecutor),
        (None, "", LocalExecutor),
        (None, "ray", RayExecutor),
        ("ray", "local", RayExecutor),
        ("local", "ray", LocalExecutor),
    ],
)
def test_choice(monkeypatch, name, variable, kind):
    """A name decides, then TARLIGHT_EXECUTOR, then the local executor."""
    monkeypatch.delenv("TARLIGHT_EXECUTOR", raising=False)
    if variable is not None:
        monkeypatch.setenv("TARLIGHT_EXECUTOR", variable)
    assert isinstance(make_executor(name), kind)


def test_unknown_name(monkeypatch):
    """A name that is no executor's is an error that says where it stands and what there is."""
    monkeypatch.setenv("TARLIGHT_EXECUTOR", "spark")
    with pytest.raises(ArgumentError, match=r"TARLIGHT_EXECUTOR.*'local', 'ray'"):
        make_executor()
    with pytest.raises(ArgumentError, match="executor must be one of"):
        make_executor("spark")


def test_address_needs_ray():
    """An address for the local executor is an error, not an option that does nothing."""
    with pytest.raises(ArgumentError, match="--ray-address"):
        choose("local", "auto", None)


def test_a_limit_on_images_is_for_the_local_executor():
    """A limit that every worker would count for itself is refused, and what to use is said."""
    with pytest.raises(ArgumentError, match="--limit-shards"):
        choose("ray", None, 5)
    assert isinstance(choose("local", None, 5), LocalExecutor)
