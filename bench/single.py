"""Single figures, each taken in a process of its own: `python -m bench.single NAME ARGUMENT...`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.contender import floor, ours_fields
from bench.measure import Timing, peak_rss_bytes, print_timing, timed


def parser(shard: str) -> Timing:
    """Members a second: checksums verified, bytes in RAM, one core."""
    from tarlight.tar import iter_members  # noqa: PLC0415

    chunk = 1 << 20
    data = Path(shard).read_bytes()
    chunks = [data[start : start + chunk] for start in range(0, len(data), chunk)]
    return timed(lambda: sum(1 for _ in iter_members(chunks, shard=shard, size=len(data))))


def overhead(shard: str) -> Timing:
    """Our CPU for one-pixel images with captions and json: all that is not decoding."""
    work = ours_fields([shard])
    work()
    return timed(work)


def bare(shard: str) -> Timing:
    """The decoder's CPU for the same one-pixel images."""
    work = floor([shard])
    work()
    return timed(work)


def memory(*shards: str) -> Timing:
    """Peak memory of `stream()` over these shards."""
    return timed(ours_fields(list(shards)))


def startup(*shards: str) -> Timing:
    """From the start of python to the first batch."""
    from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline  # noqa: PLC0415

    reader = ImageReaderStage(verbose=False)
    with Pipeline(stages=[FilePartitioningStage(list(shards)), reader]).stream() as stream:
        batch = next(stream)
        wall = time.clock_gettime(time.CLOCK_BOOTTIME) - process_started_at()
    return Timing(len(batch.data), time.process_time(), wall, peak_rss_bytes())


def process_started_at() -> float:
    """Seconds since boot at which this process began."""
    # Field 22 of /proc/self/stat: start time in clock ticks since boot (man 5 proc).
    fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[19]) / 100


FIGURES = {
    "parser": parser,
    "overhead": overhead,
    "bare": bare,
    "memory": memory,
    "startup": startup,
}

if __name__ == "__main__":
    print_timing(FIGURES[sys.argv[1]](*sys.argv[2:]))
