"""What the environment withheld is lost in this run, and tried again by the one that goes on from it."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tarlight.errors import (
    CheckpointMismatchError,
    InputMissingError,
    ShardChangedError,
    ShardReadError,
    TooManyFailuresError,
)
from tarlight.pipeline import Pipeline
from tarlight.report.table import format_ledger
from tarlight.stages.base import ProcessingStage
from tarlight.storage import local
from tarlight.tasks import FileGroupTask
from tests.reader.dataset import jpeg, write_tar
from tests.soak import repetitions

from .dataset import books, ids, make, stream, write
from .test_interruption import ONE, OPTIONS, SHARDS, counted, sums

CHUNK_BYTES = 700
"""Bytes of a chunk, so that images come before the byte that does not."""


@contextmanager
def broken(failing, error=ShardReadError, *, chunk_bytes=CHUNK_BYTES):
    """Make reads of some shards fail from a byte on: name -> byte."""
    read, before = local._read, local.CHUNK_BYTES

    def fail(file, path, size, offset):
        stop = failing.get(Path(path).name)
        if stop is not None and offset >= stop:
            raise error(f"{path}: planned")
        return read(file, path, size if stop is None else min(size, stop - offset), offset)

    local._read, local.CHUNK_BYTES = fail, chunk_bytes
    try:
        yield
    finally:
        local._read, local.CHUNK_BYTES = read, before


def deliver(folder, legs, **options):
    """Run leg after leg, each from the state beside the last batch; returns the last run and all names."""
    state, names, run = None, [], None
    for failing, leg, num_batches in legs:
        run = stream(folder, **options, **leg)
        if state is not None:
            run.load_state_dict(json.loads(state))
        with broken(failing), run:
            for _, batch in zip(range(num_batches), run, strict=False):
                names += ids(batch)
                state = json.dumps(run.state_dict())
        if run.report.outcome == "finished":
            state = json.dumps(run.state_dict())
    return run, names


FAILING = st.dictionaries(st.sampled_from(["000", "001", "002"]), st.integers(0, 9_000), max_size=2)
ENDINGS = (".tar", ".tar.gz", ".cut.tar", ".hit.tar")
LEGS = st.lists(st.tuples(FAILING, OPTIONS, st.sampled_from([1, 3, 10**6, 10**6])), min_size=1, max_size=3)


@example([(".tar", ["empty"]), (".tar", [])], [({"001": 0}, ONE, 1)], ONE, ("txt",))  # no field in either
@example([(".tar", ["good"] * 3)], [({"000": 2_500}, ONE, 10**6)], ONE, ())
@example([(".tar", ["good", "again", "broken", "good"])], [({"000": 4_000}, ONE, 10**6)] * 2, ONE, ("txt",))
@given(shards=SHARDS, legs=LEGS, last=OPTIONS, fields=st.sampled_from([(), ("txt",)]))
def test_the_next_run_tries_again(shards, legs, last, fields):
    """Whatever did not come, and when: in the end all is delivered once, with the books of one sound run."""
    with tempfile.TemporaryDirectory() as folder:
        whole = stream(write(folder, shards), fields=fields)
        expected = [name for batch in whole for name in ids(batch)]
        planned = [
            ({f"{number}{end}": at for number, at in failing.items() for end in ENDINGS}, leg, num_batches)
            for failing, leg, num_batches in legs
        ]
        run, delivered = deliver(folder, [*planned, ({}, last, 10**6)], fields=fields)
        assert sorted(delivered) == sorted(expected)
        assert unordered_losses(books(run.report)) == unordered_losses(books(whole.report))
        assert sums(run.state_dict()) == sums(whole.state_dict()) == counted(whole.report)


def unordered_losses(plain):
    """Books of runs that came to the shards in another order."""
    return plain | {name: sorted(map(str, plain[name])) for name in ("skips", "losses", "notes")}


@pytest.fixture
def record_shard(tmp_path):
    """A shard of records: an image, its caption and a file that nobody asked for."""
    members = [
        (f"{number:03d}.{ending}", data)
        for number in range(4)
        for ending, data in (("jpg", jpeg(number)), ("txt", b"caption"), ("bin", b"x" * 600))
    ]
    return write_tar(tmp_path / "data" / "a.tar", members)


@pytest.mark.parametrize("fields", [(), ("txt",)])
def test_one_loss_names_all_that_is_missing(record_shard, fields):
    """Wherever a shard breaks off, one loss names all that no entry accounts for, unfinished records too."""
    data = Path(record_shard).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = archive.getmembers()
    ends = [member.offset for member in found[1:]] + [found[-1].offset_data + 1024]
    step = repetitions(331, 97)
    for place in range(0, len(data), step):
        with broken({"a.tar": place}), stream(record_shard, fields=fields) as run:
            images = [image for batch in run for image in batch.data]
        report = run.report
        (loss,) = report.losses
        assert (loss.reason, loss.end, report.bytes_lost) == (
            "read_failed",
            len(data),
            len(data) - loss.start,
        )
        assert loss.start in {0, *ends}
        assert loss.start <= place
        before = [m.name for m, end in zip(found, ends, strict=True) if end <= loss.start]
        assert [image.image_path.rpartition("/")[2] for image in images] == [
            name for name in before if name.endswith("jpg")
        ]
        assert all(image.metadata.keys() >= set(fields) for image in images)
        assert (report.images_seen, report.images_skipped, len(report.notes)) == (len(images), {}, 0)
        assert report.shards_withheld == 1


def test_what_has_changed_is_settled(tmp_path):
    """A shard that is another one by now is a verdict about data: the run is finished, and tries no more."""
    write(tmp_path / "data", [(".tar", ["good"] * 9)])
    with broken({"000.tar": 3_000}, ShardChangedError):
        first = stream(tmp_path / "data", batch_size=2)
        names = [name for batch in first for name in ids(batch)]
    assert 0 < len(names) < 9
    assert [loss.reason for loss in first.report.losses] == ["read_failed"]
    assert first.report.shards_withheld == 0
    assert first.state_dict()["finished"]
    assert not first.report.images_skipped


def test_the_run_says_that_shards_are_left(tmp_path):
    """A run with a checkpoint that could not read a shard says what to do, and doing it leaves nothing."""
    folder, path = write(tmp_path / "data", [(".tar", ["good"] * 4)] * 3), tmp_path / "c.json"
    with broken({"001.tar": 0, "002.tar": 3_000}):
        first = make(folder, batch_size=1).stream(checkpoint_path=path)
        names = [name for batch in first for name in ids(batch)]
    notes = [note.text for note in first.report.notes if note.kind == "withheld"]
    assert notes == ["run it again with the same checkpoint to try 2 shards once more"]
    assert first.report.shards_withheld == 2
    assert notes[0] in " ".join(format_ledger(first.report).split())
    assert not json.loads(path.read_text())["state"]["finished"]
    again = make(folder).stream(checkpoint_path=path)
    names += [name for batch in again for name in ids(batch)]
    assert len(names) == len(set(names)) == 12
    assert (again.report.bytes_lost, len(again.report.losses), again.report.shards_withheld) == (0, 0, 0)
    assert json.loads(path.read_text())["state"]["finished"]


def test_a_checkpoint_of_the_first_kind_is_read(tmp_path):
    """A checkpoint that does not say what images take, or whether losses have a size, is gone on from."""
    folder = write(tmp_path / "data", [(".hit.tar", ["good"] * 9)])
    with stream(folder, batch_size=1) as run:
        expected = [name for batch in run for name in ids(batch)]
        state = run.state_dict()
    for name in ("unsized_losses", "sized_images", "sized_bytes"):
        assert (state["ledger"].pop(name) > 0) == (name != "unsized_losses")
    state["ledger"]["losses"] = [loss[:5] for loss in state["ledger"]["losses"]]
    again = stream(folder)
    again.load_state_dict(state)
    assert list(again) == []
    assert (again.report.images_delivered, len(again.report.losses)) == (len(expected), 1)
    assert books(again.report) == books(run.report)


class Remove(ProcessingStage[FileGroupTask, FileGroupTask]):
    """Removes a shard between its listing and its reading."""

    def __init__(self, path):
        self.path = Path(path)

    def process(self, task):
        self.path.unlink(missing_ok=True)
        return task


class Forget(ProcessingStage[FileGroupTask, FileGroupTask]):
    """Forgets what the listing told of sizes."""

    def process(self, task):
        task.sizes = []
        return task


def vanishing(folder, *between, name="001.tar", **options):
    """A pipeline one shard of which is gone when it is to be read."""
    planner, reader = make(folder, **options).stages
    return Pipeline(stages=[planner, Remove(f"{folder}/{name}"), *between, reader])


def test_a_shard_that_vanished_is_a_loss(tmp_path):
    """A listed shard that is gone is lost by name; a run from the checkpoint wants the listing as it was."""
    folder, path = write(tmp_path / "data", [(".tar", ["good"] * 4)] * 3), tmp_path / "c.json"
    data = Path(f"{folder}/001.tar").read_bytes()
    first = vanishing(folder).stream(checkpoint_path=path)
    names = [name for batch in first for name in ids(batch)]
    assert len(names) == 8
    assert [(loss.shard, loss.end) for loss in first.report.losses] == [(f"{folder}/001.tar", len(data))]
    with pytest.raises(CheckpointMismatchError, match="shards: 3 then, 2 now"):
        list(make(folder).stream(checkpoint_path=path))
    Path(f"{folder}/001.tar").write_bytes(data)
    again = make(folder).stream(checkpoint_path=path)
    names += [name for batch in again for name in ids(batch)]
    assert len(set(names)) == len(names) == 12
    assert again.report.is_balanced
    assert not len(again.report.losses)


def test_a_shard_that_vanished_may_stop_the_run(tmp_path):
    """With `on_error="raise"`, and as the first one where nobody listed it, one that is gone is an error."""
    folder = write(tmp_path / "data", [(".tar", ["good"] * 4)] * 3)
    with pytest.raises(InputMissingError, match="001"):
        list(vanishing(folder, on_error="raise").stream())
    folder = write(tmp_path / "data", [(".tar", ["good"] * 4)] * 3)
    run = vanishing(folder, Forget()).stream()
    assert sum(len(batch.data) for batch in run) == 8
    assert [(loss.shard[-7:], loss.is_sized) for loss in run.report.losses] == [("001.tar", False)]
    with pytest.raises(InputMissingError, match="000"):
        list(vanishing(folder, Forget(), name="000.tar").stream())


def test_a_lost_shard_counts_as_its_images(tmp_path):
    """`max_failures` sees how much is lost: as many images as fit into it by the size of the others."""
    folder = write(tmp_path / "data", [(".tar", ["good"] * 60)] * 4)
    said = []
    for options in (ONE, {"batch_size": 50, "num_threads": 3, "files_per_partition": 2}):
        run = stream(folder, max_failures=0.1, **options)
        with broken({"001.tar": 0}, chunk_bytes=1 << 20), pytest.raises(TooManyFailuresError) as told:
            list(run)
        said.append(str(told.value))
    lost = int(said[0].partition(" ")[0])
    assert 60 <= lost <= 66  # headers, captions and the end mark take their part of both
    assert said[0] == said[1]
    assert f"{lost} failures in {60 + lost} images ({lost} of them by the size of what is lost)" in said[0]
    with broken({"001.tar": 0}, chunk_bytes=1 << 20):
        assert sum(len(batch.data) for batch in stream(folder, max_failures=lost)) == 180


def test_a_gzip_shard_that_breaks_off_has_no_known_size(tmp_path):
    """How much a gzip shard held behind the byte where it broke off nobody claims to know."""
    folder, members = (
        tmp_path / "data",
        [(f"{number:03d}.jpg", jpeg(number, 250, 200)) for number in range(30)],
    )
    size = Path(write_tar(folder / "000.tar.gz", members)).stat().st_size
    with broken({"000.tar.gz": size * 3 // 4}), stream(folder) as run:
        names = [name for batch in run for name in ids(batch)]
    (loss,) = run.report.losses
    assert 0 < len(names) < 30
    assert (loss.is_sized, run.report.unsized_losses, loss.end - loss.start) == (False, 1, 0)
    table = " ".join(format_ledger(run.report).split())
    assert "1 shard of unknown size" in table
    assert "every image and byte accounted for" not in table
    assert f"from byte {loss.start:,} on" in table
