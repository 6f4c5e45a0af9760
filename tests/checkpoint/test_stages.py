"""Checkpoints through stages of one's own: a batch is committed when all made of it is consumed."""

from __future__ import annotations

import copy
import itertools
import json
from typing import ClassVar

import pytest

from tarlight.errors import ArgumentError, ArgumentTypeError, CheckpointMismatchError, PipelineError
from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import ImageBatch
from tests.executors.contract import Source

from .dataset import books, ids, make, write

SHARDS = [(".tar", ["good"] * 7 + ["broken"]), (".tar.gz", ["good"] * 5), (".tar", ["good"] * 4)]


class Stage(ProcessingStage[ImageBatch, ImageBatch]):
    """Applies a function to each batch."""

    def __init__(self, function, name):
        self.function, self.name = function, name

    def process(self, task):
        return self.function(task)


class Buffer(ProcessingStage[ImageBatch, ImageBatch]):
    """Works ahead by two batches, and hands on the very tasks it took."""

    def process(self, task):
        return task

    def process_stream(self, tasks):
        held = []
        for task in tasks:
            held.append(task)
            if len(held) > 2:
                yield held.pop(0)
        yield from held


class Anew(Buffer):
    """Works ahead by two batches, and makes new tasks of them."""

    def process_stream(self, tasks):
        for task in super().process_stream(tasks):
            yield ImageBatch(data=task.data)


def singly(batch):
    """One task an image, from a generator."""
    for image in batch.data:
        yield ImageBatch(data=[image])


def listed(batch):
    """One task an image, as a list; copies of the batch, which must not bring its section along."""
    tasks = [copy.copy(batch) for _ in batch.data]
    for task, image in zip(tasks, batch.data, strict=True):
        task.data = [image]
    return tasks


def odd_ones(batch):
    """Every second image; None when that leaves nothing."""
    batch.data = [image for image in batch.data if int(image.image_id[-1]) % 2]
    return batch if batch.data else None


def twice(batch):
    """The batch, and one more with the same images."""
    return [batch, ImageBatch(data=list(batch.data))]


STAGES = {
    "filter": lambda: [Stage(odd_ones, "odd")],
    "generator": lambda: [Stage(singly, "singly")],
    "list": lambda: [Stage(listed, "listed")],
    "filter after fan-out": lambda: [Stage(singly, "singly"), Stage(odd_ones, "odd")],
    "fan-out after filter": lambda: [Stage(odd_ones, "odd"), Stage(singly, "singly")],
    "adds": lambda: [Stage(twice, "twice")],
    "buffer": lambda: [Buffer()],
    "buffer of fan-out": lambda: [Stage(singly, "singly"), Buffer(), Stage(odd_ones, "odd")],
    "new tasks": lambda: [Anew(), Stage(odd_ones, "odd")],
}


def run_with(folder, stages, **options):
    """A stream with stages behind the reader."""
    made = make(folder, **options)
    for stage in stages:
        made.add_stage(stage)
    return made.stream()


@pytest.mark.parametrize("stages", STAGES)
@pytest.mark.parametrize("taken", [1, 2, 3, 5, 8])
def test_nothing_is_left_out_and_books_balance(tmp_path, stages, taken):
    """Left after any number of tasks, a run goes on without a gap, and its books are those of one run."""
    write(tmp_path, SHARDS)
    whole = run_with(tmp_path, STAGES[stages](), batch_size=3)
    expected = [ids(task) for task in whole]
    delivered, state = [], None
    for num_tasks in (taken, taken, 10**6):
        run = run_with(tmp_path, STAGES[stages](), batch_size=3)
        if state is not None:
            run.load_state_dict(json.loads(state))
            del delivered[num_behind(state, delivered) :]
        with run:
            for _, task in zip(range(num_tasks), run, strict=False):
                delivered.append(ids(task))
                state = json.dumps(run.state_dict())
    assert delivered == expected
    assert books(run.report) == books(whole.report)


def num_behind(state, delivered):
    """How many tasks a state has behind it, from how many images it counts as delivered."""
    counted = json.loads(state)["ledger"]["delivered"]
    sums = [0, *itertools.accumulate(map(len, delivered))]
    return sums.index(counted)


@pytest.mark.parametrize("stages", ["filter", "generator", "list", "filter after fan-out", "buffer"])
def test_the_last_task_of_a_source_batch_commits_it(tmp_path, stages):
    """After the last task made of a source batch, the state has all that was delivered."""
    write(tmp_path, [(".tar", ["good"] * 8)])
    run = run_with(tmp_path, STAGES[stages](), batch_size=4)
    behind = {}
    for task in run:
        state = run.state_dict()["ledger"]
        behind[ids(task)[-1]] = state["delivered"] == run.report.images_delivered
    ends = [name for name in behind if name.endswith(("0003.jpg", "0007.jpg"))]
    assert len(ends) == 2
    assert all(behind[name] for name in ends)


def test_a_source_batch_in_parts_is_not_committed(tmp_path):
    """While tasks of a source batch are still to come, the state goes on before all of them."""
    write(tmp_path, [(".tar", ["good"] * 8)])
    run = run_with(tmp_path, [Stage(singly, "singly")], batch_size=4)
    seen = [(next(run), run.state_dict()["ledger"]["delivered"])[1] for _ in range(6)]
    assert seen == [0, 0, 0, 4, 4, 4]


def test_what_was_made_before_an_error_is_handed_on_first(tmp_path):
    """A generator that fails after its second task has given two."""

    def failing(batch):
        yield from list(singly(batch))[:2]
        raise RuntimeError("no luck")

    write(tmp_path, [(".tar", ["good"] * 4)])
    run = run_with(tmp_path, [Stage(failing, "failing")], batch_size=4)
    assert [len(ids(next(run))) for _ in range(2)] == [1, 1]
    with pytest.raises(RuntimeError, match="no luck"):
        next(run)
    assert run.report.images_delivered == 2
    assert run.report.is_balanced


class Sink(ProcessingStage[ImageBatch, ImageBatch]):
    """Keeps names in a list of its own, gives nothing, and fails when told to."""

    is_sink: ClassVar[bool] = True
    name = "sink"

    def __init__(self, kept, fail_at=None):
        self.kept, self.fail_at = kept, fail_at

    def process(self, task):
        if len(self.kept) == self.fail_at:
            raise RuntimeError("disk full")
        self.kept.append(ids(task))


def test_run_with_a_sink_goes_on(tmp_path):
    """`run(checkpoint_path=...)` goes on after what its sink has kept, also of a sink that gives no tasks."""
    write(tmp_path / "data", SHARDS)
    path, kept = tmp_path / "c.json", []
    with pytest.raises(RuntimeError, match="disk full"):
        make(tmp_path / "data", batch_size=3).add_stage(Sink(kept, 3)).run(checkpoint_path=path)
    result = make(tmp_path / "data", batch_size=3).add_stage(Sink(kept)).run(checkpoint_path=path)
    names = [name for batch in kept for name in batch]
    assert len(names) == len(set(names)) == 16
    assert result.report.images_filtered == {"sink": 16}
    assert result.report.is_balanced
    again = make(tmp_path / "data", batch_size=3).add_stage(Sink(kept, len(kept))).run(checkpoint_path=path)
    assert again == []
    assert books(again.report) == books(result.report)


def test_run_without_a_sink_is_refused(tmp_path):
    """`run(checkpoint_path=...)` whose results live in memory only is a ValueError that names stream()."""
    write(tmp_path, SHARDS)
    with pytest.raises(ArgumentError, match=r"stream\(checkpoint_path") as caught:
        make(tmp_path).run(checkpoint_path=tmp_path / "c.json")
    assert isinstance(caught.value, ValueError)


def test_a_pipeline_without_a_reader_is_refused(tmp_path):
    """A pipeline in which no stage says what it has read cannot keep a checkpoint."""
    with pytest.raises(PipelineError, match="ImageReaderStage"):
        Pipeline(stages=[Source()]).stream(checkpoint_path=tmp_path / "c.json")


@pytest.mark.parametrize(("then", "now", "refused"), [((1, 2), (1, 2), False), ((1, 2), (1, 3), True)])
def test_a_stage_of_ones_own_may_have_a_fingerprint(tmp_path, then, now, refused):
    """What a stage names in `fingerprint()` must be the same in a resumed run."""

    class Cropping(Buffer):
        def __init__(self, size):
            self.size = size

        def fingerprint(self):
            return {"size": self.size}

    write(tmp_path, SHARDS)
    state = run_with(tmp_path, [Cropping(then)]).state_dict()
    run = run_with(tmp_path, [Cropping(now)])
    if refused:
        with pytest.raises(CheckpointMismatchError, match=r"Cropping\.size was \[1, 2\] and is \[1, 3\]"):
            run.load_state_dict(state)
    else:
        run.load_state_dict(state)
        assert len(list(run)) == 3


def test_a_fingerprint_is_plain_data(tmp_path):
    """A fingerprint that JSON cannot hold is an error that says so."""

    class Odd(Buffer):
        def fingerprint(self):
            return {"model": object()}

    with pytest.raises(ArgumentTypeError, match=r"fingerprint\(\)"):
        run_with(write(tmp_path, SHARDS), [Odd()])
