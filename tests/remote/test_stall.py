"""A server that takes requests and says nothing: what is waited for can be seen while it lasts."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from io import StringIO

import pytest

from tarlight.events import PartitionsPlanned
from tarlight.report.live import LiveDisplay
from tarlight.report.pace import Pace
from tarlight.report.plain import PlainDisplay
from tests.servers import fault

from .dataset import QUICK, pipeline, shard

IMPATIENT = QUICK | {"read_timeout": "100ms", "connect_timeout": "100ms"}


@pytest.fixture
def stalled(web, web_proxy):
    """A run that waits for the second of three shards, until the rule's end; with the reports on the way."""
    for index in range(3):
        web.put(f"stall/{index}.tar", shard(9, seed=index))
    rule = web_proxy.add(fault.stall, lambda request: request.target.endswith("/1.tar"))
    url = f"http://127.0.0.1:{web_proxy.port}/files/stall/{{0..2}}.tar"
    options = IMPATIENT | {"retry_config": IMPATIENT["retry_config"] | {"max_retries": 1000}}
    stream = pipeline(url, options, batch_size=9).stream()
    thread = threading.Thread(target=lambda: [None for _ in stream])
    thread.start()
    yield stream, rule
    rule.times = rule.num_struck
    thread.join(60)


def until(found):
    """Wait for something that comes in fractions of a second."""
    deadline = time.monotonic() + 30
    while (what := found()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return what


def repeated(stream):
    """The report of a stream that waits for a shard after two retries."""
    report = stream.report
    return report if report.stall is not None and report.stall.num_retries > 1 else None


def test_a_report_says_what_is_waited_for(stalled):
    """The shard, how often it was asked for again and why, and for how long, as long as it lasts."""
    stream, rule = stalled
    first = until(lambda: repeated(stream)).stall
    assert first.shard.endswith("/stall/1.tar")
    assert first.cause
    later = until(lambda: repeated(stream)).stall
    assert (later.seconds, later.num_retries) >= (first.seconds, first.num_retries)
    assert "stall" not in stream.report.to_dict()
    rule.times = rule.num_struck
    until(lambda: stream.report.outcome == "finished" or None)
    assert (stream.report.stall, stream.report.images_delivered) == (None, 27)


def test_the_progress_says_it_where_it_takes_long(stalled):
    """Lines and bar name the shard and the retries once the wait is worth a word, and not before."""
    stream, _ = stalled
    report = until(lambda: repeated(stream))
    pace = Pace()
    pace.plan(PartitionsPlanned(3, 3, 0))
    shown = {}
    for seconds in (0.5, 75.0):
        standing = pace.stand(replace(report, stall=report.stall._replace(seconds=seconds)))
        lines, bar = StringIO(), StringIO()
        PlainDisplay("load", lines).show(standing)
        display = LiveDisplay("load", bar)
        display.show(standing)
        display.close()
        shown[seconds] = lines.getvalue(), bar.getvalue()
    assert not any("waiting" in text for text in shown[0.5])
    for text in shown[75.0]:
        assert "waiting 1:15 for http://" in text
        assert "/stall/1.tar" in text
        assert f"{report.stall.num_retries} retries ({report.stall.cause})" in text


def test_a_run_that_waits_for_nothing_long(tmp_path):
    """Where shards come at once the progress has nothing to say of waiting."""
    (tmp_path / "0.tar").write_bytes(shard(9))
    stream = pipeline(str(tmp_path)).stream()
    next(stream)
    assert Pace().stand(stream.report).stall_texts() == []
    stream.close()
    assert stream.report.stall is None
