"""What a checkpoint file is written over, and when: with progress only, and over nobody else's."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tarlight.checkpoint.file import CheckpointFile, LocalFile, encode
from tarlight.checkpoint.spelling import whole
from tarlight.errors import (
    CheckpointError,
    CheckpointMismatchError,
    CheckpointTakenError,
    CheckpointWriteError,
    InputMissingError,
)
from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import FileGroupTask, ImageBatch

from .dataset import books, ids, make, stream, write

SHARDS = [(".tar", ["good"] * 6), (".tar", ["broken", *["good"] * 5])]


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "data", SHARDS)


class Failing(ProcessingStage[ImageBatch, ImageBatch]):
    """Cannot be set up."""

    def setup(self):
        """Fail."""
        raise RuntimeError("mistyped")

    def process(self, task: ImageBatch) -> ImageBatch:
        """Not reached."""
        return task


def test_a_run_that_fails_before_its_first_batch_leaves_nothing(data, tmp_path):
    """A run that fails before anything was done leaves no file, and a corrected one begins."""
    path = tmp_path / "kept" / "c.json"
    path.parent.mkdir()
    failing = [make(data, max_pixels=99).add_stage(Failing()), make(tmp_path / "nowhere", batch_size=2)]
    for made, error in zip(failing, (RuntimeError, InputMissingError), strict=True):
        with pytest.raises(error):
            list(made.stream(checkpoint_path=path))
        assert list(path.parent.iterdir()) == []
    assert sum(len(batch.data) for batch in make(data).stream(checkpoint_path=path)) == 11
    assert json.loads(path.read_text())["state"]["finished"]


def test_a_commit_before_the_first_batch_writes_nothing(data, tmp_path):
    """Where nothing has been done, not even `commit()` and `close()` write a file."""
    with make(data).stream(checkpoint_path=tmp_path / "c.json") as run:
        run.commit()
    assert not (tmp_path / "c.json").exists()


def test_a_place_that_cannot_be_written_is_found_out_first(data, tmp_path):
    """A checkpoint that could not be written ends the run before a batch is made of anything."""
    path = (
        tmp_path / f"{'x' * 250}.json"
    )  # a name as long as a name may be, with no room for another beside it
    with pytest.raises(CheckpointWriteError, match="cannot be written"):
        next(make(data).stream(checkpoint_path=path))


def test_a_claim_is_no_checkpoint(tmp_path):
    """What a run leaves that has only found out whether it may write is read as nothing."""
    path = tmp_path / "c.json"
    path.write_bytes(encode({"writer": "anybody"}))
    assert CheckpointFile(LocalFile(path)).load() is None


def test_two_runs_on_one_checkpoint(data, tmp_path):
    """The second of two runs that write one checkpoint is told, naming both, and the file stays."""
    path = tmp_path / "c.json"
    first, second = (make(data, batch_size=2).stream(checkpoint_path=path) for _ in range(2))
    for run in (first, second):
        next(run)
    first.commit()
    kept = path.read_bytes()
    with pytest.raises(
        CheckpointTakenError, match=rf"c\.json: another run .*process {os.getpid()} on .*begun"
    ):
        second.commit()
    with pytest.raises(CheckpointTakenError):
        second.close()
    assert second.report.outcome == "stopped"
    assert path.read_bytes() == kept
    first.commit()
    assert len(list(first)) == 5
    assert json.loads(path.read_text())["state"]["ledger"]["delivered"] == 11


def test_a_run_that_finds_another_in_mid_run_ends_once(data, tmp_path, monkeypatch):
    """Found out between two batches, another run ends this one with that error alone, and no threads."""
    monkeypatch.setattr("tarlight.checkpoint.file.SAVE_SECONDS", 0)
    path = tmp_path / "c.json"
    run = make(data, batch_size=2).stream(checkpoint_path=path)
    next(run)
    with make(data, batch_size=3).stream(checkpoint_path=path) as other:
        next(other)
        other.commit()
    with pytest.raises(CheckpointTakenError) as caught:
        list(run)
    assert getattr(caught.value, "__notes__", []) == []
    assert run.report.outcome == "failed"
    assert not any(thread.name.startswith("tarlight-read") for thread in threading.enumerate())


def test_two_writers_at_once_leave_a_whole_file(tmp_path):
    """Runs that share a process id, as in containers on one disk, never write into one another's file."""
    place = tmp_path / "c.json"

    def write_often(size):
        for _ in range(30):
            file = CheckpointFile(LocalFile(place))
            file.load()
            with suppress(CheckpointTakenError):
                file.save({"text": "x" * size})

    with ThreadPoolExecutor() as threads:
        for written in [threads.submit(write_often, size) for size in (10, 10**6)]:
            written.result()
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]


def test_a_foreign_text_is_not_written_over(data, tmp_path):
    """What somebody else puts where a checkpoint was is left as it is; a removed file comes again."""
    path = tmp_path / "c.json"
    run = make(data, batch_size=2).stream(checkpoint_path=path)
    next(run)
    run.commit()
    path.unlink()
    next(run)
    run.commit()
    assert path.exists()
    path.write_text("mine")
    next(run)
    with pytest.raises(CheckpointTakenError, match="says nothing"):
        run.commit()
    with pytest.raises(CheckpointTakenError):
        run.close()
    assert path.read_text() == "mine"


@pytest.mark.parametrize("then", ["relative", "dotted", "absolute", "url"])
@pytest.mark.parametrize("now", ["relative", "dotted", "absolute", "url"])
def test_the_same_files_are_the_same_dataset(data, tmp_path, monkeypatch, then, now):
    """However the paths are spelled, and from whichever folder, a run goes on; ledgers show them so."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    spelled = {
        "relative": "data",
        "dotted": "./elsewhere/../data/",
        "absolute": data,
        "url": f"file://{data}",
    }
    with make(spelled[then], batch_size=4).stream(checkpoint_path=tmp_path / "c.json") as run:
        delivered = [*ids(next(run)), *ids(next(run)), *ids(next(run))]
        run.commit()
    monkeypatch.chdir(tmp_path / "elsewhere")
    spelled |= {"relative": "../data", "dotted": "..//data/."}
    run = make(spelled[now], batch_size=4).stream(checkpoint_path=tmp_path / "c.json")
    delivered += [name for batch in run for name in ids(batch)]
    names = [name.rpartition("/data/")[2].removeprefix("data/").removeprefix("./") for name in delivered]
    assert names == [name.rpartition("/data/")[2] for batch in stream(data) for name in ids(batch)]
    assert run.report.images_seen == 12
    (skip,) = run.report.skips
    assert whole(skip.shard) == f"{data}/001.tar" or not skip.shard.startswith("/")


class Respelled(ProcessingStage[FileGroupTask, FileGroupTask]):
    """Names the shards of every partition in another way."""

    def __init__(self, spell):
        self.spell = spell

    def process(self, task: FileGroupTask) -> FileGroupTask:
        """Spell."""
        return replace(task, data=[self.spell(path) for path in task.data])


@pytest.mark.parametrize(("listed", "spell"), [("data", os.path.abspath), (None, os.path.relpath)])
def test_a_stage_may_spell_paths_anew(data, tmp_path, monkeypatch, listed, spell):
    """A shard that a stage spells otherwise than the listing is still the same one, also for the next run."""
    monkeypatch.chdir(tmp_path)
    plain = [(batch.task_id, len(ids(batch))) for batch in stream(data, batch_size=2)]
    delivered = []
    for _ in range(len(plain) + 1):
        partitioning, reader = make(listed or data, batch_size=2).stages
        made = Pipeline(stages=[partitioning, Respelled(spell), reader])
        with made.stream(checkpoint_path=tmp_path / "c.json") as run:
            for batch in islice(run, 1):
                delivered.append((batch.task_id, len(ids(batch))))
                run.commit()
    assert delivered == plain


def test_another_folder_is_another_dataset(data, tmp_path):
    """Shards of the same names and sizes in another folder are refused."""
    write(tmp_path / "twin", SHARDS)
    with make(data, batch_size=4).stream(checkpoint_path=tmp_path / "c.json") as run:
        next(run)
        run.commit()
    with pytest.raises(CheckpointMismatchError, match=r"the first shard: .*/data/000\.tar then, .*/twin/000"):
        list(make(tmp_path / "twin").stream(checkpoint_path=tmp_path / "c.json"))


def test_one_file_under_two_spellings_is_refused(data, tmp_path):
    """Where one shard is given twice, also by way of a link, a checkpoint does not guess which was read."""
    (tmp_path / "data" / "deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data" / "deep")
    made = make([f"{data}/000.tar", f"{tmp_path}/link/../000.tar"], batch_size=4)
    with made.stream() as run:
        next(run)
        state = run.state_dict()
    again = made.stream()
    again.load_state_dict(state)
    with closing(again), pytest.raises(CheckpointError, match="read twice"):
        next(again)


class Breaking(ProcessingStage[ImageBatch, ImageBatch]):
    """Breaks down in the middle of the last shard."""

    def process(self, task: ImageBatch) -> ImageBatch:
        """Break down, in the end."""
        if task.data[0].image_path.endswith("001.tar/1-0004.jpg"):
            raise RuntimeError("out of order")
        return task


def test_a_checkpoint_that_cannot_be_made_hides_no_error(data, tmp_path):
    """What ended a run is what is raised; that no checkpoint can be made of it is noted there."""
    shards = [f"{data}/000.tar", f"{data}/../data/000.tar", f"{data}/001.tar"]
    reader = make(data, batch_size=3).stages[1]
    made = Pipeline(stages=[reader, Breaking()])
    with pytest.raises(RuntimeError, match="out of order") as caught:
        list(made.stream(None, [FileGroupTask(data=shards)], checkpoint_path=tmp_path / "c.json"))
    assert any("read twice" in note for note in caught.value.__notes__)


def test_links_above_dots_are_followed(tmp_path):
    """`..` behind a link is what lies above where the link leads, as it is when the file is opened."""
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "far" / "0.tar").touch()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    assert Path(whole(f"{tmp_path}/link/../0.tar")).samefile(tmp_path / "far" / "0.tar")
    assert whole("s3://bucket/../x.tar") == "s3://bucket/../x.tar"


def finished_state(data):
    """The state of a run that has come to its end."""
    run = make(data, batch_size=4).stream()
    assert sum(len(batch.data) for batch in run) == 11
    return run.state_dict(), run.report


def test_the_state_of_a_finished_run_is_kept_elsewhere(data, tmp_path):
    """A finished state that a stream with a new checkpoint goes on from leaves a checkpoint that says so."""
    state, report = finished_state(data)
    for _ in range(2):  # the second time where one lies that says so already
        run = make(data, batch_size=4).stream(checkpoint_path=tmp_path / "c.json")
        run.load_state_dict(state)
        assert list(run) == []
    again = make(data).stream(checkpoint_path=tmp_path / "c.json")
    assert list(again) == []
    assert books(again.report) == books(report)
    assert [path.name for path in tmp_path.glob("*c.json*")] == ["c.json"]
    assert json.loads((tmp_path / "c.json").read_text())["state"]["finished"]


def test_a_finished_checkpoint_needs_no_writing(data, tmp_path):
    """Going on from a checkpoint that says it is finished writes nothing, and does not ask whether it may."""
    list(make(data).stream(checkpoint_path=tmp_path / "c.json"))
    before = (tmp_path / "c.json").stat()
    (tmp_path / ".c.json.lock").mkdir()  # whoever tries to take the lock fails
    assert list(make(data).stream(checkpoint_path=tmp_path / "c.json")) == []
    assert (tmp_path / "c.json").stat().st_mtime_ns == before.st_mtime_ns


def test_a_finished_state_of_another_dataset_leaves_nothing(data, tmp_path):
    """A finished state that does not fit writes no checkpoint."""
    state, _ = finished_state(data)
    run = make(write(tmp_path / "twin", SHARDS)).stream(checkpoint_path=tmp_path / "c.json")
    run.load_state_dict(state)
    with pytest.raises(CheckpointMismatchError):
        list(run)
    assert list(tmp_path.glob("*c.json*")) == []
