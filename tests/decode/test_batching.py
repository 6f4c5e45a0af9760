"""Batches are cut by bytes, and no failure of a device loses an image or raises."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.decode.batching import (
    FAILED_BATCH,
    LOST,
    MAX_FAILED_CALLS,
    MAX_MISFITS,
    NOT_DECODED,
    OUT_OF_MEMORY,
    Batcher,
    cut,
)
from tests.decode.fakes import FakeRung, Log
from tests.decode.jpegs import paint, save

FILES = [save(paint(16 + index, 8)) for index in range(64)]


def run(rung, files=FILES, size=1):
    batcher = Batcher(rung)
    results = batcher.run(files, [size] * len(files))
    assert len(results) == len(files)
    for file_index, result in enumerate(results):
        assert isinstance(result, str) or result.shape == (8, 16 + file_index % len(FILES), 3)
    return batcher, [result if isinstance(result, str) else "" for result in results]


@given(st.lists(st.integers(0, 50)), st.integers(0, 100), st.integers(1, 8))
def test_cut_keeps_order_and_both_limits(sizes, budget, max_images):
    """Batches hold each image once, in order, under both limits, or one image alone; none could take more."""
    batches = list(cut(sizes, budget, max_images))
    assert [index for batch in batches for index in batch] == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) <= max_images
        assert len(batch) == 1 or sum(sizes[index] for index in batch) <= budget
        full = len(batch) == max_images
        assert full or batch.stop == len(sizes) or sum(sizes[batch.start : batch.stop + 1]) > budget


def test_a_sound_device_is_made_once_and_called_once_a_batch():
    """Without failures one backend decodes all batches."""
    rung = FakeRung(max_images=16)
    _, phrases = run(rung)
    assert set(phrases) == {""}
    assert rung.log == Log(1, [16] * 4)


def test_the_budget_is_shared_by_the_backends():
    """Two backends get half of the bytes each."""
    rung = FakeRung(budget_bytes=160, num_backends=2)
    run(rung, size=10)
    assert rung.log.batches == [8] * 8


@pytest.mark.parametrize("fits", [1, 2, 3, 7, 32, 63])
def test_out_of_memory_halves_batches_until_they_fit(fits):
    """A device on which only so many images fit decodes all, learns its size, and the report says it."""
    rung = FakeRung(fits=fits)
    batcher, phrases = run(rung)
    assert set(phrases) == {""}
    assert rung.log.num_made == 1 + sum(size > fits for size in rung.log.batches)
    assert len([size for size in rung.log.batches if size > fits]) <= 7
    assert rung.log.batches[-1] <= fits
    assert "out of memory" in batcher.notes[0]


def test_what_does_not_fit_alone_is_left_to_the_next_rung():
    """Where not even one image fits, a few are tried and the rung is closed."""
    rung = FakeRung(fits=0)
    batcher, phrases = run(rung)
    assert Counter(phrases) == {OUT_OF_MEMORY: MAX_MISFITS, LOST: len(FILES) - MAX_MISFITS}
    assert batcher.closed
    assert len(rung.log.batches) <= MAX_MISFITS + 7


@given(st.sets(st.integers(0, 63), min_size=1, max_size=2), st.booleans())
def test_one_or_two_bad_images_cost_only_themselves(bad, tells_bad):
    """The bad ones of a batch are found, whether the backend names them or fails, and all others decoded."""
    rung = FakeRung(bad=frozenset(FILES[index] for index in bad), tells_bad=tells_bad)
    batcher, phrases = run(rung)
    assert {index for index, phrase in enumerate(phrases) if phrase} == bad
    assert {phrases[index] for index in bad} == {NOT_DECODED}
    assert rung.log.num_made <= 1 + 13
    assert not batcher.closed


def test_all_bad_costs_a_bounded_number_of_calls():
    """A batch of bad images ends after the allowed number of failed calls, and the next batch starts anew."""
    rung = FakeRung(bad=frozenset(FILES))
    batcher, phrases = run(rung)
    assert set(phrases) <= {NOT_DECODED, FAILED_BATCH}
    assert len(rung.log.batches) == MAX_FAILED_CALLS
    assert not batcher.closed


def test_a_missing_library_closes_the_rung_at_once():
    """A backend that cannot be made is asked for once, and the note says what was missing."""
    batcher, phrases = run(FakeRung(is_missing=True))
    assert set(phrases) == {LOST}
    assert batcher.notes == ["fake: closed, the next decoder took over: libfake.so is not there"]


def test_a_device_lost_in_mid_run_keeps_what_it_decoded():
    """Batches before the loss are delivered, later ones are left to the next rung without another try."""
    rung = FakeRung(max_images=16, lost_after=2)
    batcher, phrases = run(rung)
    assert phrases == [""] * 32 + [LOST] * 32
    assert len(rung.log.batches) == 3
    assert "fell off the bus" in batcher.closed


def test_an_exception_that_nobody_foresaw_closes_the_rung_and_is_told():
    """Whatever a library raises, images go on down and the note has its type and message."""

    class Odd(FakeRung):
        def make(self):
            raise KeyError("surprise")

    batcher, phrases = run(Odd())
    assert set(phrases) == {LOST}
    assert "KeyError: 'surprise'" in batcher.notes[0]


def test_memory_and_bad_images_at_once():
    """A small device with a bad image still decodes every other one."""
    _, phrases = run(FakeRung(fits=5, bad=frozenset({FILES[40]})))
    assert [index for index, phrase in enumerate(phrases) if phrase] == [40]


def test_pixels_come_back_in_order():
    """Each file gets its own pixels, also after halving."""
    files = [save(np.full((8, 8, 3), 4 * index, np.uint8)) for index in range(60)]
    results = Batcher(FakeRung(fits=3)).run(files, [1] * 60)
    assert [int(pixels.mean()) for pixels in results] == pytest.approx(
        [4 * index for index in range(60)], abs=2
    )
