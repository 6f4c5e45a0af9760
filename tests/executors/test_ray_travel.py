"""What travels between the driver and its workers, and what is said of things that cannot."""

from __future__ import annotations

import pickle
import threading

import pytest

from tarlight.errors import PipelineError
from tarlight.executors.ray import RayExecutor
from tarlight.executors.ray.failure import pack_error
from tarlight.executors.ray.parcel import PickledStage
from tarlight.pipeline import Pipeline
from tarlight.tasks import FileGroupTask, ImageBatch

from .contract import Apply, OddError, Source, first_only


class Refuses:
    """Can be pickled, and not be unpickled."""

    def __reduce__(self):
        return int, ("no number",)


def attach(value):
    """A stage's work that puts something into the metadata of its first image."""

    def work(batch):
        batch.data[0].metadata["attached"] = value()
        return batch

    return work


@pytest.mark.parametrize(
    ("value", "told"),
    [(threading.Lock, r"cannot be sent.*_thread\.lock"), (Refuses, "cannot be unpickled here.*no number")],
)
def test_output_that_cannot_travel(small_ray, value, told):
    """What a stage hands on and cannot travel ends the run with its stage, the reason, and balanced books."""
    stages = Source(), Apply(first_only), Apply(attach(value), "attaches")
    stream = Pipeline("p", stages=stages).stream(RayExecutor())
    with pytest.raises(PipelineError, match=f"stage 'attaches' hands on {told}"):
        list(stream)
    assert stream.report.is_balanced


def test_stage_that_cannot_travel(small_ray):
    """A stage that cannot be pickled is named, with the type that is in the way."""
    stage = Apply(first_only, "locked")
    stage.lock = threading.Lock()
    with pytest.raises(PipelineError, match=r"stage 'locked' cannot be sent.*_thread\.lock"):
        Pipeline("p", stages=[Source(), stage]).run(RayExecutor())


def test_stage_that_cannot_be_unpickled(small_ray):
    """A stage that workers cannot unpickle is named, with the reason."""
    stage = Apply(first_only, "refuses")
    stage.something = Refuses()
    with pytest.raises(PipelineError, match=r"stage 'refuses' cannot be unpickled in a worker.*no number"):
        Pipeline("p", stages=[Source(), stage]).run(RayExecutor())


def test_task_that_cannot_travel(small_ray):
    """A task that cannot be pickled is named, with the type that is in the way."""
    task = FileGroupTask(data=["a.tar"], task_id="mine")
    task.lock = threading.Lock()
    stage = Apply(first_only)
    with pytest.raises(PipelineError, match=r"'mine' cannot be sent.*_thread\.lock"):
        Pipeline("p", stages=[stage]).run(RayExecutor(), [ImageBatch(data=[], task_id="first"), task])


class HoldsError(Exception):
    """Holds what cannot travel."""

    def __init__(self, text, held):
        super().__init__(text, held)
        self.held, self.count = held, 7


@pytest.mark.parametrize("held", [threading.Lock(), Refuses()])
def test_error_that_holds_what_cannot_travel(held):
    """An exception keeps its type, its notes and what can travel; the rest becomes text, or is left out."""
    error = HoldsError("full", held)
    error.add_note("in stage 'x'")
    arrived = pack_error(error).error()
    assert type(arrived) is HoldsError
    assert arrived.args == ("full", repr(held))
    assert (arrived.count, arrived.__notes__, hasattr(arrived, "held")) == (7, ["in stage 'x'"], False)


def test_error_that_cannot_be_made_again():
    """An exception whose `__init__` wants other arguments than it keeps arrives as it was."""
    error = OddError("odd", "very")
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(error))
    arrived = pack_error(error).error()
    assert (type(arrived), arrived.args) == (OddError, ("odd",))


def test_error_of_a_class_that_cannot_travel():
    """An exception whose class nobody can pickle is told in words, with its notes."""

    class LocalError(Exception):
        pass

    error = LocalError("no luck")
    error.add_note("in stage 'x'")
    arrived = pack_error(error).error()
    assert type(arrived) is PipelineError
    assert str(arrived).startswith("LocalError: no luck")
    assert arrived.__notes__ == ["in stage 'x'"]


def test_pickled_stage_comes_back():
    """A pickled stage is unpickled as it was."""
    stage = Apply(first_only, "mine")
    assert PickledStage("mine", pickle.dumps(stage)).stage().name == "mine"
