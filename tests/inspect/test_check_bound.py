"""`check` on shards that nobody foresaw, and on many of them: an answer always, in bounded memory."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline
from tarlight.inspect import Kind, check
from tarlight.inspect.checking.kind import OF_LOSS, OF_SKIP
from tests.inspect.shards import records, write_shard

_SAME_AS_A_RUN = {*OF_SKIP.values(), *OF_LOSS.values()} - {Kind.DUPLICATE_IN_SHARD}
_NUM_RECORDS = 6


def _sound() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        members = records([f"{number:02}" for number in range(_NUM_RECORDS)])
        return write_shard(Path(folder) / "a.tar", members).read_bytes()


SOUND = _sound()
_END = SOUND.rstrip(b"\0").__len__()


@given(
    st.lists(st.tuples(st.integers(0, _END), st.integers(1, 255)), max_size=4),
    st.integers(0, len(SOUND)),
    st.booleans(),
)
def test_a_check_and_a_run_agree_on_any_damage(flips: list[tuple[int, int]], cut: int, is_cut: bool) -> None:
    """Whatever bytes are flipped or cut off, a check finds lost and bad images where a run has some."""
    data = bytearray(SOUND)
    for at, bits in flips:
        data[at] ^= bits
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tar"
        path.write_bytes(data[:cut] if is_cut else data)
        findings = check(path, num_threads=1)
        stages = [FilePartitioningStage(path), ImageReaderStage(verbose=False, num_threads=1)]
        report = Pipeline(stages=stages).run().report
    troubles = _SAME_AS_A_RUN & findings.counts.keys()
    skipped = [reason for reason in report.images_skipped if reason != "duplicate_key"]
    assert bool(troubles) == bool(len(report.losses) or skipped)
    assert findings.outcome == "finished"
    assert findings.images == report.images_seen


def test_memory_does_not_grow_with_what_was_checked(tmp_path: Path) -> None:
    """Of a checked shard its listing and its keys stay, at most 140 bytes each, and not its records."""
    peaks = []
    for num_shards in (4, 44):
        folder = tmp_path / str(num_shards)
        folder.mkdir()
        for shard in range(num_shards):
            write_shard(folder / f"{shard:03}.tar", records([f"{shard:03}{at:03}" for at in range(100)]))
        tracemalloc.start()
        assert check(folder, fast=True).records == 100 * num_shards
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 40 < 100 * 28 * 5
