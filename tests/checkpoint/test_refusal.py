"""What a checkpoint is refused for, and what the message says."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.checkpoint import file
from tarlight.checkpoint.file import CheckpointFile, LocalFile, decode, encode
from tarlight.checkpoint.state import State, from_plain, to_plain
from tarlight.errors import (
    ArgumentError,
    ArgumentTypeError,
    CheckpointError,
    CheckpointMismatchError,
    CheckpointWriteError,
    PipelineError,
    ShardChangedError,
    ShardReadError,
)
from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.storage import local
from tarlight.tasks import EmptyTask, FileGroupTask, ImageBatch
from tests.reader.dataset import jpeg, write_tar

from .dataset import books, ids, make, stream, write

SHARDS = [(".tar", ["good"] * 7 + ["broken"]), (".tar", ["good"] * 5)]


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "data", SHARDS)


@pytest.fixture
def left(data, tmp_path):
    """A checkpoint of a run that was left in the middle of its first shard."""
    with make(data, batch_size=2).stream(checkpoint_path=tmp_path / "c.json") as run:
        next(run)
        run.commit()
    return tmp_path / "c.json"


def resume(data, path, **options):
    return list(make(data, **options).stream(checkpoint_path=path))


def test_a_checkpoint_is_small_json_without_anything_secret(left):
    """The file is JSON text that names its format and version."""
    plain = json.loads(left.read_text())["state"]
    assert (plain["format"], plain["version"], plain["finished"]) == ("tarlight checkpoint", 2, False)
    assert len(left.read_bytes()) < 2_000


@pytest.mark.parametrize("cut", [0, 1, 50, 90, -40, -2])
def test_a_file_cut_off_is_refused(data, left, cut):
    """A file that was cut off anywhere is an error that names it and says what to do."""
    left.write_bytes(left.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match=r"c\.json: .*begin anew"):
        resume(data, left)


def test_a_flipped_byte_is_refused(left):
    """No byte of a checkpoint can change unnoticed, the newline at its end apart."""
    text = left.read_bytes()
    for at in range(0, len(text) - 1, 7):
        with pytest.raises(CheckpointError):
            decode(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :], "c.json")


@pytest.mark.parametrize("text", [b"", b"{}", b"[1, 2]", b"\xff\xd8\xff", b'{"digest": "x"}', b"[" * 100_000])
def test_a_foreign_file_is_refused(data, tmp_path, text):
    """A file that is no checkpoint is an error, and stays as it is."""
    foreign = tmp_path / "notes.json"
    foreign.write_bytes(text)
    with pytest.raises(CheckpointError, match=r"notes\.json"):
        resume(data, foreign)
    assert foreign.read_bytes() == text


def _places(plain, at=()):
    yield at
    children = (
        plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    )
    for key, child in children:
        yield from _places(child, (*at, key))


def test_wrong_values_are_refused(data, left):
    """Any value of another type, or left out, is refused or changes nothing that is believed."""
    plain = json.loads(left.read_text())["state"]
    for place in list(_places(plain))[1:]:
        if place[0] in {"options", "dataset", "writer"}:  # compared, or shown, as they are
            continue
        twin = json.loads(json.dumps(plain))
        parent = twin
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = {"no": [None]}
        with pytest.raises(CheckpointError, match="here"):
            from_plain(twin, "here")


@given(
    plain=st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_anything_else_is_refused(plain):
    """Whatever is no state is refused with our error."""
    with pytest.raises(CheckpointError):
        from_plain(plain, "here")


def test_another_version_is_refused():
    """A checkpoint of an earlier or later version is refused by its number."""
    for version in (1, 3):
        with pytest.raises(CheckpointError, match=f"version {version}"):
            from_plain({**to_plain(State()), "version": version}, "here")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"fields": ("txt",)}, "fields"),
        ({"extensions": (".jpg",)}, "extensions"),
        ({"decoder": "pillow"}, "decoder"),
        ({"max_pixels": 1000}, "max_pixels"),
        ({"max_scans": 7}, "max_scans"),
        ({"max_member_bytes": 1000}, "max_member_bytes"),
        ({"damaged": "deliver"}, "damaged"),
        ({"exif_orientation": False}, "exif_orientation"),
    ],
)
def test_other_options_are_refused(data, left, options, named):
    """A checkpoint made with other options is refused at once, saying which was what."""
    with pytest.raises(CheckpointMismatchError, match=rf"image_reader\.{named} was .* and is "):
        make(data, **options).stream(checkpoint_path=left)


@pytest.mark.parametrize("options", [{"max_failures": 9}, {"on_error": "skip"}, {"max_batch_bytes": 10_000}])
def test_options_that_decide_nothing_may_change(data, left, options):
    """Options that decide neither ids nor verdicts may change."""
    assert resume(data, left, **options)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: write_tar(f"{data}/009.tar", [("x.jpg", jpeg())]), "shards: 2 then, 3 now"),
        (lambda data: os.truncate(f"{data}/001.tar", 1024), "bytes in all shards"),
        (lambda data: Path(f"{data}/000.tar").rename(f"{data}/0.tar"), "the first shard"),
        (
            lambda data: Path(f"{data}/001.tar").rename(f"{data}/002.tar"),
            r"last shard: .*/001\.tar then, .*/002",
        ),
        (
            lambda data: write_tar(f"{data}/009.tar", [("x.jpg", jpeg())]),
            r"last shard: .*/001\.tar then, .*/009",
        ),
    ],
)
def test_another_dataset_is_refused(data, left, change, said):
    """A checkpoint of another dataset is refused, saying what differs, and stays as it is."""
    change(data)
    before = left.read_bytes()
    with pytest.raises(CheckpointMismatchError, match=said):
        resume(data, left)
    after = json.loads(left.read_bytes())["state"]
    assert after == {**json.loads(before)["state"], "seconds": after["seconds"]}


def test_other_shards_between_the_first_and_the_last(tmp_path):
    """Where ends and sums are the same, the message says that it is the shards between that differ."""
    data = write(tmp_path / "data", [(".tar", ["good"])] * 4)
    resume(data, tmp_path / "c.json")
    Path(f"{data}/001.tar").rename(f"{data}/001b.tar")
    with pytest.raises(CheckpointMismatchError, match=r"c\.json: .*\(as many shards and bytes, and"):
        resume(data, tmp_path / "c.json")


def test_files_of_earlier_and_later_versions_read_alike(data, left):
    """The name of the last shard is beside what earlier versions compare, and a file without it is read."""
    state = json.loads(left.read_bytes())["state"]
    assert state.pop("last_shard") == f"{data}/001.tar"
    assert state["dataset"].keys() == {"shards", "bytes", "first", "digest"}
    left.write_bytes(encode(state))
    assert resume(data, left)
    left.write_bytes(encode(state))
    Path(f"{data}/001.tar").rename(f"{data}/002.tar")
    with pytest.raises(CheckpointMismatchError, match="behind it"):
        resume(data, left)


def test_a_shard_changed_in_mid_read_is_refused(data, left):
    """A shard that was written anew, with the same size, since a run stopped in it is refused."""
    os.utime(f"{data}/000.tar", ns=(1, 1))
    with pytest.raises(ShardChangedError, match="since the checkpoint"):
        resume(data, left)


def test_a_shard_with_other_images_is_refused(data, left):
    """A shard in which a run stopped, and which has other members now under the same time, is refused."""
    path = Path(f"{data}/000.tar")
    facts = path.stat()
    path.write_bytes(path.read_bytes().replace(b".jpg\0", b".png\0"))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(ShardChangedError, match="images lie where 2"):
        resume(data, left)


def test_a_shard_that_a_stage_reads_twice_is_refused(data, tmp_path):
    """Where a stage has shards read twice, a checkpoint is refused rather than leave one out."""

    class Twice(ProcessingStage[FileGroupTask, FileGroupTask]):
        def process(self, task):
            return [task, task]

    planner, reader = make(data).stages
    run = Pipeline(stages=[planner, Twice(), reader]).stream(checkpoint_path=tmp_path / "c.json")
    with pytest.raises(CheckpointError, match="read twice"):
        list(run)


def test_a_dataset_that_is_read_twice_is_refused(data, tmp_path):
    """Two initial tasks, for each of which the dataset is listed and read, cannot be told apart."""
    run = make(data).stream(None, [EmptyTask(), EmptyTask()], tmp_path / "c.json")
    with pytest.raises(CheckpointError, match="read twice"):
        list(run)


def test_a_run_that_began_otherwise_is_refused(data, left):
    """A checkpoint of listed shards is refused by a run over given tasks."""
    tasks = [FileGroupTask(data=[f"{data}/000.tar"])]
    with pytest.raises(CheckpointMismatchError, match="FilePartitioningStage"):
        list(Pipeline(stages=[make(data).stages[1]]).stream(None, tasks, left))


def test_given_tasks_go_on_by_their_paths(data):
    """A run over given tasks, without a listing, goes on by the paths of its shards."""

    def begin():
        tasks = [FileGroupTask(data=[f"{data}/00{number}.tar"]) for number in range(2)]
        return Pipeline(stages=[make(data, batch_size=5).stages[1]]).stream(None, tasks)

    first, second = begin(), begin()
    names = [ids(next(first)) for _ in range(3)]
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    first.close()
    assert names + [ids(batch) for batch in second] == [ids(batch) for batch in begin()]


def test_a_finished_run_does_nothing_and_says_so(data, tmp_path, caplog):
    """A finished run that is resumed reads nothing, notes that, and reports the whole."""
    path = tmp_path / "c.json"
    first = make(data).stream(checkpoint_path=path)
    assert len(list(first)) == 2
    with caplog.at_level("INFO", logger="tarlight"):
        again = make(data, num_threads=1).stream(checkpoint_path=path)
    assert list(again) == []
    assert "finished before" in caplog.text
    assert [note.kind for note in again.report.notes] == ["checkpoint"]
    assert books(again.report) == books(first.report)
    assert again.report.outcome == "finished"


def test_a_folder_keeps_it_as_checkpoint_json(data, tmp_path):
    """Given a folder, the checkpoint is `checkpoint.json` in it, and nothing else is left there."""
    folder = tmp_path / "kept"
    folder.mkdir()
    list(make(data).stream(checkpoint_path=folder))
    assert [file.name for file in folder.iterdir()] == ["checkpoint.json"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("ftp://b/c.json", ArgumentError),
        ("http://b/c.json", ArgumentError),
        ("s3://b", ArgumentError),
        ("s3://b/a//c.json", ArgumentError),
        ("", ArgumentError),
        ("no/such/c.json", ArgumentError),
        (7, ArgumentTypeError),
    ],
)
def test_paths_that_cannot_be(data, path, error):
    """A path that cannot be written to is refused before anything is read."""
    with pytest.raises(error, match="checkpoint_path"):
        make(data).stream(checkpoint_path=path)


def run_without_its_folder(data, tmp_path):
    """A run that has given one batch, and whose checkpoint's folder is gone."""
    folder = tmp_path / "kept"
    folder.mkdir()
    run = make(data, batch_size=2).stream(checkpoint_path=folder / "c.json")
    next(run)
    folder.rename(tmp_path / "gone")
    return run


def test_a_checkpoint_that_cannot_be_written_is_an_error(data, tmp_path):
    """Where the file cannot be replaced the run stops with the books balanced, and the path is named."""
    run = run_without_its_folder(data, tmp_path)
    with pytest.raises(CheckpointWriteError, match=r"kept/c\.json"):
        run.commit()
    with pytest.raises(CheckpointWriteError, match=r"kept/c\.json"):
        run.close()
    assert run.report.is_balanced


def test_a_run_that_cannot_save_between_batches_is_ended(data, tmp_path, monkeypatch):
    """A checkpoint that cannot be written between two batches ends the run, its books and its threads."""
    monkeypatch.setattr(file, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(file, "MAX_SHARE", 1e9)
    run = run_without_its_folder(data, tmp_path)
    with pytest.raises(CheckpointWriteError, match=r"kept/c\.json"):
        next(run)
    assert run.report.is_balanced
    assert run.report.outcome == "failed"
    assert not [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith(("tarlight-read", "tarlight-decode"))
    ]


def test_load_state_dict_comes_first(data):
    """`load_state_dict` in mid-run is refused."""
    run = stream(data)
    state = run.state_dict()
    next(run)
    with pytest.raises(PipelineError, match="before the first batch"):
        run.load_state_dict(state)
    run.close()


def test_a_state_from_before_the_first_batch_begins_anew(data):
    """A state from before the first batch loads, and means the beginning."""
    run = stream(data)
    run.load_state_dict(stream(data).state_dict())
    assert sum(len(batch.data) for batch in run) == 12


def test_state_dict_changes_nothing(data):
    """However often `state_dict()` is called, the batch in hand is not committed by it."""
    run = stream(data, batch_size=2)
    next(run)
    first, second = run.state_dict(), run.state_dict()
    del first["seconds"], second["seconds"]
    assert first == second
    assert run._course.committed_state(0)["ledger"]["delivered"] == 0
    run.close()


def test_what_is_saved_is_loaded(tmp_path):
    """A file gives back what was saved, and none gives None."""
    file = CheckpointFile(LocalFile(tmp_path / "c.json"))
    assert file.load() is None
    file.save({"a": ["\udcff", 1]})
    assert file.load() == {"a": ["\udcff", 1]}
    assert decode(encode({"b": 2}), "") == {"b": 2}


def test_the_report_goes_on_counting(data, left):
    """A resumed report counts the whole run from its start, its time included."""
    run = make(data).stream(checkpoint_path=left)
    assert (run.report.images_delivered, run.report.images_seen) == (2, 2)
    assert run.report.seconds > 0
    list(run)
    assert (run.report.images_delivered, run.report.images_seen) == (12, 13)
    assert run.report.is_balanced


class FailsInTeardown(ProcessingStage[ImageBatch, ImageBatch]):
    def process(self, task):
        return task

    def teardown(self):
        raise OSError("mine")


def test_a_run_whose_teardown_fails_is_saved(data, tmp_path):
    """Where a stage cannot be torn down, the run has ended as failed, and what was done with is saved."""
    pipeline = make(data, batch_size=2).add_stage(FailsInTeardown())
    run = pipeline.stream(checkpoint_path=tmp_path / "c.json")
    next(run)
    next(run)
    with pytest.raises(OSError, match="mine"):
        run.close()
    assert run.report.outcome == "failed"
    assert CheckpointFile(LocalFile(tmp_path / "c.json")).load()["ledger"]["delivered"] == 2


def test_a_settled_part_that_cannot_be_read_is_a_loss(data, left, monkeypatch):
    """Where a shard cannot be read again up to where a run stopped, the rest of it is lost, and no more."""
    names, read = [], local._read

    def fail(file, path, size, offset):
        if path.endswith("000.tar"):
            raise ShardReadError(f"{path}: mine")
        return read(file, path, size, offset)

    monkeypatch.setattr(local, "_read", fail)
    with make(data, batch_size=2).stream(checkpoint_path=left) as run:
        for batch in run:
            names += ids(batch)
    assert len(names) == 5
    assert [(loss.reason, loss.start) for loss in run.report.losses] == [("read_failed", 0)]
    assert run.report.is_balanced
