"""What Ray leaves behind, and what it survives: whole processes and nodes come and go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.checkpoint.contract import SHARDS, CheckpointContract
from tests.checkpoint.dataset import make, write
from tests.corpus import REPOSITORY

from .process import MARK, assert_all_gone, nodes, settings, with_mark


def load(folder, *arguments, address=("--ray-address", "local")):
    """Begin `tarlight load --executor ray` with a Ray of its own, in a process group of its own."""
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", "tarlight", "load", folder, "--executor", "ray", *address, *arguments]
    started = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=settings(**{MARK: mark}),
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    return started, mark


def workers(mark):
    """Workers of a run that are at work."""
    return [pid for pid in with_mark(mark) if b"ray::Worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda pid: os.killpg(pid, signal.SIGINT), 130),
        pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), 143, marks=pytest.mark.soak),
    ],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_signals_leave_nothing_behind(tmp_path, end, code):
    """Ctrl-C and SIGTERM end a run with its books balanced, its exit code, and all processes it started."""
    folder = write(tmp_path / "data", [(".tar", ["good"] * 3000)])
    started, mark = load(folder, "--batch-size", "1", "--threads", "1")
    while started.poll() is None and not workers(mark):
        time.sleep(0.05)
    assert workers(mark), started.communicate()[1]
    time.sleep(1)
    end(started.pid)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == code, errors
    assert "balanced" in errors
    assert "load: starting a Ray cluster on this machine, 0:01" in errors
    assert "(1 node, 2 CPUs, 0 GPUs), started here for this run" in errors.replace(str(os.cpu_count()), "2")
    assert "authentication" not in errors
    assert_all_gone(mark)


STRIKES = [pytest.param(second, marks=pytest.mark.soak) for second in (0.5, 2.5, 3.5, 4.5, 5.0)]
"""Seconds after a command has begun to start Ray."""


@pytest.mark.parametrize("delay_s", [1.5, *STRIKES])
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.soak)],
    ids=["SIGTERM", "Ctrl-C"],
)
def test_signals_while_ray_starts_and_stops(tmp_path, number, code, delay_s):
    """A signal at any moment of Ray's start and stop ends a command with its code and its books."""
    checkpoint = tmp_path / "checkpoint.json"
    folder = write(tmp_path / "data", [(".tar", ["good"] * 3)])
    started, mark = load(folder, "--checkpoint", str(checkpoint))
    while started.poll() is None and len(with_mark(mark)) == 1:
        time.sleep(0.01)
    time.sleep(delay_s)
    started.send_signal(number)
    _, errors = started.communicate(timeout=60)
    assert started.returncode in {code, 0 if "\nfinished:" in errors else code}, errors
    assert "balanced" in errors
    if checkpoint.exists():
        with make(folder).stream(checkpoint_path=checkpoint) as rest:
            assert sum(batch.num_images for batch in rest) == (
                0 if "images delivered, 1 shard" in errors else 3
            )
    assert_all_gone(mark)


@pytest.mark.soak
@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--on-error", "raise"), 4)])
def test_end_leaves_nothing_behind(tmp_path, arguments, code):
    """Success and failure end every process that the run started."""
    started, mark = load(write(tmp_path / "data", [(".tar", ["good", "broken"])]), *arguments)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == code, errors
    assert_all_gone(mark)


@pytest.mark.soak
def test_private_clusters_are_left_alone(tmp_path):
    """Without an address a run starts a Ray of its own beside one that another program has for itself."""
    mark = uuid.uuid4().hex
    program = "import ray; ray.init('local', num_cpus=1, num_gpus=0); print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=settings(**{MARK: mark}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert any(line == "up\n" for line in other.stdout)
        started, ours = load(write(tmp_path / "data", [(".tar", ["good"])]), address=())
        _, errors = started.communicate(timeout=60)
        other.stdin.close()
    assert started.returncode == 0, errors
    assert "started here for this run" in errors
    assert_all_gone(ours)
    assert_all_gone(mark)


@pytest.fixture
def cluster(monkeypatch):
    """Give a Ray of two nodes, each with one CPU, that other processes find by RAY_ADDRESS."""
    with nodes(1, 1) as cluster:
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster


@pytest.mark.soak
def test_lost_node(cluster, tmp_path):
    """A node that is lost in mid-run costs nothing: every image comes once, and the books balance."""
    log = tmp_path / "log"
    settings = {
        "executor": "tarlight.executors.ray:RayExecutor",
        "way": "commit",
        "dataset": write(tmp_path / "data", SHARDS * 3),
        "log": str(log),
        "checkpoint": str(tmp_path / "checkpoint.json"),
        "options": {"batch_size": 1, "num_threads": 1},
        "pause_s": 0.05,
    }
    command = [sys.executable, "-m", "tests.checkpoint.victim", json.dumps(settings)]
    driver = subprocess.Popen(command, cwd=REPOSITORY)
    while driver.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < 40):
        time.sleep(0.05)
    cluster.remove_node(cluster.second, allow_graceful=False)
    assert driver.wait(timeout=120) == 0
    *batches, end = map(json.loads, log.read_text().splitlines())
    names = [name for batch in batches for name in batch["ids"]]
    assert len(names) == len(set(names)) == end["report"]["images_delivered"]
    assert end["report"]["is_balanced"]
    assert len(end["report"]["workers"]) == 2
    assert "worker_lost" in {note["kind"] for note in end["report"]["notes"]}


@pytest.mark.soak
@pytest.mark.usefixtures("cluster")
class TestRayCheckpoint(CheckpointContract):
    """The shared suite of killed and resumed runs, on Ray: other threads are other numbers of workers."""

    executor = "tarlight.executors.ray:RayExecutor"
    in_order = False
