"""The books could fail to balance: something dropped at any hand-over is found (C2)."""

from __future__ import annotations

import itertools

import pytest

from tarlight import stream
from tarlight.errors import LedgerError
from tarlight.executors import local
from tarlight.stages.image.io import assemble, candidate, read_ahead
from tarlight.stages.image.io.image_reader import ImageReaderStage
from tarlight.storage import local as local_store
from tarlight.tar import holding

from .dataset import pipeline, write_shards


def dropping_second(iterable_of):
    """Wrap a function that gives an iterable, so that its second item gets lost."""

    def wrapped(*args, **kwargs):
        items = iterable_of(*args, **kwargs)
        try:
            for number, item in enumerate(items):
                if number != 1:
                    yield item
        finally:
            items.close()

    return wrapped


def not_the_second(method):
    """Wrap a method, so that its second call does nothing."""
    calls = []

    def wrapped(self, *args):
        calls.append(1)
        return None if len(calls) == 2 else method(self, *args)

    return wrapped


def skipping_a_task(method):
    """Wrap `_next_task`, so that the second task gets lost on its way to the consumer."""

    def wrapped(self):
        self.told = getattr(self, "told", 0) + 1
        if self.told == 2:
            next(self._run)
        return method(self)

    return wrapped


def answering_once_with_nothing(method):
    """Wrap a method that gives a list, so that its second call takes something and gives nothing."""
    calls = []

    def wrapped(self, *args):
        calls.append(1)
        return [] if len(calls) == 2 else method(self, *args)

    return wrapped


HAND_OVERS = {
    "store to tar": (local_store.LocalStore, "chunks", dropping_second),
    "held image to reader": (holding.Holding, "hold_image", answering_once_with_nothing),
    "tar to reader": (read_ahead, "read_records", dropping_second),
    "reader to group": (candidate.Group, "add", not_the_second),
    "image to batch or ledger": (assemble.Assembler, "_settle", not_the_second),
    "reader to executor": (ImageReaderStage, "process_stream", dropping_second),
    "stage to stage": (local, "apply_stage", dropping_second),
    "executor to consumer": (stream.Stream, "_next_task", skipping_a_task),
}


def consume(run, batches):
    """Take some batches, or all, and close."""
    for _ in itertools.islice(run, batches):
        pass
    run.close()


@pytest.mark.parametrize("where", HAND_OVERS)
@pytest.mark.parametrize("early", [False, True])
def test_a_dropped_image_is_found(tmp_path, monkeypatch, where, early):
    """Whatever is dropped at a hand-over makes the books unbalanced, at the end and when stopped early."""
    write_shards(tmp_path, shards=4, records=30)
    owner, name, wrap = HAND_OVERS[where]
    monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))
    monkeypatch.setattr(local_store, "CHUNK_BYTES", 20_480)  # so that a shard has several chunks
    run = pipeline(str(tmp_path), batch_size=10, fields=("txt",)).stream()
    with pytest.raises(LedgerError, match="do not balance"):
        consume(run, batches=4 if early else None)
    assert not run.report.is_balanced


def test_nothing_dropped_balances(tmp_path):
    """The same run without a loss balances."""
    write_shards(tmp_path, shards=4, records=30)
    report = pipeline(str(tmp_path), batch_size=10).run().report
    assert report.is_balanced
    assert report.images_delivered == 120
