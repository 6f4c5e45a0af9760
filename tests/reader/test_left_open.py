"""Streams that a program leaves open: they are ended while it ends, and not when their threads are gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.corpus import REPOSITORY

from .dataset import jpeg, write_tar

BEGINNING = """
import atexit, json, logging, sys, threading
logging.basicConfig()
from tests.reader.dataset import pipeline
import tarlight.stream

def tell():  # registered before there is a stream: called behind all that streams register
    report = stream.report
    print(json.dumps([report.outcome, report.images_delivered, report.is_balanced]))

atexit.register(tell)
made = pipeline(sys.argv[1], batch_size=2)
"""


def end_of(program, *arguments, **environment):
    """Run a program that leaves its stream open; what its stream tells behind its end."""
    command = [sys.executable, "-c", BEGINNING + program, *map(str, arguments)]
    settings = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | environment
    done = subprocess.run(
        command, cwd=REPOSITORY, env=settings, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Pictures that take a while to decode, so that threads are at work whenever the program ends."""
    folder = tmp_path_factory.mktemp("shards")
    picture = jpeg(1, 1200, 800)
    for shard in range(3):
        write_tar(folder / f"{shard}.tar", [(f"{index:04d}.jpg", picture) for index in range(60)])
    return folder


@pytest.mark.parametrize("before", ["", "import concurrent.futures.thread", "import ray"])
def test_a_global_stream(shards, before):
    """A stream that a program never closes is stopped with it, its books balanced, without a complaint."""
    program = f"{before}\nstream = made.stream()\nnext(stream)"
    assert end_of(program, shards) == (["stopped", 2, True], "")


def test_a_forked_child_that_leaves_it(shards, tmp_path):
    """A child that closes its parent's stream changes neither the run nor its checkpoint."""
    program = """
import os
with made.stream(checkpoint_path=sys.argv[2]) as stream:
    next(stream)
    if not os.fork():
        stream.close()
        os._exit(0)
    assert os.wait()[1] == 0
    while True:
        try:
            next(stream)
        except StopIteration:
            break
"""
    assert end_of(program, shards, tmp_path / "run.json") == (["finished", 180, True], "")


def test_its_checkpoint(shards, tmp_path):
    """What was consumed is in the checkpoint, as after `close()`, and no lock is left."""
    program = "stream = made.stream(checkpoint_path=sys.argv[2])\n[next(stream) for _ in range(3)]"
    assert end_of(program, shards, tmp_path / "c.json") == (["stopped", 6, True], "")
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]
    assert json.loads((tmp_path / "c.json").read_text())["state"]["ledger"]["delivered"] == 4


def test_a_thread_that_outlives_the_main_one(shards):
    """A thread that loads while the main one has come to its end gets every image."""
    program = """
stream = made.stream()
threading.Thread(target=lambda: [None for batch in stream]).start()
"""
    assert end_of(program, shards) == (["finished", 180, True], "")


def test_a_thread_that_waits_for_ever(shards):
    """A program does not wait for a daemon thread that waits for a batch which does not come."""
    program = """
tarlight.stream.PATIENCE_S = 0.1
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import ImageBatch

stuck = threading.Event()

class Waits(ProcessingStage[ImageBatch, ImageBatch]):
    def process(self, batch):
        if stream.report.images_delivered:
            stuck.set()
            threading.Event().wait()
        return batch

stream = made.add_stage(Waits()).stream()
threading.Thread(target=lambda: list(stream), daemon=True).start()
stuck.wait()
"""
    (outcome, delivered, _), errors = end_of(program, shards)
    assert (outcome, delivered) == ("running", 2)
    assert "another thread waits for its next batch" in errors
    assert "Traceback" not in errors


def test_a_forked_child_leaves_it_alone(shards):
    """A child that ends by itself does not end the stream of its parent."""
    program = """
import os, warnings
warnings.simplefilter("ignore")  # Python warns of forks where there are threads
stream = made.stream()
next(stream)
if not (child := os.fork()):
    atexit.unregister(tell)
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
print(len([None for batch in stream]), file=sys.stderr)
"""
    assert end_of(program, shards) == (["finished", 180, True], "89\n")


@pytest.mark.soak
def test_ray(tmp_path):
    """Workers of a stream that is left open are ended with the program."""
    for shard in range(2):
        write_tar(tmp_path / f"{shard}.tar", [(f"{index:04d}.jpg", jpeg(index)) for index in range(60)])
    program = """
from tarlight.executors.ray import RayExecutor
logging.disable(logging.WARNING)
stream = made.stream(RayExecutor("local"))
next(stream)
"""
    (outcome, delivered, balanced), errors = end_of(program, tmp_path)
    assert (outcome, delivered, balanced) == ("stopped", 2, True)
    assert "Traceback" not in errors
