"""Wherever a run is interrupted, and however it goes on: nothing is left out, nothing comes twice."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import threading
import time

from hypothesis import example, given
from hypothesis import strategies as st

from tests.soak import repetitions

from .dataset import KINDS, books, ids, make, stream, write

SHARDS = st.lists(
    st.tuples(
        st.sampled_from([".tar", ".tar", ".tar.gz", ".cut.tar", ".hit.tar"]),
        st.lists(st.sampled_from(KINDS), max_size=12),
    ),
    min_size=1,
    max_size=repetitions(4, 8),
)
OPTIONS = st.fixed_dictionaries(
    {
        "batch_size": st.integers(1, 9),
        "num_threads": st.integers(1, 3),
        "files_per_partition": st.integers(1, 4),
    }
)
LEGS = st.lists(st.tuples(OPTIONS, st.integers(0, 6)), max_size=6)
"""Runs that are left early: with which options, and after how many batches."""


ONE = {"batch_size": 1, "num_threads": 1, "files_per_partition": 1}


@example([(".tar", ["broken", "good", "again", "again"])], [(ONE, 1)], ONE, ())  # skipped, then delivered
@example([(".tar", ["good", "good", "again", "good"])], [(ONE, 2)], ONE, ())  # delivered, then skipped
@given(shards=SHARDS, legs=LEGS, last=OPTIONS, fields=st.sampled_from([(), ("txt",)]))
def test_state_beside_the_output_is_exactly_once(shards, legs, last, fields):
    """With `state_dict()` stored with each batch, all runs together give what one gives, books included."""
    with tempfile.TemporaryDirectory() as folder:
        whole = stream(write(folder, shards), fields=fields)
        expected = [name for batch in whole for name in ids(batch)]
        delivered, state = [], None
        for options, num_batches in [*legs, (last, 10**6)]:
            run = stream(folder, fields=fields, **options)
            if state is not None:
                run.load_state_dict(json.loads(state))
            with run:
                for _, batch in zip(range(num_batches), run, strict=False):
                    delivered += ids(batch)
                    state = json.dumps(run.state_dict())
        assert delivered == expected
        assert books(run.report) == books(whole.report)
        assert run.report.outcome == "finished"
        assert sums(run.state_dict()) == sums(whole.state_dict()) == counted(whole.report)


def sums(state):
    """What the sections of a finished run add up to."""
    assert state["finished"]
    assert state["reading"] == {}
    ledger = state["ledger"]
    return [ledger[name] for name in ("seen", "delivered", "skipped", "ignored", "decoders", "fallbacks")] + [
        ledger[name] for name in ("shards", "bytes_read", "bytes_lost", "pixels", "num_losses", "num_notes")
    ]


def counted(report):
    """The same numbers in the live ledger, which was written beside the sections."""
    images = [report.images_seen, report.images_delivered, report.images_skipped, report.ignored]
    pixels = [report.decoders, report.fallbacks, report.shards, report.bytes_read, report.bytes_lost]
    return [*images, *pixels, report.pixels, len(report.losses), len(report.notes)]


def test_ctrl_c_at_any_moment(tmp_path):
    """Ctrl-C at random moments, in commits too, leaves nothing out and repeats a batch at most."""
    write(tmp_path / "data", [(".tar", ["good"] * 9 + ["broken"])] * 12)
    path, chance = tmp_path / "c.json", random.Random(3)
    whole = stream(tmp_path / "data")
    expected = [name for batch in whole for name in ids(batch)]
    delivered, interrupts, run = [], 0, None
    while run is None or run.report.outcome != "finished":
        run = make(tmp_path / "data", batch_size=chance.randint(1, 3)).stream(checkpoint_path=path)
        timer = threading.Timer(chance.uniform(0.0005, 0.04), os.kill, (os.getpid(), signal.SIGINT))
        try:
            for number, batch in enumerate(run):
                if number == 0:
                    timer.start()
                delivered += ids(batch)
                run.commit()
            wait_for(timer)
        except KeyboardInterrupt:
            interrupts += 1
            timer.join()
        run.close()
        assert run.report.is_balanced
    assert sorted(set(delivered)) == sorted(expected)
    assert interrupts
    assert len(delivered) - len(expected) <= 3 * interrupts
    assert books(stream_again(tmp_path).report) == books(whole.report)


def wait_for(timer):
    """Wait for the interrupt of a timer that was started."""
    if timer.ident is not None:
        timer.join()
        time.sleep(0.01)


def stream_again(folder):
    """The finished run, once more."""
    run = make(folder / "data").stream(checkpoint_path=folder / "c.json")
    assert list(run) == []
    return run
