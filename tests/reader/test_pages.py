"""Decoding does not pay for fresh memory with every image."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from tests.reader.dataset import jpeg, write_tar

NUM_IMAGES = 400

CODE = """
import resource, sys
from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline

def load():
    reader = ImageReaderStage(num_threads=4, verbose=False)
    stages = [FilePartitioningStage(sys.argv[1:]), reader]
    return sum(len(batch.data) for batch in Pipeline(stages=stages).stream())

load()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
images = sum(load() for _ in range(5))
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / images)
"""


def faults_of_an_image(shard: str, **environment: str) -> float:
    """Page faults an image, in a process that has loaded the shard before."""
    path = os.pathsep.join(folder for folder in sys.path if folder)
    environment = {**os.environ, "PYTHONPATH": path, **environment}
    command = [sys.executable, "-c", CODE, shard]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be taught")
def test_freed_pixels_become_the_next_ones(tmp_path):
    """Images take less than a fifth of the page faults that they take with thresholds that are fixed."""
    picture = jpeg(width=512, height=400)
    shard = write_tar(tmp_path / "shard.tar", [(f"{index}.jpg", picture) for index in range(NUM_IMAGES)])
    defaults = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    assert faults_of_an_image(shard) < faults_of_an_image(shard, **defaults) / 5
