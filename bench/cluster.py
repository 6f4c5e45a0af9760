"""Single figures of the Ray executor: `python -m bench.cluster NAME SHARD...`, each in a process of its own.

CPU is that of this process and of all that it started, Ray's own included. Steady figures leave out the first
and the last batches, so that starting processes does not count: that has a figure of its own.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Timing, peak_rss_bytes, print_timing
from bench.single import process_started_at
from tarlight.executors.local import LocalExecutor

if TYPE_CHECKING:
    from tarlight.executors.base import Executor
    from tarlight.stream import Stream

WARM_BATCHES = 20
"""Batches before the clock starts, and batches that are left when it stops."""

_TICKS = os.sysconf("SC_CLK_TCK")


def make_stream(executor: Executor, shards: list[str], num_threads: int) -> Stream:
    """Tarlight's stream on an executor."""
    from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline  # noqa: PLC0415

    reader = ImageReaderStage(num_threads=num_threads, verbose=False)
    return Pipeline(stages=[FilePartitioningStage(shards), reader]).stream(executor)


def steady(executor: Executor, shards: list[str], num_threads: int) -> Timing:
    """Images between the first and the last batches, and what they cost."""
    num_batches = sum(1 for _ in make_stream(LocalExecutor(), shards, 2))
    images, marks = 0, []
    with make_stream(executor, shards, num_threads) as stream:
        for number, batch in enumerate(stream):
            if number in (WARM_BATCHES, num_batches - WARM_BATCHES):
                marks.append((images, tree_cpu_s(), time.perf_counter()))
            images += len(batch.data)
    (images, cpu, wall), (end_images, end_cpu, end_wall) = marks
    return Timing(end_images - images, end_cpu - cpu, end_wall - wall, peak_rss_bytes())


def local(*shards: str) -> Timing:
    """Threads of this process."""
    return steady(LocalExecutor(), list(shards), 2)


def ray_1(*shards: str) -> Timing:
    """One worker with two threads."""
    return steady(_ray(1), list(shards), 2)


def ray_2(*shards: str) -> Timing:
    """Two workers with one thread each."""
    return steady(_ray(2), list(shards), 1)


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


FIGURES = {"local": local, "ray_1": ray_1, "ray_2": ray_2, "startup": startup}


if __name__ == "__main__":
    print_timing(FIGURES[sys.argv[1]](*sys.argv[2:]))
