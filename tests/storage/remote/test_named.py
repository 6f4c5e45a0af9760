"""Many names in one bucket: what looking them up costs."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from contextlib import contextmanager

import pytest

from tarlight.checkpoint import Course
from tarlight.errors import InputDeniedError, InputMissingError
from tarlight.stages.base import StageContext
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.storage import find_shards
from tarlight.storage.remote.wire import Fault, FaultKind, ObjectFacts
from tarlight.tasks import EmptyTask

COUNT = 100_000


class _Bucket:
    """A client of a bucket with many shards in order, or of one that answers with a fault."""

    def __init__(self, fault=None):
        self.fault = fault
        self.num_lists = 0

    def pages(self, prefix, offset=""):
        self.num_lists += 1
        if self.fault is not None:
            raise self.fault
        keys = (f"images/train/shard-{index:08d}.tar" for index in range(COUNT) if not offset)
        while page := list(itertools.islice(keys, 1000)):
            yield [ObjectFacts(key, 100_000_000 + index, "e" * 32) for index, key in enumerate(page)]


@pytest.fixture
def serve(monkeypatch):
    """Give a function that puts a client in the place of the network's."""

    def put(client):
        monkeypatch.setattr("tarlight.storage.remote.store.open_client", lambda *_: client)
        return client

    return put


@contextmanager
def traced():
    """Give a function that returns the bytes a shard held now, and at most so far."""
    gc.collect()
    tracemalloc.start()
    try:
        yield lambda: [held / COUNT for held in tracemalloc.get_traced_memory()]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [FaultKind.NO_BUCKET, FaultKind.DENIED])
def test_a_bucket_that_cannot_be_listed_is_asked_once(serve, kind):
    """However many shards a range names, a bucket that is missing or denied costs one request."""
    client = serve(_Bucket(Fault(kind, "said so", status=404)))
    pattern = "s3://bucket/{000..999}.tar"
    if kind is FaultKind.NO_BUCKET:
        with pytest.raises(InputMissingError, match=r"no bucket or container s3://bucket .*1,000 of 1,000"):
            find_shards(pattern)
    else:
        found = find_shards([pattern, "s3://bucket/{000..009}.tar"])
        assert [shard.size for shard in found.shards] == [None] * 1000
        assert [note.kind for note in found.notes] == ["duplicate_path", "not_listed"]
        with pytest.raises(InputDeniedError):
            find_shards("s3://bucket")
    assert client.num_lists == (1 if kind is FaultKind.NO_BUCKET else 2)


@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        ("s3://bucket/images", 280),
        pytest.param("s3://bucket/images/train/shard-{00000000..00099999}.tar", 400, marks=pytest.mark.soak),
    ],
)
def test_a_listing_has_a_bounded_peak(serve, pattern, most):
    """A shard takes few bytes while it is listed, and at most 250 afterwards, its path included."""
    serve(_Bucket())
    find_shards(pattern)
    with traced() as held:
        found = find_shards(pattern)
        now, peak = held()
    assert len(found.shards) == COUNT
    assert now <= 250
    assert peak <= most


def test_a_stage_plans_many_shards_in_bounded_memory(serve):
    """The stage takes at most 320 bytes a shard, with what checkpoints need to know of it."""
    serve(_Bucket())
    stage = FilePartitioningStage("s3://bucket/images")
    find_shards("s3://bucket/images")
    with traced() as held:
        stage.context = StageContext(course=Course())
        tasks = stage.process(EmptyTask())
        assert next(tasks).metadata["total_partitions"] == COUNT
        assert held()[1] <= 320
