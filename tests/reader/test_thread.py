"""Whose a stream is: it belongs to one thread, and to no pickle."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest

from tarlight.errors import ArgumentTypeError, PipelineError
from tarlight.stages.base import ProcessingStage
from tarlight.stream import Stream
from tarlight.tasks import ImageBatch

from .dataset import jpeg, pipeline, write_tar


@pytest.fixture
def run(tmp_path):
    write_tar(tmp_path / "0.tar", [(f"{index}.jpg", jpeg()) for index in range(6)])
    with pipeline(tmp_path, batch_size=1).stream() as run:
        yield run


def in_thread(work, name="worker"):
    """Do some work in a thread of its own; return what it gives or raises."""
    given = []

    def guarded():
        try:
            given.append(work())
        except Exception as error:  # noqa: BLE001 (looked at by the test)
            given.append(error)

    thread = threading.Thread(target=guarded, name=name)
    thread.start()
    thread.join()
    return given[0]


def test_a_second_thread_gets_an_error(run):
    """Once a thread has taken a batch, every other one is refused, and loses none of the batches."""
    next(run)
    for use in (lambda: next(run), run.commit, run.state_dict):
        error = in_thread(use, "other")
        assert isinstance(error, PipelineError)
        assert "'MainThread'" in str(error)
        assert "'other'" in str(error)
    assert len(list(run)) == 5


def test_one_other_thread_may_have_it(run):
    """A stream made here may be used up in a thread; its report and its end are for any."""
    assert len(in_thread(lambda: list(run))) == 6
    assert run.report.outcome == "finished"
    run.close()


def test_a_stream_outlives_its_thread(run):
    """When the thread that began has ended, another one may go on."""
    assert in_thread(lambda: next(run)).num_items == 1
    run.commit()
    assert len(list(run)) == 5


def test_close_waits_for_the_batch_of_another_thread(run):
    """Closed while a thread takes batches, the stream ends between two of them, and the books balance."""
    begun, taken = threading.Event(), []

    def take():
        for batch in run:
            taken.append(batch)
            begun.set()

    thread = threading.Thread(target=take)
    thread.start()
    begun.wait()
    run.close()
    thread.join()
    assert run.report.images_delivered == len(taken)
    assert run.report.is_balanced


class Lingering(ProcessingStage[ImageBatch, ImageBatch]):
    """Takes its time to be torn down."""

    def __init__(self):
        self.is_leaving, self.may_leave = threading.Event(), threading.Event()

    def process(self, task: ImageBatch) -> ImageBatch:
        """Hand on."""
        return task

    def teardown(self):
        """Wait."""
        self.is_leaving.set()
        self.may_leave.wait()


@pytest.mark.parametrize("use", [list, Stream.commit, Stream.close])
def test_a_stream_that_another_thread_closes_has_ended(tmp_path, use):
    """Whoever goes on while another thread closes the run finds it stopped, neither failed nor finished."""
    write_tar(tmp_path / "0.tar", [(f"{index}.jpg", jpeg()) for index in range(6)])
    stage = Lingering()
    run = pipeline(tmp_path, batch_size=1).add_stage(stage).stream(checkpoint_path=tmp_path / "c.json")
    next(run)
    closing = threading.Thread(target=run.close)
    closing.start()
    stage.is_leaving.wait()
    later = threading.Timer(0.1, stage.may_leave.set)
    later.start()
    assert not use(run)
    closing.join()
    assert run.report.outcome == "stopped"
    assert not run.state_dict()["finished"]


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_stream_is_not_copied(run, way):
    """Pickling or copying a stream is an error that says what to send instead."""
    with pytest.raises(ArgumentTypeError, match=r"Send the pipeline.*state_dict"):
        way(run)
