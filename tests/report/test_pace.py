"""Where a run stands."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.events import PartitionsPlanned, Preparing, ShardsSought
from tarlight.ledger import Ledger, ShardAccount
from tarlight.report.pace import Pace
from tarlight.report.plain import PlainDisplay


def _after(ledger: Ledger, pace: Pace, seconds: float, images: int) -> None:
    ledger.saw(images)
    ledger.deliver(images)
    ledger.read(images * 1_000)
    pace.stand(ledger.report("running", seconds))


def test_rates_are_those_of_the_last_seconds() -> None:
    """A run that slows down shows its present rate, not the average."""
    ledger, pace = Ledger(), Pace()
    for second in range(1, 11):
        _after(ledger, pace, second, 1_000)
    for second in range(11, 21):
        _after(ledger, pace, second, 10)
    standing = pace.stand(ledger.report("running", 20.0))
    assert standing.images_s == pytest.approx(10)
    assert standing.bytes_s == pytest.approx(10_000)


def test_a_run_that_stalls_shows_rates_of_zero() -> None:
    """When nothing has come for some seconds every rate is 0."""
    ledger, pace = Ledger(), Pace()
    _after(ledger, pace, 1, 1_000)
    for second in range(2, 12):
        standing = pace.stand(ledger.report("running", second))
    assert standing.images_s == standing.bytes_s == standing.pixels_s == 0


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.floats(1, 1e5))
def test_the_part_that_is_done_is_one_of_the_bytes(total: int, read: int, seconds: float) -> None:
    """With known sizes the part done is bytes read of bytes planned, at most 1; it gives the time left."""
    ledger, pace = Ledger(), Pace()
    pace.plan(PartitionsPlanned(1, 1, total))
    ledger.read(read)
    standing = pace.stand(ledger.report("running", seconds))
    assert standing.fraction == pytest.approx(min(read / total, 1))
    if standing.seconds_left is not None:
        assert seconds / (seconds + standing.seconds_left) == pytest.approx(standing.fraction)


def test_without_sizes_the_part_that_is_done_is_one_of_the_shards() -> None:
    """Where no size is known finished shards count."""
    ledger, pace = Ledger(), Pace()
    pace.plan(PartitionsPlanned(4, 4, 0))
    ledger.finish_shard(ShardAccount("a", 0))
    assert pace.stand(ledger.report("running", 1.0)).fraction == 0.25


def test_a_limit_on_images_counts_as_the_whole() -> None:
    """With a limit the part done is that of the images wanted, if that is further on."""
    ledger, pace = Ledger(), Pace(limit=10)
    pace.plan(PartitionsPlanned(1, 1, 1_000_000))
    ledger.deliver(5)
    assert pace.stand(ledger.report("running", 1.0)).fraction == 0.5


def test_before_the_plan_nothing_is_guessed() -> None:
    """Before the shards are known there is no bar and no time left."""
    standing = Pace().stand(Ledger().report("running", 3.0))
    assert (standing.fraction, standing.seconds_left, standing.shard_text()) == (None, None, "listing shards")


def test_the_search_for_shards_is_shown_until_they_are_known() -> None:
    """While shards are looked up the text says how many of how many, and nothing of images is on the line."""
    pace, report = Pace(), Ledger().report("running", 1.5)
    assert pace.stand(report).shard_text() == "listing shards"
    pace.seek(ShardsSought(0, 1, 7_000))
    assert pace.stand(report).shard_text() == "listing shards: 7,000 so far"
    pace.seek(ShardsSought(412_000, 1_000_000, 0))
    line = StringIO()
    PlainDisplay("load", line).show(pace.stand(report))
    assert line.getvalue() == "load: looking up 412,000 of 1,000,000 shards, 0:01\n"
    pace.plan(PartitionsPlanned(3, 3, 100))
    assert pace.stand(report).shard_text() == "0/3 shards"


def test_what_is_prepared_comes_first():
    """Until all is ready, a standing says what is waited for, and nothing of images; then how far it is."""
    ledger, pace = Ledger(), Pace()
    pace.plan(PartitionsPlanned(1, 1, 100))
    pace.prepare(Preparing("placing \x1b[2Jworkers"))
    standing = pace.stand(ledger.report("running", 1.0))
    assert (standing.shard_text(), standing.is_reading) == ("placing \\x1b[2Jworkers", False)
    pace.prepare(Preparing(""))
    standing = pace.stand(ledger.report("running", 2.0))
    assert (standing.shard_text(), standing.is_reading) == ("0/1 shard", True)
