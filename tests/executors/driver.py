"""Programs that run pipelines on clusters of their own: `python -m tests.executors.driver NAME ARGUMENT...`.

Each prints what it found as one line of JSON. A process can be connected to one Ray only, and that of
the tests is connected to another.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tarlight.errors import WorkerLostError
from tarlight.executors.ray import RayExecutor
from tarlight.pipeline import Pipeline
from tarlight.resources import Resources
from tests.checkpoint.dataset import make

from .contract import Apply, Source


class MainError(Exception):
    """An error of the main program, which no worker can import."""

    def __init__(self, what, why):
        super().__init__(what)
        self.why = why


def fail(batch):
    raise MainError("odd", why="very")


def slow(batch):
    time.sleep(0.3)
    return batch


class Meet(Apply):
    """Waits until four workers are at work, and says where each is, and what is left of the cluster."""

    resources = Resources(cpus=0.25, gpus=0.25)

    def __init__(self, folder):
        super().__init__(None, "meet")
        self.folder = folder

    def setup(self):
        Path(self.folder, str(os.getpid())).touch()

    def process(self, batch):
        import ray  # noqa: PLC0415

        while len(list(Path(self.folder).iterdir())) < 4:
            time.sleep(0.05)
        batch.data[0].metadata |= {
            "process": os.getpid(),
            "gpus": ray.get_gpu_ids(),
            "left": ray.available_resources().get("GPU", 0),
        }
        batch.data[0].image_data = None
        return batch


def own_ray(folder, meeting):
    """On one node with a GPU that is not there: four workers meet on it; an error of `__main__` arrives."""
    import ray  # noqa: PLC0415

    ray.init("local", num_cpus=2, num_gpus=1, include_dashboard=False, object_store_memory=128 << 20)
    pipeline = make(folder, num_threads=1, batch_size=1, num_gpus_per_worker=0)
    for stage in pipeline.stages:
        stage.resources = Resources(cpus=0.25)
    found = [batch.data[0].metadata for batch in pipeline.add_stage(Meet(meeting)).run(RayExecutor())]
    try:
        Pipeline("p", stages=[Source(), Apply(fail, "fails")]).run(RayExecutor())
    except MainError as error:
        return {"workers": found, "error": [str(error), error.why, *error.__notes__]}


def grow(folder, address):
    """With a stage that takes its time, more workers than there is room for at first."""
    pipeline = make(folder, num_threads=1, batch_size=2).add_stage(Apply(slow))
    report = pipeline.run(RayExecutor(address, min_workers=2, max_workers=3)).report
    (cluster,) = (note.text for note in report.notes if note.kind == "cluster")
    return {"workers": len(report.workers), "delivered": report.images_delivered, "cluster": cluster}


def lose_large_node(folder, checkpoint, log):
    """A worker fits on one node only, and that one goes."""
    pipeline = make(folder, num_threads=2, batch_size=1).add_stage(Apply(slow))
    run = pipeline.stream(RayExecutor(placement_timeout_s=40), None, checkpoint)
    names = []
    try:
        for batch in run:
            names += [image.image_path for image in batch.data]
            Path(log).touch()
    except WorkerLostError as error:
        told = str(error)
    smaller = make(folder, num_threads=1, batch_size=1).stream(RayExecutor(), None, checkpoint)
    names += [image.image_path for batch in smaller for image in batch.data]
    return {"told": told, "names": names, "delivered": smaller.report.images_delivered}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])) + "\n")
