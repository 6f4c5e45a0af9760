"""Wherever a run is interrupted, and however it goes on: nothing is left out, nothing comes twice."""

from __future__ import annotations

import json
import tempfile

from hypothesis import example, given
from hypothesis import strategies as st

from tests.soak import repetitions

from .dataset import KINDS, books, ids, stream, write

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
    """With `state_dict()` stored with each batch, all runs together give what one run gives, books
    included."""
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
