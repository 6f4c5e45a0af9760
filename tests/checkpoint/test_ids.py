"""Ids of batches: whatever a sink names after them is never overwritten by anything else."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from dataclasses import replace
from itertools import chain

from hypothesis import example, given
from hypothesis import strategies as st

from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import EmptyTask, FileGroupTask, ImageBatch

from .dataset import ids, make, stream, write
from .test_interruption import OPTIONS, SHARDS

FEW = [(".tar", ["good"] * 7), (".tar", ["broken", *["good"] * 4]), (".tar", ["good"] * 5)]
LEGS = st.lists(st.tuples(OPTIONS, st.integers(0, 6), st.booleans()), max_size=6)
"""Runs that are left early: with which options, after how many batches, and whether the last is committed."""


def options(batch_size, files_per_partition):
    return {"batch_size": batch_size, "num_threads": 1, "files_per_partition": files_per_partition}


@example(FEW, [(options(2, 4), 4, False), (options(5, 1), 1, False)], options(1, 2))  # another partitioning
@given(shards=SHARDS, legs=LEGS, last=OPTIONS)
def test_files_named_after_ids_are_the_dataset(shards, legs, last):
    """Files named by task id and committed one by one are the dataset, wherever and however runs go on."""
    with tempfile.TemporaryDirectory() as folder:
        expected = [name for batch in stream(write(f"{folder}/data", shards)) for name in ids(batch)]
        files, committed = {}, set()
        for chosen, num_batches, commits in [*legs, (last, 10**6, True)]:
            path = f"{folder}/checkpoint.json"
            with make(f"{folder}/data", **chosen).stream(checkpoint_path=path) as run:
                for number, batch in zip(range(num_batches), run, strict=False):
                    assert batch.task_id not in committed
                    files[batch.task_id] = ids(batch)
                    if commits or number < num_batches - 1:
                        run.commit()
                        committed.add(batch.task_id)
        assert sorted(name for names in files.values() for name in names) == sorted(expected)
        assert [name for task_id in sorted(files) for name in files[task_id]] == expected


def test_a_resumed_run_goes_on_with_the_same_ids(tmp_path):
    """Where batches are the same, so are their ids, in one run and in two."""
    data = write(tmp_path / "data", FEW)
    whole = [(batch.task_id, ids(batch)) for batch in stream(data, batch_size=2)]
    first = stream(data, batch_size=2)
    begun = [next(first), next(first), next(first)]
    second = stream(data, batch_size=2)
    second.load_state_dict(first.state_dict())
    first.close()
    assert [(batch.task_id, ids(batch)) for batch in [*begun, *second]] == whole
    assert whole[5][0] == "shard_000001_batch_00000003"  # after the broken one and two more


def test_an_id_is_the_place_of_the_first_image(tmp_path):
    """Batches that begin with the same image have the same id, whatever options, and no others have."""
    data = write(tmp_path / "data", FEW)
    begins = {}
    for batch_size in (1, 2, 3, 50):
        for files_per_partition in (1, 2, 3):
            made = make(data, batch_size=batch_size, files_per_partition=files_per_partition)
            for batch in made.stream():
                assert begins.setdefault(batch.task_id, ids(batch)[0]) == ids(batch)[0]
    assert len(set(begins.values())) == len(begins)


def test_partitions_are_named_after_their_first_shard(tmp_path):
    """The name of a partition is the place of its first shard, however many shards it has."""
    data = write(tmp_path / "data", [(".tar", ["good"])] * 5)
    named = {
        count: [task.task_id for task in make(data, files_per_partition=count).stages[0].process(EmptyTask())]
        for count in (1, 2, 4)
    }
    assert named[2] == named[1][::2] == ["partition_000000", "partition_000002", "partition_000004"]
    assert named[4] == named[1][::4]


def test_given_tasks_keep_their_ids_apart(tmp_path, monkeypatch):
    """Without a listing, batches are named after task and path: what is given later overwrites nothing."""
    data = write(tmp_path / "data", FEW)
    paths = [f"{data}/{number:03d}.tar" for number in range(3)]
    reader = make(data, batch_size=3).stages[1:]
    given_tasks = [
        [FileGroupTask(task_id="mine", data=paths[:2])],
        [FileGroupTask(task_id="mine", data=paths[2:])],
        [FileGroupTask(task_id="again", data=paths[:2])],
    ]
    runs = [[batch.task_id for batch in Pipeline(stages=reader).stream(None, tasks)] for tasks in given_tasks]
    assert len(set(chain(*runs))) == sum(map(len, runs))
    monkeypatch.chdir(tmp_path)
    relative = [FileGroupTask(task_id="mine", data=[os.path.relpath(path) for path in paths[:2]])]
    assert [batch.task_id for batch in Pipeline(stages=reader).stream(None, relative)] == runs[0]


class Halves(ProcessingStage[ImageBatch, ImageBatch]):
    """Cuts every batch in two: copies that keep its id, or tasks without one."""

    def __init__(self, *, keeps_id):
        self.keeps_id = keeps_id

    def process(self, task: ImageBatch) -> list[ImageBatch]:
        """Cut."""
        parts = task.data[::2], task.data[1::2]
        if self.keeps_id:
            return [replace(task, data=part) for part in parts]
        return [ImageBatch(data=part) for part in parts]


class Ahead(ProcessingStage[ImageBatch, ImageBatch]):
    """Takes two batches ahead of those that it hands on as they are."""

    def process(self, task: ImageBatch) -> ImageBatch:
        """Hand on."""
        return task

    def process_stream(self, tasks):
        """Hand on, later."""
        line = deque()
        for task in tasks:
            line.append(task)
            if len(line) > 2:
                yield line.popleft()
        yield from line


def test_a_stage_that_takes_ahead_changes_no_ids(tmp_path):
    """Batches that a stage hands on as they are keep their ids, the last ones too."""
    data = write(tmp_path / "data", FEW)
    plain = [batch.task_id for batch in stream(data, batch_size=4)]
    assert [batch.task_id for batch in make(data, batch_size=4).add_stage(Ahead()).stream()] == plain


def test_ids_of_a_fan_out_are_apart(tmp_path):
    """Tasks made of one batch have ids of their own, and also those that are copies of it."""
    data = write(tmp_path / "data", FEW)
    for keeps_id in (False, True):
        made = make(data, batch_size=4).add_stage(Halves(keeps_id=keeps_id)).add_stage(Halves(keeps_id=False))
        found = [task.task_id for task in made.stream()]
        assert len(set(found)) == len(found)
        assert found[0].startswith("shard_000000_batch_00000000")
