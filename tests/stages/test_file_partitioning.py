"""The stage that finds shards and groups them."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tarlight.errors import InputMissingError, TarlightError
from tarlight.events import PartitionsPlanned
from tarlight.stages.base import StageContext
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.tasks import EmptyTask


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to sit in, with five shards of 10, 20, ... 50 bytes."""
    monkeypatch.chdir(tmp_path)
    for number in range(1, 6):
        Path(f"{number}.tar").write_bytes(bytes(10 * number))
    return tmp_path


def partitions(**options):
    stage = FilePartitioningStage(options.pop("file_paths", "."), **options)
    return list(stage.process(EmptyTask(dataset_name="photos")))


def names(tasks):
    return [list(task.data) for task in tasks]


def test_one_shard_a_partition_by_default(here):
    """Each partition has one shard, its size, its place, and an id that depends on the input alone."""
    tasks = partitions()
    assert names(tasks) == [["1.tar"], ["2.tar"], ["3.tar"], ["4.tar"], ["5.tar"]]
    assert [task.sizes for task in tasks] == [[10], [20], [30], [40], [50]]
    assert [task.task_id for task in tasks] == [f"partition_{index:06}" for index in range(5)]
    assert {task.dataset_name for task in tasks} == {"photos"}
    assert tasks[3].metadata == {"partition_index": 3, "total_partitions": 5, "source_files": ["4.tar"]}
    assert tasks[3].partition_index == 3
    assert partitions() == tasks


def test_several_shards_a_partition(here):
    """Partitions take neighbours in order; the last has what remains."""
    assert names(partitions(files_per_partition=2)) == [["1.tar", "2.tar"], ["3.tar", "4.tar"], ["5.tar"]]


@pytest.mark.parametrize(
    ("blocksize", "expected"),
    [
        (60, [["1.tar", "2.tar", "3.tar"], ["4.tar"], ["5.tar"]]),
        ("0.03kB", [["1.tar", "2.tar"], ["3.tar"], ["4.tar"], ["5.tar"]]),
        (1, [["1.tar"], ["2.tar"], ["3.tar"], ["4.tar"], ["5.tar"]]),
        ("1GiB", [["1.tar", "2.tar", "3.tar", "4.tar", "5.tar"]]),
    ],
)
def test_blocksize_packs_neighbours(here, blocksize, expected):
    """Neighbours share a partition up to blocksize bytes; a larger shard has one of its own."""
    assert names(partitions(blocksize=blocksize)) == expected


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 30), min_size=1, max_size=15), st.integers(1, 40))
def test_packing_keeps_order_and_wastes_no_partition(tmp_path_factory, sizes, blocksize):
    """Packed partitions hold every shard once, in order, fit, and no two neighbours could be one."""
    folder = tmp_path_factory.mktemp("d")
    for number, size in enumerate(sizes):
        (folder / f"{number}.tar").write_bytes(bytes(size))
    tasks = partitions(file_paths=folder, blocksize=blocksize)
    assert [size for task in tasks for size in task.sizes] == sizes
    assert all(sum(task.sizes) <= blocksize or len(task.sizes) == 1 for task in tasks)
    assert all(sum(one.sizes) + two.sizes[0] > blocksize for one, two in pairwise(tasks))


def test_limit_counts_partitions(here):
    """A limit takes the first partitions, and the total is what is left."""
    tasks = partitions(files_per_partition=2, limit=2)
    assert names(tasks) == [["1.tar", "2.tar"], ["3.tar", "4.tar"]]
    assert {task.metadata["total_partitions"] for task in tasks} == {2}
    assert len(partitions(limit=100)) == 5


def test_listeners_and_ledger_are_told(here):
    """The plan is an event with what is within the limit; a path named twice is a note in the books."""
    events = []
    stage = FilePartitioningStage([".", "1.tar"], limit=3)
    stage.context = StageContext(emit=events.append, dataset_name="photos")
    tasks = list(stage.process(EmptyTask()))
    assert events == [PartitionsPlanned(partitions=3, shards=3, num_bytes=60)]
    assert [note.kind for note in stage.context.ledger.notes] == ["duplicate_path"]
    assert {task.dataset_name for task in tasks} == {"photos"}


def test_building_looks_at_nothing_and_processing_at_everything(here):
    """A missing path is no error until the stage runs, and one before the first partition then."""
    stage = FilePartitioningStage(["1.tar", "missing.tar"])
    with pytest.raises(InputMissingError, match=r"^missing.tar"):
        next(stage.process(EmptyTask()))


def test_the_stage_pickles_and_describes_itself(here):
    """A stage works in another process, without its context; it shows what was asked for."""
    stage = FilePartitioningStage([Path(), "1.tar"], blocksize="1MB", file_extensions=["TAR"], limit=3)
    stage.context = StageContext()
    copy = pickle.loads(pickle.dumps(stage))
    assert copy.context is None
    assert copy.describe() == stage.describe()
    assert stage.describe()["blocksize"] == 1_000_000
    assert "1000000" in repr(stage)
    assert names(copy.process(EmptyTask())) == names(stage.process(EmptyTask()))


def test_values_of_options_are_never_shown(here):
    """Options may be credentials: neither error, repr nor description has their values."""
    with pytest.raises(ValueError, match="secret_key") as caught:
        FilePartitioningStage(".", storage_options={"secret_key": "hush"})
    assert "hush" not in str(caught.value)
    stage = FilePartitioningStage(".")
    stage._storage_options = {"secret_key": "hush"}  # as a store that takes options will have them
    assert "hush" not in repr(stage) + str(stage.describe()) + str(stage)
    assert "secret_key" in repr(stage)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"files_per_partition": 0}, ValueError, "files_per_partition must be 1 or more"),
        ({"files_per_partition": -3}, ValueError, "files_per_partition must be 1 or more"),
        ({"files_per_partition": True}, TypeError, "files_per_partition must be a whole number"),
        ({"files_per_partition": 1.0}, TypeError, "files_per_partition must be a whole number"),
        ({"files_per_partition": "1"}, TypeError, "files_per_partition must be a whole number"),
        (
            {"files_per_partition": 1, "blocksize": 1},
            ValueError,
            "files_per_partition or blocksize, not both",
        ),
        ({"limit": 0}, ValueError, "limit must be 1 or more"),
        ({"limit": False}, TypeError, "limit must be a whole number"),
        ({"limit": "all"}, TypeError, "limit must be a whole number"),
        ({"blocksize": 0}, ValueError, "blocksize must be at least 1"),
        ({"blocksize": -1}, ValueError, "blocksize must be at least 1"),
        ({"blocksize": "big"}, ValueError, "blocksize must be bytes"),
        ({"blocksize": 1e6}, TypeError, "blocksize must be bytes"),
        ({"blocksize": True}, TypeError, "blocksize must be bytes"),
        ({"file_extensions": []}, ValueError, "file_extensions"),
        ({"file_extensions": None}, TypeError, "file_extensions"),
        ({"file_extensions": [3]}, TypeError, "file_extensions"),
        ({"storage_options": {"a": 1}}, ValueError, "storage_options"),
        ({"storage_options": "a"}, TypeError, "storage_options"),
        ({"file_paths": []}, ValueError, "file_paths"),
        ({"file_paths": ""}, ValueError, "file_paths"),
        ({"file_paths": None}, TypeError, "file_paths"),
        ({"file_paths": ["a", 3]}, TypeError, "file_paths"),
        ({"file_paths": "ftp://host/x"}, ValueError, "no store reads"),
        ({"name": ""}, ValueError, "name"),
        ({"name": 3}, TypeError, "name"),
    ],
)
def test_wrong_arguments_are_named_before_anything_runs(options, error, says):
    """Every wrong argument is an error of ours when the stage is made, and names the argument."""
    with pytest.raises(error, match=says) as caught:
        FilePartitioningStage(**{"file_paths": "x", **options})
    assert isinstance(caught.value, TarlightError)
