"""Single figures of the Ray executor: `python -m bench.cluster NAME SHARD...`, each in a process of its own.

CPU is that of this process and of all that it started, Ray's own included. Photos are timed from `WARM_S`
seconds after the first batch on: until then Ray's object store takes pages that nobody has touched yet, at a
page fault for every 4 KiB (the more of them the longer Ray waits to free batches), caches are cold, and
processes still start. What the seconds before that cost is a figure of its own, and so is starting.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Timing, peak_rss_bytes, print_timing, timed
from bench.single import process_started_at
from tarlight.executors.local import LocalExecutor

if TYPE_CHECKING:
    from tarlight.executors.base import Executor
    from tarlight.stream import Stream

WARM_S = 6.0
"""Seconds from the first batch to the start of the clock, and what `first` figures measure."""

STEADY_S = 8.0
"""Seconds that steady figures measure."""

ENDS = 20
"""Partitions before the clock starts, and partitions that are left when it stops, where each is tiny."""

_TICKS = os.sysconf("SC_CLK_TCK")


def make_stream(executor: Executor, shards: list[str], num_threads: int) -> Stream:
    """Tarlight's stream on an executor."""
    from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline  # noqa: PLC0415

    reader = ImageReaderStage(num_threads=num_threads, verbose=False)
    return Pipeline(stages=[FilePartitioningStage(shards), reader]).stream(executor)


def between(executor: Executor, shards: list[str], num_threads: int, *seconds: float) -> Timing:
    """Images between two times after the first batch, and what they cost."""
    images, marks, first_at = 0, [], 0.0
    with make_stream(executor, shards, num_threads) as stream:
        for batch in stream:
            images += len(batch.data)
            now = time.perf_counter()
            first_at = first_at or now
            if now - first_at >= seconds[len(marks)]:
                marks.append((images, tree_cpu_s(), now))
            if len(marks) == len(seconds):
                return _difference(*marks)
    raise SystemExit(f"{images} images take less than {seconds[-1]} s here: give more shards")


def tiny(executor: Executor, shards: list[str], num_threads: int) -> Timing:
    """Partitions of one image, and what they cost: all but those at both ends."""
    marks = []
    with make_stream(executor, shards, num_threads) as stream:
        for number, _ in enumerate(stream):
            if number in (ENDS, len(shards) - ENDS):
                marks.append((number, tree_cpu_s(), time.perf_counter()))
    return _difference(*marks)


Mark = tuple[int, float, float]


def _difference(start: Mark, end: Mark) -> Timing:
    return Timing(end[0] - start[0], end[1] - start[1], end[2] - start[2], peak_rss_bytes())


def _local() -> tuple[Executor, int]:
    """Threads of this process."""
    return LocalExecutor(), 2


def _ray_1() -> tuple[Executor, int]:
    """One worker with two threads."""
    return _ray(1), 2


def _ray_2() -> tuple[Executor, int]:
    """Two workers with one thread each."""
    return _ray(2), 1


def planning(folder: str) -> Timing:
    """Partitions of one shard each, planned one by one as a driver does; the memory is what that adds."""
    from tarlight import FilePartitioningStage, Pipeline  # noqa: PLC0415

    with Pipeline(stages=[FilePartitioningStage(folder, files_per_partition=1)]).stream() as stream:
        before = peak_rss_bytes()
        timing = timed(lambda: sum(1 for _ in stream))
    return Timing(timing.images, timing.cpu_s, timing.wall_s, timing.peak_rss_bytes - before)


def startup(*shards: str) -> Timing:
    """From the start of python to the first batch, with a Ray of its own."""
    with make_stream(_ray(1), list(shards), 2) as stream:
        batch = next(stream)
        wall = time.clock_gettime(time.CLOCK_BOOTTIME) - process_started_at()
        return Timing(len(batch.data), tree_cpu_s(), wall, peak_rss_bytes())


def _ray(num_workers: int) -> Executor:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    import ray  # noqa: PLC0415

    from tarlight.executors.ray import RayExecutor  # noqa: PLC0415
    from tarlight.executors.ray.surroundings import NODE  # noqa: PLC0415

    os.environ |= NODE  # as the executor starts one
    ray.init("local", num_cpus=2, num_gpus=0, include_dashboard=False, logging_level=logging.ERROR)
    return RayExecutor(max_workers=num_workers)


def tree_cpu_s() -> float:
    """CPU seconds of this process and all its descendants that are alive, by /proc/PID/stat (man 5 proc)."""
    stats = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        stats[int(folder.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    return sum(ticks for pid, (_, ticks) in stats.items() if _is_ours(pid, stats)) / _TICKS


def _is_ours(pid: int, stats: dict[int, tuple[int, int]]) -> bool:
    while pid in stats and pid != os.getpid():
        pid = stats[pid][0]
    return pid == os.getpid()


CONTENDERS = {"local": _local, "ray_1": _ray_1, "ray_2": _ray_2}


def measure(figure: str, *arguments: str) -> Timing:
    """Take a figure: `startup`, `planning`, or `steady`, `first` or `tiny` of a contender: `tiny:ray_1`."""
    if figure in ("startup", "planning"):
        return {"startup": startup, "planning": planning}[figure](*arguments)
    kind, _, name = figure.partition(":")
    executor, num_threads = CONTENDERS[name]()
    if kind == "tiny":
        return tiny(executor, list(arguments), num_threads)
    times = (WARM_S, WARM_S + STEADY_S) if kind == "steady" else (0.0, WARM_S)
    return between(executor, list(arguments), num_threads, *times)


if __name__ == "__main__":
    print_timing(measure(*sys.argv[1:]))
