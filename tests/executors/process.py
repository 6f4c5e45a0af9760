"""Processes of a Ray, known by a mark that all of them inherit; ended by that mark, and never by a name."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.corpus import REPOSITORY

from .cluster import SETTINGS

MARK = "TARLIGHT_TEST_MARK"


def with_mark(mark):
    """Process ids of all that inherited this mark, whoever their parent is now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            is_zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:  # ended meanwhile
            continue
        if f"{MARK}={mark}".encode() in environment.split(b"\0") and not is_zombie:
            found.append(int(folder.name))
    return found


def assert_all_gone(mark):
    """All processes end within some seconds: they are told to, and nobody waits for them."""
    for _ in range(100):
        if not with_mark(mark):
            return
        time.sleep(0.1)
    assert not with_mark(mark)


def end_all(mark):
    """End whatever has this mark, and wait until it is gone."""
    while pids := with_mark(mark):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # ended meanwhile
                continue
        time.sleep(0.05)


def settings(**more):
    """Give the environment of a process that starts a Ray or works with one."""
    environment = {**os.environ, **SETTINGS, **more}
    if "RAY_ADDRESS" not in more:
        environment.pop("RAY_ADDRESS", None)
    # Workers find tarlight and these tests as this process does.
    environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])
    return environment


@contextmanager
def head(*options, port, **environment):
    """Run the head of a cluster of its own, beside whatever runs here already, until it answers at a port."""
    mark = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:  # short: sockets
        command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--num-gpus=0"]
        command += ["--include-dashboard=false", "--object-store-memory=134217728", f"--temp-dir={folder}"]
        with (Path(folder) / "out").open("w") as out:
            started = subprocess.Popen(
                [*command, *options],
                env=settings(**environment, **{MARK: mark}),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for_port(port, started)
            yield
        finally:
            end_all(mark)
            started.wait()


@contextmanager
def nodes(*num_cpus):
    """Give a cluster with a node for each of these; `second` is the second one."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415 (imports Ray)

    mark = uuid.uuid4().hex
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SETTINGS, MARK: mark}.items():
            patch.setenv(name, value)
        options = {"include_dashboard": False, "object_store_memory": 128 << 20}
        cluster = Cluster(initialize_head=True, head_node_args={**options, "num_cpus": num_cpus[0]})
        for more in num_cpus[1:]:
            cluster.second = cluster.add_node(num_cpus=more, object_store_memory=128 << 20)
    yield cluster
    # Under load processes may outlive the patience of Ray, which calls that an error: they are ended here.
    end_all(mark)
    for node in [*cluster.worker_nodes, cluster.head_node]:
        for one in [one for several in node.all_processes.values() for one in several]:
            one.process.wait()
    cluster.shutdown()


def wait_for_port(port, process):
    """Wait until somebody listens there."""
    while True:
        assert process.poll() is None, "the cluster did not start"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def free_port():
    """Return a port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
