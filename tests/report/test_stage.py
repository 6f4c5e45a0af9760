"""How busy each stage is."""

from __future__ import annotations

import threading
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.ledger import StageTime, Timesheet
from tarlight.ledger.times import since
from tarlight.report.stage import stage_figures
from tests.reader.dataset import pipeline, write_shards

SECONDS = st.floats(0, 1000)


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("abc"), SECONDS, SECONDS), max_size=8))
def test_times_of_processes_add_up(parts: list[tuple[str, str, float, float]]) -> None:
    """What many processes did is the sum, stage by stage, of what each said last."""
    sheet, last = Timesheet(), {}
    for worker, name, busy, waited in parts:
        sheet.take_in(worker, {name: StageTime(name, busy, {"store": waited}, busy + waited)})
        last[worker] = (name, busy)
    times = sheet.times()
    assert sheet.workers == tuple(last)
    for name in "abc":
        whole = times[name].busy_s if name in times else 0.0
        assert whole == pytest.approx(sum(busy for stage, busy in last.values() if stage == name))
    for spent in times.values():
        assert 0 <= spent.busy <= 1
        assert spent.total_s == pytest.approx(spent.busy_s + spent.waits_s["store"])
        assert spent.since(spent).busy_s == 0


def test_nothing_of_a_thread_is_lost() -> None:
    """Seconds of a thread that goes from stage to stage add up to its time, and what lasts is in them."""
    sheet = Timesheet()
    watch, pause = sheet.watch("reading"), threading.Event()
    with watch.waiting_for("store"):
        pause.wait(0.02)
        before = sheet.times()
        pause.wait(0.02)
        after = sheet.times()
    with pytest.raises(ZeroDivisionError), watch.doing("own"):
        1 / 0  # noqa: B018
    watch.stop()
    times = sheet.times()
    assert 0.02 <= before["reading"].waits_s["store"] < after["reading"].waits_s["store"]
    assert since(after, before)["reading"].waits_s["store"] >= 0.01
    whole = sum(spent.busy_s + sum(spent.waits_s.values()) for spent in times.values())
    assert times["reading"].total_s == times["own"].total_s == pytest.approx(whole)
    assert sheet.times() == times


def test_threads_that_have_ended_are_added_up() -> None:
    """Threads that a worker starts for each partition stay in the sums, and are let go once they ended."""
    sheet, held = Timesheet(), []
    for _ in range(3):
        watch, team = sheet.watch("reading"), sheet.team("decoding", 2)
        held += [weakref.ref(watch), weakref.ref(team)]
        team.worked(1.0, 3)
        watch.stop()
        team.stop()
    del watch, team
    times = sheet.times()
    assert [ref() for ref in held] == [None] * 6
    assert (times["decoding"].busy_s, times["decoding"].images) == (3.0, 9)
    assert sheet.times() == times


def test_idle_time_belongs_to_no_stage() -> None:
    """A thread without orders adds to the totals of its stages, not to what they did or waited for."""
    sheet, pause = Timesheet(), threading.Event()
    sheet.stages.idle()
    with sheet.stages.doing("own"):
        pass
    pause.wait(0.02)
    (own,) = sheet.times().values()
    assert (own.stage, own.waits_s) == ("own", {})
    assert own.total_s >= own.busy_s + 0.02


def test_a_run_says_what_its_stages_did(tmp_path) -> None:
    """The report of a run has times of reading, decoding, consumer and stages, and counts decoded images."""
    report = pipeline(write_shards(tmp_path)).run().report
    assert set(report.times) == {"consumer", "file_partitioning", "image_reader", "reading", "decoding"}
    assert report.times["decoding"].images == report.images_delivered
    assert all(0 < spent.busy_s <= spent.total_s for spent in report.times.values())
    assert report.to_dict()["times"]["reading"]["busy_s"] > 0


def test_figures_are_short_and_harmless() -> None:
    """Stages that did nothing are left out, long waits are named, and names are printable."""
    times = {
        "reading": StageTime("reading", 3.0, {"store": 97.0}, 100.0),
        "decoding": StageTime("decoding", 0.0, {}, 100.0),
        "idle": StageTime("idle", 0.0, {}, 100.0),
        "\x1b[2J": StageTime("\x1b[2J", 50.0, {"decoding": 20.0}, 100.0),
    }
    texts = [str(figure) for figure in stage_figures(times)]
    assert texts == ["reading 3% (waits for store 97%)", "decoding 0%", "\\x1b[2J 50%"]
