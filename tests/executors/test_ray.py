"""The Ray executor: the shared suite, and what only a cluster has to keep."""

from __future__ import annotations

import hashlib
import os
import re
import signal

import pytest

from tarlight.errors import ArgumentError, ArgumentTypeError, TarError, WorkerLostError
from tarlight.events import BatchDelivered, Preparing, RunEnded, RunStarted
from tarlight.executors.local import LocalExecutor
from tarlight.executors.ray import RayExecutor
from tarlight.pipeline import Pipeline
from tarlight.report.row import rows as ledger_rows
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.stages.image.io.image_reader import ImageReaderStage
from tarlight.tasks import ImageBatch, ImageObject
from tests.checkpoint.dataset import books, make, write

from .contract import SHARDS, Apply, ExecutorContract, Source, contents, ids, in_order


class TestRayExecutor(ExecutorContract):
    """The shared suite on Ray."""

    @pytest.fixture
    def executor(self, small_ray):
        return RayExecutor()


class Killer(Apply):
    """Kills its worker at one image, once or whenever it comes by."""

    def __init__(self, image, marker, *, always=False):
        super().__init__(self.kill, "killer")
        self.image, self.marker, self.always = image, marker, always

    def kill(self, batch):
        if any(image.image_path.endswith(self.image) for image in batch.data):
            is_first = not self.marker.exists()
            with self.marker.open("a", encoding="utf-8") as lines:
                lines.write("kill\n")
            if is_first or self.always:
                os.kill(os.getpid(), signal.SIGKILL)
        return batch


class DiesInSetup(Apply):
    def setup(self):
        os.kill(os.getpid(), signal.SIGKILL)


def one_each(batch):
    for image in batch.data:
        yield ImageBatch(data=[image])


def test_preserves_order(small_ray, tmp_path):
    """`preserve_order=True` gives two workers' tasks in the order of the local executor."""
    folder = write(tmp_path, SHARDS * 2)
    expected = make(folder, batch_size=3, num_threads=1).run(LocalExecutor())
    result = make(folder, batch_size=3, num_threads=1).run(RayExecutor(preserve_order=True))
    assert [task.task_id for task in result] == [task.task_id for task in expected]
    assert contents(result) == contents(expected)


def test_tells_which_cluster_and_what_is_waited_for(small_ray):
    """The report names the cluster and whose it is; listeners hear of each step before the first batch."""
    events = []
    with Pipeline("p", stages=[Source(1, 1)]).stream(RayExecutor(), listeners=[events.append]) as stream:
        list(stream)
    (text,) = (note.text for note in stream.report.notes if note.kind == "cluster")
    assert re.fullmatch(r"Ray cluster at \S+:\d+ \(1 node, 2 CPUs, 0 GPUs\), to which the program .*", text)
    told = [event.step if isinstance(event, Preparing) else type(event) for event in events]
    quick = {f"{step} on the {text}" for step in ("placing workers", "setting up stages")}
    making = f"making the first batches on the {text}"
    assert [one for one in told if one not in quick] == [RunStarted, making, "", BatchDelivered, RunEnded]


def to_process(batch):
    for image in batch.data:
        image.image_data, image.metadata["process"] = None, os.getpid()
    return batch


def test_names_the_workers(small_ray, tmp_path):
    """The report names the processes that worked, and the ledger's table counts them."""
    folder = write(tmp_path, SHARDS * 2)
    result = make(folder, batch_size=3, num_threads=1).add_stage(Apply(to_process)).run(RayExecutor())
    processes = {image.metadata["process"] for task in result for image in task.data}
    assert {int(worker.rpartition("/")[2]) for worker in result.report.workers} == processes
    (row,) = (row for row in ledger_rows(result.report) if row.name == "workers")
    assert row.amount == str(len(processes))


def test_pixels_are_read_only_views(small_ray, tmp_path):
    """Arrays that arrive are views of the object store, which nobody may write to."""
    folder = write(tmp_path, [(".tar", ["good"] * 2)])
    (batch,) = make(folder).run(RayExecutor())
    with pytest.raises(ValueError, match="read-only"):
        batch.data[0].image_data[0] = 0


@pytest.mark.corpus
def test_documented_example(small_ray, corpus):
    """The documented example ends, unchanged, on two CPUs without a GPU, with the local executor's images."""

    def pipeline():
        made = Pipeline(name="image_loading")
        made.add_stage(
            FilePartitioningStage(
                file_paths=str(corpus / "photos"), files_per_partition=1, file_extensions=[".tar"]
            )
        )
        made.add_stage(
            ImageReaderStage(batch_size=100, verbose=True, num_threads=8, num_gpus_per_worker=0.25)
        )
        return made

    expected, result = digests(pipeline().run(LocalExecutor())), {}
    with pipeline().stream(RayExecutor()) as stream:
        for batch in stream:
            result |= digests([batch])
    assert result == expected
    texts = [note.text for note in stream.report.notes if note.kind == "resources"]
    assert "8 CPUs and works with 2" in texts[0]
    assert "0.25 of a GPU" in texts[1]


def digests(batches):
    return {
        (batch.task_id, image.image_id): hashlib.sha256(image.image_data).hexdigest()
        for batch in batches
        for image in batch.data
    }


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.soak)])
@pytest.mark.parametrize("image", ["0-0003.jpg", "2-0000.jpg", "3-0008.jpg"])
def test_killed_worker(small_ray, tmp_path, image, threads):
    """A worker that is killed costs nothing: every image comes once, ids and books are the local ones."""
    folder = write(tmp_path / "data", SHARDS)
    options = {"batch_size": 2, "files_per_partition": 2, "num_threads": threads}
    expected = make(folder, **options).run(LocalExecutor())
    pipeline = make(folder, **options).add_stage(Killer(image, tmp_path / "marker"))
    result = pipeline.run(RayExecutor())
    assert contents(result) == contents(expected)
    assert books(result.report) == in_order(books(expected.report), books(result.report))
    assert any(note.kind == "worker_lost" for note in result.report.notes)


def test_killed_worker_with_split_batches(small_ray, tmp_path):
    """What stages made of a batch arrives whole or not at all."""
    folder = write(tmp_path / "data", SHARDS[:1] * 3)
    pipeline = (
        make(folder, batch_size=3)
        .add_stage(Apply(one_each))
        .add_stage(Killer("1-0001.jpg", tmp_path / "marker"))
    )
    result = pipeline.run(RayExecutor())
    names = [image.image_path for task in result for image in task.data]
    assert len(names) == len(set(names)) == 15
    assert result.report.is_balanced


class Named(Source):
    """A source of one's own, whose images have paths."""

    def process(self, task):
        for number in range(4):
            yield ImageBatch(data=[ImageObject(f"{number}.jpg", str(number))])


def test_killed_worker_with_a_source_of_ones_own(small_ray, tmp_path):
    """A source that cannot begin in the middle is run again, and what has arrived is left out."""
    result = Pipeline("p", stages=[Named(), Killer("2.jpg", tmp_path / "marker")]).run(RayExecutor())
    assert ids(result) == [["0"], ["1"], ["2"], ["3"]]
    assert result.report.is_balanced


def test_partition_that_kills_its_workers(small_ray, tmp_path):
    """A partition that kills four workers is lost by name, others are delivered, and another run tries."""
    folder = write(tmp_path / "data", [(".tar", ["good"] * 3)] * 4)
    marker = tmp_path / "marker"
    pipeline = make(folder, batch_size=2, num_threads=1).add_stage(Killer("1-0002.jpg", marker, always=True))
    stream = pipeline.stream(RayExecutor(), checkpoint_path=tmp_path / "c.json")
    assert len(list(stream)) == 7
    report = stream.report
    (loss,) = report.losses
    assert (loss.reason, loss.shard.rpartition("/")[2]) == ("read_failed", "001.tar")
    assert "4 workers died" in loss.detail
    assert report.images_delivered == 3 * 3 + 2
    assert report.is_balanced
    assert report.shards_withheld == 1
    again = make(folder).stream(checkpoint_path=tmp_path / "c.json")
    assert [image.image_path.rpartition("/")[2] for batch in again for image in batch.data] == ["1-0002.jpg"]
    assert again.report.images_delivered == 4 * 3
    assert not len(again.report.losses)


def test_lost_partition_stops_the_run_if_asked_to(small_ray, tmp_path):
    """With `on_error="raise"` a lost partition ends the run."""
    folder = write(tmp_path / "data", [(".tar", ["good"] * 3)])
    killer = Killer("0-0000.jpg", tmp_path / "marker", always=True)
    stream = make(folder, on_error="raise").add_stage(killer).stream(RayExecutor())
    with pytest.raises(TarError, match="4 workers died"):
        list(stream)
    assert stream.report.is_balanced


def test_workers_that_die_in_setup(small_ray, tmp_path):
    """Workers that die before they can work are not replaced for ever."""
    with pytest.raises(WorkerLostError, match="set up"):
        Pipeline("p", stages=[Source(), DiesInSetup(one_each)]).run(RayExecutor())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"address": ""}, ArgumentError),
        ({"address": 6379}, ArgumentTypeError),
        ({"preserve_order": 1}, ArgumentTypeError),
        ({"min_workers": 0}, ArgumentError),
        ({"min_workers": 3, "max_workers": 2}, ArgumentError),
    ],
)
def test_arguments(arguments, error):
    """Each argument is checked when the executor is made, and named."""
    with pytest.raises(error, match=next(iter(arguments))):
        RayExecutor(**arguments)


def fail_at(image, marker):
    """A stage's work that raises at one image, the first time it comes by."""

    def work(batch):
        if not marker.exists() and any(one.image_path.endswith(image) for one in batch.data):
            marker.touch()
            raise ValueError("mine")
        return batch

    return work


def test_the_batch_that_a_stage_failed_at_is_not_committed(small_ray, tmp_path):
    """After an exception in a stage, a run from the checkpoint delivers the batch that it was raised at."""
    folder = write(tmp_path / "data", SHARDS)
    expected = books(make(folder, batch_size=2).run(LocalExecutor()).report)
    failing, names = Apply(fail_at("0-0003.jpg", tmp_path / "marker")), []

    def deliver():
        run = make(folder, batch_size=2).add_stage(failing).stream(RayExecutor(), None, tmp_path / "c.json")
        for batch in run:
            names.extend(image.image_path for image in batch.data)
        return books(run.report)

    with pytest.raises(ValueError, match="mine"):
        deliver()
    resumed = deliver()
    assert len(names) == len(set(names)) == expected["images_delivered"]
    assert in_order(expected, resumed) == resumed
