"""Clients belong to one process: stages pickle, and a forked or spawned child makes clients of its own."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from .dataset import load, pipeline, shard

FORKED = """
import os, sys, warnings
from tarlight.errors import TarlightError
from tests.remote.dataset import load

url, options = sys.argv[1], {options!r}
before = load(url, options).images
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of forks beside threads
child = os.fork()
if not child:
    try:
        os._exit(0 if load(url, options).images == before else 1)
    except TarlightError as error:
        os._exit(0 if "spawn" in str(error) else 2)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert load(url, options).images == before
"""


@pytest.fixture
def stored(s3):
    """A shard of two ranges."""
    s3.put("process/00.tar", shard(20, ballast=1 << 20, seed=4))
    return s3


def test_stages_pickle_after_use(stored):
    """The stages of a pipeline that has read from a bucket pickle, and read again."""
    first = pipeline(stored.url("process"), stored.storage_options)
    seen = [image.image_id for batch in first.stream() for image in batch.data]
    second = type(first)("again", stages=pickle.loads(pickle.dumps(first.stages)))
    assert [image.image_id for batch in second.stream() for image in batch.data] == seen


def test_a_forked_child_does_not_hang(stored):
    """A child forked after its parent has read from a bucket reads the same or is told to use spawn."""
    code = FORKED.format(options=stored.storage_options)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", code, stored.url("process")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_spawned_child_reads_what_its_parent_reads(stored):
    """A spawned worker gets the same images."""
    url, options = stored.url("process"), stored.storage_options
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(_images, url, options).result() == load(url, options).images


def _images(url, options):
    return load(url, options).images
