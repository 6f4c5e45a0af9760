"""A store that gives nothing for an hour costs nothing that the next run cannot get, on either executor."""

from __future__ import annotations

import json

import pytest

from tarlight.errors import TooManyFailuresError
from tarlight.executors.local import LocalExecutor
from tarlight.executors.ray import RayExecutor
from tarlight.report.table import format_ledger
from tarlight.stages.base import ProcessingStage
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.tasks import ImageBatch
from tests.checkpoint.dataset import unordered
from tests.executors.test_ray import Killer
from tests.servers import fault

from .dataset import MIB, QUICK, pipeline, shard

SHARDS = [shard(9), shard(20, ballast=MIB, seed=1), shard(9, seed=2), shard(9, seed=3)]
"""The second one takes several requests."""
OUT_OF_ORDER = fault.status(500, "Internal Server Error")


@pytest.fixture(params=["local", "ray"])
def executor(request):
    """Give each executor in turn."""
    if request.param == "local":
        return LocalExecutor()
    request.getfixturevalue("small_ray")
    return RayExecutor()


@pytest.fixture
def front(s3, proxy):
    """The store behind the proxy, with the shards in it."""
    for index, data in enumerate(SHARDS):
        s3.put(f"withheld/data/{index}.tar", data)
    return s3.at(proxy.port, **QUICK)


def made(front, files_per_partition=1, **options):
    """A silent pipeline over the shards behind the proxy."""
    made = pipeline(front.url("withheld/data"), front.storage_options, **options)
    made.stages[0] = FilePartitioningStage(
        front.url("withheld/data"), files_per_partition, storage_options=front.storage_options
    )
    return made


def fail(proxy, *numbers):
    """Refuse the second range of the large shard, and others from their first byte on."""

    def strikes(request):
        number = int(request.target.rpartition(".tar")[0][-1:] or 0)
        is_begun = number != 1 or (request.start or 0) > 0
        return request.method == "GET" and not request.is_listing and number in numbers and is_begun

    return proxy.add(OUT_OF_ORDER, strikes)


class Keep(ProcessingStage[ImageBatch, ImageBatch]):
    """Stands for a stage that keeps what it gets, as `run` with a checkpoint asks for."""

    is_sink = True

    def process(self, task):
        return task


def names(batches):
    """Where the images of batches come from, in no order."""
    return sorted(image.image_path for batch in batches for image in batch.data)


@pytest.mark.parametrize("way", ["stream", "run"])
def test_the_next_run_gets_what_did_not_come(front, proxy, tmp_path, executor, way):
    """Shards that did not come are named, left open, and delivered by the next run, each image once."""
    path = tmp_path / "c.json"

    def deliver(files_per_partition, batch_size):
        planned = made(front, files_per_partition, batch_size=batch_size)
        if way == "run":
            result = planned.add_stage(Keep()).run(executor, checkpoint_path=path)
            return names(result), result.report
        stream = planned.stream(executor, checkpoint_path=path)
        return names(stream), stream.report

    whole = made(front).stream()
    expected = names(whole)
    rule = fail(proxy, 1, 2)
    first, report = deliver(2, 4)
    assert len(expected) - 20 - 9 < len(first) < len(expected) - 9
    assert sorted((loss.shard[-5:], loss.end, loss.start > 0) for loss in report.losses) == [
        ("1.tar", len(SHARDS[1]), True),
        ("2.tar", len(SHARDS[2]), False),
    ]
    assert (report.shards_withheld, report.is_balanced, report.images_skipped) == (2, True, {})
    assert "to try 2 shards once more" in " ".join(format_ledger(report).split())
    assert json.loads(path.read_text())["state"]["finished"] is False
    rule.times = rule.num_struck
    second, report = deliver(3, 7)
    assert sorted(first + second) == expected
    assert without_retries(report) == without_retries(whole.report)
    assert json.loads(path.read_text())["state"]["finished"] is True


def without_retries(report):
    """Books in no order, without what is said of repeated requests."""
    plain = unordered(report)
    del plain["num_notes"]
    return plain | {"notes": [note for note in plain["notes"] if "retried" not in note]}


def test_a_worker_that_takes_over_does_not_try_again(front, proxy, tmp_path, small_ray):
    """A shard that did not come is lost once, also where its partition goes on in another worker."""
    rule = fail(proxy, 0, 1)
    planned = made(front, 4, batch_size=4, num_threads=1)
    killing = planned.add_stage(Killer("3.tar/000007.jpg", tmp_path / "marker"))
    stream = killing.stream(RayExecutor(), checkpoint_path=tmp_path / "c.json")
    first = names(stream)
    assert stream.report.is_balanced
    assert sorted(loss.shard[-5:] for loss in stream.report.losses) == ["0.tar", "1.tar"]
    assert "worker_lost" in {note.kind for note in stream.report.notes}
    rule.times = rule.num_struck
    again = made(front).stream(checkpoint_path=tmp_path / "c.json")
    second = names(again)
    assert sorted(first + second) == names(made(front).stream())
    assert not len(again.report.losses)


def test_lost_shards_stop_a_run(front, proxy, executor):
    """A dataset of which a part does not come stops a run that allows for fewer failures than it held."""
    fail(proxy, 1)
    stream = made(front, max_failures=0.1).stream(executor)
    with pytest.raises(TooManyFailuresError, match="by the size of what is lost"):
        list(stream)
    assert stream.report.is_balanced


def test_an_object_that_is_gone_is_a_loss(front, proxy, executor):
    """An object that was listed and is not there any more is lost by name and size; others are delivered."""
    proxy.add(fault.status(404, "Not Found", "NoSuchKey"), lambda request: "2.tar" in request.target)
    stream = made(front).stream(executor)
    assert len(names(stream)) == 9 + 20 + 9
    (loss,) = stream.report.losses
    assert (loss.shard[-5:], loss.start, loss.end) == ("2.tar", 0, len(SHARDS[2]))
    assert stream.report.is_balanced


def test_a_shard_of_unknown_size_counts_as_one_of_the_others(proxy, tmp_path):
    """A shard of which nobody told the size counts as as many failures as those before it held images."""
    for name in "abc":
        (tmp_path / f"{name}.tar").write_bytes(shard(30))
    proxy.add(OUT_OF_ORDER)
    paths = [str(tmp_path), f"http://127.0.0.1:{proxy.port}/bucket/x.tar"]
    with pytest.raises(TooManyFailuresError, match="30 failures in 120 images"):
        list(pipeline(paths, QUICK, max_failures=29).stream())
    assert len(names(pipeline(paths, QUICK, max_failures=30).stream())) == 90


def test_a_shard_whose_size_nobody_told(proxy):
    """Of a URL that never answered no size is claimed, and not that every byte is accounted for."""
    proxy.add(OUT_OF_ORDER)
    stream = pipeline(f"http://127.0.0.1:{proxy.port}/bucket/x.tar", QUICK).stream()
    assert list(stream) == []
    (loss,) = stream.report.losses
    assert (loss.is_sized, stream.report.unsized_losses, stream.report.bytes_lost) == (False, 1, 0)
    table = " ".join(format_ledger(stream.report).split())
    assert "0 bytes and 1 shard of unknown size" in table
    assert "every image and byte accounted for" not in table
