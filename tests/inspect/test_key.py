"""Keys that come again are found, whatever lies in memory and whatever on disk."""

from __future__ import annotations

import tempfile
import tracemalloc
from array import array
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.inspect.checking.key import MAX_BYTES, RUN_KEYS, KeyFile, Repeat
from tarlight.inspect.checking.record import digest_of
from tests.soak import repetitions

Keys = list[list[int]]


def repeats(shards: Keys, run_keys: int) -> set[Repeat]:
    """What a key file finds in shards of small numbers."""
    with KeyFile(run_keys) as keys:
        for index, numbers in enumerate(shards):
            digests = b"".join(digest_of(str(number)) for number in numbers)
            keys.add(index, digests, array("Q", range(0, 512 * len(numbers), 512)))
        return set(keys.repeats())


def expected(shards: Keys) -> set[Repeat]:
    """The same, with a dictionary."""
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for index, numbers in enumerate(shards):
        for at, number in enumerate(numbers):
            found[number].append((index, 512 * at))
    return {
        Repeat(digest_of(str(number)), *place, *places[0])
        for number, places in found.items()
        for place in places[1:]
    }


@given(
    st.lists(st.lists(st.integers(0, 60), unique=True, max_size=30), max_size=8),
    st.sampled_from([1, 2, 7, 64, 1000]),
)
def test_repeats_are_those_of_a_dictionary(shards: Keys, run_keys: int) -> None:
    """However few keys are held in memory, a key is found again in each shard after the first."""
    assert repeats(shards, run_keys) == expected(shards)


def test_memory_is_bounded_and_the_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight times as many keys take no more memory, and no file is left behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run_keys, peaks = repetitions(1 << 14, 1 << 17), []
    for times in (2, 16):
        tracemalloc.start()
        with KeyFile(run_keys) as keys:
            for index in range(times):
                digests = np.random.default_rng(index).bytes(16 * run_keys)
                keys.add(index, digests, array("Q", bytes(8 * run_keys)))
            assert sum(1 for _ in keys.repeats()) == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < MAX_BYTES * run_keys // RUN_KEYS
    assert not list(tmp_path.iterdir())


def test_a_few_keys_need_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all keys fit into memory the disk is not touched."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    assert repeats([[1, 2], [2, 3]], run_keys=1000) == expected([[1, 2], [2, 3]])
