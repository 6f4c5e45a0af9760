"""What a worker of a Ray run answers, and what of it the driver can read; without a cluster."""

from __future__ import annotations

import pickle
import sys

import pytest

from tarlight.checkpoint import Course
from tarlight.errors import PipelineError
from tarlight.executors.ray.failure import pack_error
from tarlight.executors.ray.parcel import PickledStage, Work
from tarlight.executors.ray.worker import Worker
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import EmptyTask, ImageBatch, ImageObject

STOP = []


class Stops(ProcessingStage[EmptyTask, ImageBatch]):
    """Makes one batch, and while it makes another the worker is told to stop."""

    def process(self, task):
        yield ImageBatch(data=[ImageObject("0.jpg", "0")])
        STOP.pop()()
        yield ImageBatch(data=[ImageObject("1.jpg", "1")])


class Passes(ProcessingStage[ImageBatch, ImageBatch]):
    def process(self, task):
        return task


def test_a_worker_that_is_stopped_answers():
    """A worker that gives up in mid-batch answers what it was asked, with nothing."""
    worker = Worker([PickledStage(stage.label, pickle.dumps(stage)) for stage in (Stops(), Passes())], "p")
    assert worker.open().failure is None
    STOP.append(worker.stop)
    reply, tasks = worker.take([Work(0, 0, EmptyTask(), Course())])
    assert (len(reply.parcels), len(tasks)) == (1, 1)
    reply, tasks = worker.take([])
    assert (reply.parcels, tasks) == ((), [])
    assert worker.close() is None


class KnownThereOnlyError(Exception):
    """An error of a library that only the workers have."""


def test_an_exception_that_the_driver_does_not_know_is_told(monkeypatch):
    """An exception whose class cannot be found here becomes ours, with its message and its traceback."""
    failure = pack_error(KnownThereOnlyError("no room"))
    monkeypatch.delattr(sys.modules[__name__], "KnownThereOnlyError")
    error = failure.error()
    assert isinstance(error, PipelineError)
    assert "KnownThereOnlyError: no room" in str(error)
    assert "KnownThereOnlyError: no room" in str(error.__cause__)
    with pytest.raises(AttributeError):
        pickle.loads(failure.pickled)
