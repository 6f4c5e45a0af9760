"""Clusters of other kinds: with a GPU, one that grows, one that loses its large node, one behind `ray://`."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import pytest

from tests.checkpoint.dataset import write
from tests.corpus import REPOSITORY

from .process import free_port, head, nodes, settings


def drive(name, *arguments, **environment):
    """Begin a program of `tests.executors.driver`."""
    command = [sys.executable, "-m", "tests.executors.driver", name, *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=settings(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def found(program, timeout_s=120):
    """What it printed."""
    out, errors = program.communicate(timeout=timeout_s)
    assert program.returncode == 0, errors
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def own_ray(tmp_path_factory):
    """Give what a program with a Ray of its own found."""
    folder, meeting = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("meeting")
    return found(drive("own_ray", write(folder, [(".tar", ["good"])] * 8), meeting))


def test_four_workers_share_a_gpu(own_ray):
    """A quarter of a GPU a worker puts four of them on the one there is, which is then booked out."""
    workers = own_ray["workers"]
    assert len({one["process"] for one in workers}) == 4
    assert all(one["gpus"] == [0] for one in workers)
    assert min(one["left"] for one in workers) == 0


def test_errors_of_the_main_program_arrive(own_ray):
    """An exception whose class no worker can import is caught by that class, with all that it holds."""
    what, why, note = own_ray["error"]
    assert (what, why) == ("odd", "very")
    assert "'fails'" in note


GROWING = {
    "cluster_name": "growing",
    "max_workers": 2,
    "upscaling_speed": 1.0,
    "idle_timeout_minutes": 10,
    "head_node_type": "ray.head.default",
    "provider": {
        "type": "fake_multinode",
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
    },
    "available_node_types": {
        "ray.head.default": {"resources": {"CPU": 1}, "node_config": {}, "max_workers": 0},
        "more": {
            "resources": {"CPU": 2, "object_store_memory": 128 << 20},
            "node_config": {},
            "min_workers": 0,
            "max_workers": 1,
        },
    },
    **{name: {} for name in ("auth", "docker", "file_mounts")},
    **{name: [] for name in ("initialization_commands", "setup_commands", "head_setup_commands")},
    **{
        name: [] for name in ("worker_setup_commands", "head_start_ray_commands", "worker_start_ray_commands")
    },
    **{name: [] for name in ("cluster_synced_files", "rsync_exclude", "rsync_filter")},
    "file_mounts_sync_continuously": False,
}
"""What Ray's own fake of an autoscaling cluster takes: a head with one CPU, and another node on demand."""

FAKE_PORT = 6379
"""Nodes of that fake look for their head there and nowhere else."""


@pytest.mark.soak
def test_a_cluster_grows(tmp_path):
    """More workers than there is room for make a cluster grow, and the new node's workers take part."""
    with socket.socket() as one:
        if one.connect_ex(("127.0.0.1", FAKE_PORT)) == 0:
            pytest.fail(f"port {FAKE_PORT} is taken, and this test needs it")
    (tmp_path / "config.json").write_text(json.dumps(GROWING))
    folder = write(tmp_path / "data", [(".tar", ["good"] * 5)] * 24)
    environment = {"AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_FAKE_CLUSTER": "1"}
    options = "--num-cpus=1", f"--autoscaling-config={tmp_path / 'config.json'}", f"--port={FAKE_PORT}"
    with head(*options, port=FAKE_PORT, **environment):
        result = found(drive("grow", folder, f"127.0.0.1:{FAKE_PORT}"))
    cluster = result.pop("cluster")
    assert result == {"workers": 3, "delivered": 120}
    assert cluster.endswith(f":{FAKE_PORT} (1 node, 1 CPUs, 0 GPUs), which ran already")


@pytest.mark.soak
def test_the_only_large_node_is_lost(tmp_path):
    """A run whose workers fit nowhere any more says so, and goes on from its checkpoint with less."""
    log = tmp_path / "log"
    folder = write(tmp_path / "data", [(".tar", ["good"] * 10)] * 4)
    with nodes(1, 2) as cluster:
        program = drive("lose_large_node", folder, tmp_path / "c.json", log, RAY_ADDRESS=cluster.address)
        while program.poll() is None and not log.exists():
            time.sleep(0.05)
        cluster.remove_node(cluster.second, allow_graceful=False)
        result = found(program)
    assert "each asks for 2 CPUs and 0 GPUs, and the largest node has 1 CPUs" in result["told"]
    assert len(set(result["names"])) == result["delivered"] == 40
    assert len(result["names"]) <= 41  # the batch in hand comes again


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_shared_suite_behind_a_client_address(tmp_path):
    """The shared suite of executors passes through `ray://`."""
    pytest.importorskip("grpc", reason="Ray's client needs grpcio")
    port = free_port()
    with head("--num-cpus=2", f"--ray-client-server-port={port}", f"--port={free_port()}", port=port):
        command = [sys.executable, "-m", "pytest", "-q", "tests/executors/suite_of_clients.py", "--tb=short"]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=settings(TARLIGHT_TEST_RAY=f"ray://127.0.0.1:{port}"),
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-6000:]
