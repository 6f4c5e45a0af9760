"""How busy each stage is."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.ledger import StageTime, Timesheet
from tarlight.ledger.times import since
from tarlight.report.stage import stage_figures
from tests.reader.dataset import pipeline, write_shards

SECONDS = st.floats(0, 1000)


@given(st.lists(st.tuples(st.sampled_from("abc"), SECONDS, SECONDS), max_size=8))
def test_times_of_processes_add_up(parts: list[tuple[str, float, float]]) -> None:
    """What many processes did is the sum of what each did, stage by stage."""
    sheet = Timesheet()
    for name, busy, waited in parts:
        sheet.take_in({name: StageTime(name, busy, {"store": waited}, busy + waited)})
    times = sheet.times()
    assert sum(spent.busy_s for spent in times.values()) == pytest.approx(sum(part[1] for part in parts))
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
