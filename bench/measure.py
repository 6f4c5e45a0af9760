"""Measuring: every pass in a fresh process, contenders interleaved, medians of CPU and wall time."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Timing:
    """What one pass took."""

    images: int
    cpu_s: float
    wall_s: float
    peak_rss_bytes: int


def timed(work: Callable[[], int]) -> Timing:
    """Time `work`, which returns how many images it handled; CPU of all threads and children."""
    cpu, wall = _cpu_s(), time.perf_counter()
    images = work()
    return Timing(images, _cpu_s() - cpu, time.perf_counter() - wall, peak_rss_bytes())


def peak_rss_bytes() -> int:
    """Peak memory of this process; getrusage would count that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def in_fresh_process(module: str, *arguments: str) -> Timing:
    """Run `python -m bench.MODULE ARGUMENTS`, whose last line is a timing in JSON."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return Timing(**json.loads(done.stdout.splitlines()[-1]))


def print_timing(timing: Timing) -> None:
    """The other end of `in_fresh_process`."""
    print(json.dumps(vars(timing)))


def interleave(rounds: int, contenders: dict[str, Callable[[], Timing]]) -> dict[str, list[Timing]]:
    """Run every contender once a round."""
    timings: dict[str, list[Timing]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            print(f"\r  round {number + 1} of {rounds}: {name:<40}", end="", file=sys.stderr, flush=True)
            timings[name].append(contender())
    print(f"\r{'':<60}\r", end="", file=sys.stderr)
    return timings


def cpu_us(timings: list[Timing]) -> float:
    """Median CPU microseconds an image."""
    return statistics.median(timing.cpu_s / timing.images for timing in timings) * 1e6


def rate(timings: list[Timing]) -> float:
    """Median images a second of wall time."""
    return statistics.median(timing.images / timing.wall_s for timing in timings)


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    names = ("tarlight", "numpy", "simplejpeg", "Pillow", "webdataset", "nvidia-dali-cuda120", "ray")
    versions = {name: version for name in names if (version := _version(name))}
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": _cpu_name(),
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **versions,
    }


def has(distribution: str) -> bool:
    """True when a peer is installed."""
    return bool(_version(distribution))


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
