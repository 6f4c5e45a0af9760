"""What lets a run be spread over processes: sections and positions travel, and add up in any order."""

from __future__ import annotations

import json
import pickle
import random
import sys
import threading

import pytest

from tarlight.checkpoint import Course, Trail
from tarlight.errors import LedgerError, TooManyFailuresError
from tarlight.ledger import Ledger, Section, section
from tarlight.stages.base import StageContext
from tarlight.storage import local as local_store
from tarlight.tasks import EmptyTask, take_section
from tests.reader.dataset import jpeg, write_shards, write_tar
from tests.reader.test_hand_over import HAND_OVERS
from tests.soak import repetitions

from .contract import SHARDS
from .dataset import ids, make, stream, unordered, write


def partitions(folder, course, **options):
    """The partitions of a dataset, and the stage that reads them; `course` learns the listing."""
    planner, reader = make(folder, **options).stages
    planner.context = StageContext(course=course)
    return list(planner.process(EmptyTask())), reader


def work(reader, partition, course):
    """What a worker sends back of one partition: batches with their sections, and the section left over."""
    reader, partition, course = pickle.loads(pickle.dumps((reader, partition, course)))
    rest = Section()
    reader.context = StageContext(course=course, trail=Trail(rest.add))
    return pickle.loads(pickle.dumps((list(reader.process(partition)), rest)))


@pytest.mark.parametrize("seed", range(repetitions(3, 30)))
def test_partitions_in_any_order_add_up(tmp_path, seed):
    """Read elsewhere, in any order, and given up in the middle, partitions add up to the books of one run."""
    shuffled = random.Random(seed)
    whole = stream(write(tmp_path, SHARDS))
    expected = sorted(name for batch in whole for name in ids(batch))
    course, delivered = Course(), []
    for is_last in (False, False, True):
        tasks, reader = partitions(
            tmp_path, course, batch_size=shuffled.randint(1, 5), files_per_partition=shuffled.randint(1, 3)
        )
        shuffled.shuffle(tasks)
        for task in tasks:
            batches, rest = work(reader, task, course.part(task.data))
            keep = len(batches) if is_last else shuffled.randint(0, len(batches))
            for batch in batches[:keep]:
                delivered += ids(batch)
                course.take(batch)
                course.consume()
            if keep == len(batches):
                course.arrive(rest)
        state = json.loads(json.dumps(course.state(0.0)))
        course = Course()
        course.load(state, "here")
    ledger = Ledger()
    ledger.take_in(course.resumed)
    report = ledger.report("finished", 0.0)
    assert sorted(delivered) == expected
    assert report.is_balanced
    assert unordered(report) == unordered(whole.report)


WITHIN_A_WORKER = ("store to tar", "held image to reader", "tar to reader", "reader to group")


@pytest.mark.parametrize("where", [*WITHIN_A_WORKER, "image to batch or ledger"])
def test_an_image_dropped_before_it_is_in_a_section_is_found(tmp_path, monkeypatch, where):
    """Sections could fail to balance: what is dropped inside a worker shows in their sum too."""
    write_shards(tmp_path, shards=4, records=30)
    owner, name, wrap = HAND_OVERS[where]
    monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))
    monkeypatch.setattr(local_store, "CHUNK_BYTES", 20_480)
    run = make(tmp_path, batch_size=10, fields=("txt",)).stream()
    with pytest.raises(LedgerError):
        list(run)
    assert not balanced(run._course.committed)


def test_sections_balance(tmp_path):
    """The same sections without a loss balance, after every batch."""
    run = stream(write(tmp_path, SHARDS), batch_size=4)
    for _ in run:
        run._course.consume()
        assert balanced(run._course.committed)
    assert balanced(run._course.committed)


def balanced(sections):
    """Whether the books of sections that were added up balance."""
    ledger = Ledger()
    ledger.take_in(sections)
    return ledger.report("finished", 0.0).is_balanced


def test_what_is_beyond_the_bound_is_counted_and_said(tmp_path, monkeypatch):
    """Beyond the bound entries are counted only, and a resumed run notes how many it cannot name."""
    monkeypatch.setattr(section, "KEPT_IN_MEMORY", 3)
    write(tmp_path, [(".tar", ["broken"] * 8 + ["good"] * 2)])
    first = stream(tmp_path, batch_size=1)
    next(first)
    again = stream(tmp_path, batch_size=1)
    again.load_state_dict(first.state_dict())
    first.close()
    assert sum(len(batch.data) for batch in again) == 1
    assert again.report.num_skipped == 8
    assert len(again.report.skips) == 3
    assert [note.text for note in again.report.notes if note.kind == "checkpoint"] == [
        "5 skips, losses and notes of earlier runs are counted, but not named any more"
    ]


def test_a_part_knows_its_shards_only(tmp_path):
    """A part of a course tells of its shards what the whole tells, also after it was sent elsewhere."""
    run = stream(write(tmp_path, SHARDS), batch_size=4)
    for _ in range(4):
        next(run)
    course = Course(run._course._options)
    course.load(run.state_dict(), "here")
    run.close()
    paths = [shard for task in partitions(tmp_path, course)[0] for shard in task.data]
    part = pickle.loads(pickle.dumps(course.part(paths[:3])))
    told = [(part.is_done(path), part.start_of(path) is None) for path in paths[:3]]
    assert told == [(course.is_done(path), course.start_of(path) is None) for path in paths[:3]]
    assert told == [(True, True), (True, True), (False, False)]


def test_a_batch_in_the_consumers_hand_carries_no_section(tmp_path):
    """What travels with a batch is taken off before the consumer gets it, and does not show."""
    with stream(write(tmp_path, SHARDS)) as run:
        batch = next(run)
        assert take_section(batch) is None
        assert "section" not in repr(batch)


def test_max_failures_counts_the_runs_before(tmp_path):
    """Failures before a resume count against `max_failures`, and images against its fraction."""
    members = [("0.jpg", b""), ("1.jpg", jpeg(1)), ("2.jpg", b""), ("3.jpg", jpeg(3))]
    data = write_tar(tmp_path / "a.tar", members)
    first = stream(data, batch_size=1, max_failures=1)
    next(first)
    again = stream(data, batch_size=1, max_failures=1)
    again.load_state_dict(first.state_dict())
    first.close()
    with pytest.raises(TooManyFailuresError, match="2 failures in 3 images"):
        list(again)
    assert again.report.is_balanced


def test_books_are_cut_while_others_write():
    """What threads write while a worker cuts its books is counted once, in one section or the next."""
    ledger, total, wait = Ledger(), Section(), sys.getswitchinterval()

    def write_much():
        for number in range(2_000):
            ledger.saw(1)
            ledger.ignore({f".{number % 500}": 1})

    writers = [threading.Thread(target=write_much) for _ in range(2)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in writers:
            thread.start()
        while any(thread.is_alive() for thread in writers):
            total.add(ledger.cut())
    finally:
        sys.setswitchinterval(wait)
        for thread in writers:
            thread.join()
    total.add(ledger.cut())
    assert (total.seen, total.ignored.total()) == (4_000, 4_000)
