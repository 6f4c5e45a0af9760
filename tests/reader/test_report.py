"""The report of a run: a value that prints, travels and is saved."""

from __future__ import annotations

import json
import os
import pickle

import pytest

from tarlight.errors import PipelineError, TooManyFailuresError
from tarlight.ledger import Note, Skip, SkipReason, Spool
from tarlight.ledger.spool import KEPT_IN_MEMORY

from .dataset import jpeg, load, pipeline, record, write_shards, write_tar


def entries(count):
    return [Skip(f"k\udcff{i}", "s", "m", i, SkipReason.EMPTY, "x") for i in range(count)]


@pytest.mark.parametrize("count", [0, 3, KEPT_IN_MEMORY, KEPT_IN_MEMORY + 5])
def test_a_spool_keeps_everything_in_order(count, tmp_path):
    """A spool gives back what was appended, also after pickling and as JSON lines."""
    spool = Spool(Skip)
    for entry in entries(count):
        spool.append(entry)
    assert len(spool) == count
    assert list(spool) == entries(count)
    assert list(pickle.loads(pickle.dumps(spool))) == entries(count)
    spool.write_lines(tmp_path / "lines")
    lines = (tmp_path / "lines").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["offset"] for line in lines] == list(range(count))


def test_a_spool_survives_a_forked_child():
    """A forked child that ends does not take its parent's entries along."""
    spool = Spool(Note)
    for number in range(KEPT_IN_MEMORY + 5):
        spool.append(Note("s", str(number)))
    child = os.fork()
    if child == 0:
        del spool
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(spool)) == KEPT_IN_MEMORY + 5


def test_results_travel(tmp_path):
    """Results and their report pickle, and say the same elsewhere."""
    write_shards(tmp_path, shards=1, records=3)
    write_tar(tmp_path / "b.tar", [("x.jpg", b""), *record(9)])
    result = load(str(tmp_path))
    again = pickle.loads(pickle.dumps(result))
    assert again.report.to_dict() == result.report.to_dict()
    assert list(again.report.skips) == list(result.report.skips)
    assert str(again.report) == str(result.report)


def test_run_tells_the_ledger_with_its_error(tmp_path):
    """When `run()` ends in an error of ours, the error's notes carry the ledger."""
    shard = write_tar(tmp_path / "a.tar", [("0.jpg", b""), ("1.jpg", b""), ("2.jpg", jpeg(2))])
    with pytest.raises(TooManyFailuresError, match="max_failures=1") as caught:
        load(shard, max_failures=1)
    assert any("skipped: empty" in note for note in caught.value.__notes__)


def test_max_failures_is_looked_at_in_the_end(tmp_path):
    """A fraction counts at the end, however few images there were; 1.0 never stops a run that has images."""
    shard = write_tar(tmp_path / "a.tar", [("0.jpg", b""), ("1.jpg", jpeg(1))])
    with pytest.raises(TooManyFailuresError, match="1 failure in 2 images: more than max_failures="):
        load(shard, max_failures=0.25)
    assert load(shard, max_failures=1.0).report.images_delivered == 1


def test_a_field_that_no_record_has_is_noted(tmp_path):
    """A mistyped field is said, once a run."""
    write_shards(tmp_path, shards=2, records=2)
    (note,) = load(str(tmp_path), fields=("txt", "jsn")).report.notes
    assert (note.kind, "'jsn'" in note.text) == ("unseen_field", True)
    write_tar(tmp_path / "x.tar", [("0.jpg", jpeg(0)), ("0.json", b"{}"), ("0.cls", b"3"), ("0.json5", b"")])
    (note,) = load(str(tmp_path / "x.tar"), fields=("jsn",)).report.notes
    assert note.text.endswith(
        "dot. Members that were left out end in .json, .cls, .json5; did you mean 'json'?"
    )


def test_a_stream_does_not_survive_a_fork(tmp_path):
    """In a forked child a stream says so instead of waiting for threads that are not there."""
    write_shards(tmp_path)
    with pipeline(str(tmp_path), batch_size=2).stream() as run:
        next(run)
        child = os.fork()
        if child == 0:
            try:
                next(run)
            except PipelineError:
                os._exit(7)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        assert sum(len(batch.data) for batch in run) == 13


def test_a_running_report_says_so(tmp_path):
    """In mid-run the report does not claim that the books are unbalanced."""
    write_shards(tmp_path)
    with pipeline(str(tmp_path), batch_size=2).stream() as run:
        next(run)
        assert "still running" in str(run.report)
        assert run.report.outcome == "running"
