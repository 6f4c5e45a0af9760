"""Strips: where in a file things lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tarlight.inspect.surveying.strip import NUM_CELLS, Strip
from tarlight.report.survey import DELIVERED, LOST, SKIPPED

_MARK = st.tuples(st.sampled_from([DELIVERED, SKIPPED, LOST]), st.integers(0, 10**10), st.integers(1, 10**6))


@given(st.lists(_MARK, max_size=30), st.none() | st.integers(0, 2 * 10**10))
def test_every_mark_is_where_it_was_made(marks, size) -> None:
    """Whatever the order and the size, a cell has a kind exactly when something of it lies there."""
    strip = Strip("a.tar", size)
    for kind, start, length in marks:
        if kind == DELIVERED:
            strip.deliver(start, length)
        elif kind == SKIPPED:
            strip.skip(start)
        else:
            strip.lose(start, start + length)
    row = strip.row()
    ends = [(kind, start, start + (1 if kind == SKIPPED else length)) for kind, start, length in marks]
    assert row.size == max([size or 0, *(end for _, _, end in ends)])
    assert len(row.cells) == -(-row.size // row.cell_bytes) <= NUM_CELLS
    for number, bits in enumerate(row.cells):
        low, high = number * row.cell_bytes, (number + 1) * row.cell_bytes
        assert bits == sum({kind for kind, start, end in ends if start < high and end > low})


def test_a_strip_uses_its_cells() -> None:
    """A file of a gigabyte is shown in more than half of the cells, also when its size was not known."""
    strip = Strip("a.tar")
    for offset in range(0, 10**9, 10**7):
        strip.deliver(offset, 10**6)
    assert NUM_CELLS // 2 <= len(strip.row().cells) <= NUM_CELLS


def test_a_loss_without_a_length_is_seen() -> None:
    """A shard that was lost with a size that nobody knows is not sound; nor is one of a wrong checksum."""
    unknown, wrong = Strip("a.tar"), Strip("b.tar", 5_000)
    unknown.lose(0, 0)
    wrong.lose(5_000, 5_000)
    assert [strip.row().is_sound for strip in (unknown, wrong, Strip("c.tar", 5_000))] == [False, False, True]
    assert wrong.row().size == 5_000


def test_a_gzip_shard_is_as_long_as_its_contents() -> None:
    """Offsets of a gzip shard count inflated bytes, so the size of the file is not the strip's."""
    strip = Strip("a.tar.gz", 1_000_000, inflated=True)
    strip.deliver(0, 50_000)
    assert strip.row().size == 50_000
