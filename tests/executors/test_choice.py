"""Which executor runs a pipeline when none is given."""

from __future__ import annotations

import socket

import pytest

from tarlight.cli.run import choose
from tarlight.errors import ArgumentError, ClusterError
from tarlight.executors.choice import make_executor
from tarlight.executors.local import LocalExecutor
from tarlight.executors.ray import RayExecutor
from tarlight.executors.ray.reach import check_reachable


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


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_nobody_at_an_address_is_told_at_once(scheme):
    """Where nobody listens the error names host and port; Ray, which would try for minutes, is not asked."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"{scheme}127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ClusterError, match=rf"at {address}: no connection to 127\.0\.0\.1, port \d+ \("):
            check_reachable(address)
        taken.listen()
        check_reachable(address)


@pytest.mark.parametrize("address", ["auto", "local", "", "127.0.0.1", "other://127.0.0.1:1"])
def test_other_addresses_are_left_to_ray(address):
    """What is no host and port is not looked at."""
    check_reachable(address)


def test_a_port_that_cannot_be_is_an_error_of_ours():
    """A port beyond 65535 is told as an address at which there is no cluster."""
    with pytest.raises(ClusterError, match="no Ray cluster"):
        check_reachable("127.0.0.1:99999")
