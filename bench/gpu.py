"""`python -m bench.gpu`: what a GPU decodes, beside its own ceilings and DALI's reader. Needs no data.

    python -m bench.gpu [--rounds 3] [--images 2000] [--out bench/results] [--cpu-only]

Correctness first: every decoder's pixels beside libjpeg-turbo's, and the books. Then rates, the peak of GPU
memory, and what was asked for beside what was reached; a JSON and a Markdown file. `--cpu-only` rehearses all
of it with tiny images on the libraries' CPU back ends; its figures mean nothing.

Exit codes: 0 done; 1 pixels or books are wrong; 3 no GPU, or a library is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from bench.data import CACHE
from bench.gpu_contender import BATCH, CONTENDERS, SHARE
from bench.measure import ROOT, in_fresh_process, interleave, machine, rate
from bench.run import table
from bench.texture import SIZES, jpegs, odd_jpegs, write_shards
from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline
from tarlight.decode import device as driver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.measure import Timing

Row = dict[str, object]

TOLERANCE = 8
"""Levels by which a pixel may differ from libjpeg-turbo's: a first guess, nobody has measured it yet."""
PER_SIZE = {"small": 1, "medium": 4, "large": 16}
"""How many times fewer images than `--images` each size gets."""


def what_is_missing(*, cpu_only: bool) -> list[str]:
    """Say what this script needs and this machine has not."""
    found = None if cpu_only else driver.find_device()
    missing = [found.why] if isinstance(found, driver.NoDevice) else []
    needed = {one.needs for one in CONTENDERS.values() if one.needs.startswith("nvidia")}
    lacking = sorted(
        name for name in needed if any(one.missing("cpu").startswith(name) for one in CONTENDERS.values())
    )
    return missing + [f"{name} is not installed (tarlight[all])" for name in lacking]


class Memory:
    """Watches how much of the GPU's memory is used, by all processes, beyond what was used before."""

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}

    @contextmanager
    def watch(self, name: str) -> Iterator[None]:
        """Note the peak under this name."""
        stop, before = threading.Event(), used_bytes()
        seen = [before]

        def look() -> None:
            while not stop.wait(0.02):
                seen.append(used_bytes())

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
            self.peaks[name] = max(self.peaks.get(name, 0), max(seen) - before)


def used_bytes() -> int:
    """Bytes in use on the first GPU that the driver knows; 0 without one."""
    if isinstance(driver.find_device(), driver.NoDevice):
        return 0
    nvml = driver.ctypes.CDLL(driver.LIBRARY)
    with driver._session(nvml):
        used = driver._Memory()
        driver._call(nvml, "nvmlDeviceGetMemoryInfo", driver._handles(nvml)[0], driver.ctypes.byref(used))
        return int(used.used)


def correctness(shards: list[str], kind: str) -> list[Row]:
    """Pixels of every decoder beside libjpeg-turbo's, both outputs."""
    share = SHARE if kind == "gpu" else 0
    due = _load(shards, "turbo", share)
    names = ("dali", "nvimgcodec", "auto") if kind == "gpu" else ("dali", "auto")
    return [_compare(shards, name, output, share, due) for name in names for output in ("numpy", "device")]


def _load(shards: list[str], decoder: str, share: float, output: str = "numpy") -> dict[str, np.ndarray]:
    reader = ImageReaderStage(decoder=decoder, output=output, num_gpus_per_worker=share, verbose=False)
    with Pipeline(stages=[FilePartitioningStage(shards), reader]).stream() as stream:
        return {image.image_id: _host(image.image_data) for batch in stream for image in batch.data}


def _host(pixels: object) -> np.ndarray:
    return pixels if isinstance(pixels, np.ndarray) else pixels.to_host()


def _compare(shards: list[str], decoder: str, output: str, share: float, due: dict[str, np.ndarray]) -> Row:
    got = _load(shards, decoder, share, output)
    row: Row = {"decoder": decoder, "output": output, "images": len(got)}
    if got.keys() != due.keys() or any(got[key].shape != due[key].shape for key in due):
        return {**row, "verdict": "WRONG: other images than libjpeg-turbo's"}
    apart = [np.abs(got[key].astype(np.int16) - due[key]) for key in due]
    greatest = max(int(one.max()) for one in apart)
    return {
        **row,
        "max": greatest,
        "mean": round(float(np.mean([one.mean() for one in apart])), 4),
        "share_above_2": round(float(np.mean([(one > 2).mean() for one in apart])), 6),
        "verdict": "ok" if greatest <= TOLERANCE else f"WRONG: further apart than {TOLERANCE}",
    }


def rates(size: str, shards: list[str], kind: str, rounds: int, shrink: int) -> list[Row]:
    """All contenders over one size of images."""
    memory = Memory()
    taking = [name for name, one in CONTENDERS.items() if not one.missing(kind)]
    passes = {name: partial(_pass, name, kind, shards, memory) for name in taking}
    timings = interleave(rounds, passes)
    best = max(rate(timings[name]) for name in taking if CONTENDERS[name].kind == "ceiling")
    width, height = (side // shrink for side in SIZES[size])
    rows = [
        {
            "size": size,
            "contender": name,
            "kind": CONTENDERS[name].kind,
            "images_per_s": round(rate(timings[name]), 1),
            "mpix_per_s": round(rate(timings[name]) * width * height / 1e6, 1),
            "of_best_ceiling": round(rate(timings[name]) / best, 3),
            "peak_gpu_mib": memory.peaks[name] >> 20,
        }
        for name in taking
    ]
    left_out = {name: one.missing(kind) for name, one in CONTENDERS.items() if name not in taking}
    return rows + [{"size": size, "contender": name, "note": why} for name, why in left_out.items()]


def _pass(name: str, kind: str, shards: list[str], memory: Memory) -> Timing:
    with memory.watch(name):
        return in_fresh_process("bench.gpu_contender", name, kind, *shards)


def bad_images(good: list[str], bad: list[str], kind: str, rounds: int) -> list[Row]:
    """The rate with one bad image in each batch beside the rate without."""
    memory = Memory()
    passes = {
        "all good": partial(_pass, "ours, host output", kind, good, memory),
        f"one of {BATCH} bad": partial(_pass, "ours, host output", kind, bad, memory),
    }
    timings = interleave(rounds, passes)
    return [
        {
            "shards": name,
            "delivered": median(timing.images for timing in many),
            "seconds": round(median(timing.wall_s for timing in many), 3),
            "beside_all_good": round(
                median(timing.wall_s for timing in many)
                / median(timing.wall_s for timing in timings["all good"]),
                3,
            ),
        }
        for name, many in timings.items()
    ]


def verdicts(rows: list[Row], spoiled: list[Row], budget_mib: int) -> list[Row]:
    """What was asked for, beside what was measured."""
    judged = []
    for size in SIZES:
        of = {row["contender"]: row for row in rows if row["size"] == size and "images_per_s" in row}
        peer = of.get("DALI readers.webdataset")
        for name in ("ours, host output", "ours, device output"):
            mine = of[name]
            judged.append(_asked(f"{size}: {name} / best ceiling", mine["of_best_ceiling"], ">=", 0.9))
            if peer is not None:
                ratio = round(mine["images_per_s"] / peer["images_per_s"], 3)
                judged.append(_asked(f"{size}: {name} / DALI's reader", ratio, ">=", 1.3))
            judged.append(_asked(f"{size}: {name}, GPU memory (MiB)", mine["peak_gpu_mib"], "<=", budget_mib))
    judged.append(_asked("time with one bad image in each batch", spoiled[1]["beside_all_good"], "<=", 1.05))
    return judged


def _asked(what: str, measured: float, relation: str, due: float) -> Row:
    reached = measured >= due if relation == ">=" else measured <= due
    return {"what": what, "asked": f"{relation} {due}", "measured": measured, "reached": reached}


def measure(options: argparse.Namespace, kind: str, shrink: int, found: driver.Device | None) -> dict:
    """Run everything. Returns the tables; only the first one when it says that something is wrong."""
    folder = CACHE / "gpu" / ("rehearsal" if shrink > 1 else "full")
    shards, distinct = {}, 3 if shrink > 1 else 16
    for size in SIZES:
        count = max(options.images // PER_SIZE[size], 4)
        shards[size] = write_shards(folder / size, jpegs(size, distinct, shrink), count)
    kinds = [jpeg for size in SIZES for jpeg in jpegs(size, 2, shrink)] + odd_jpegs(shrink)
    few = write_shards(folder / "few", kinds, 2 * len(kinds))
    results: dict = {"correctness": correctness(few, kind)}
    if any(row["verdict"] != "ok" for row in results["correctness"]):
        return results
    results["rates"] = [
        row for size in SIZES for row in rates(size, shards[size], kind, options.rounds, shrink)
    ]
    spoiled = write_shards(folder / "spoiled", jpegs("small", distinct, shrink), options.images, BATCH)
    results["bad images"] = bad_images(shards["small"], spoiled, kind, options.rounds)
    budget = 0 if found is None else int(found.memory_bytes * SHARE) >> 20
    results["asked for"] = verdicts(results["rates"], results["bad images"], budget)
    return results


def write(results: dict, out: Path, title: str) -> Path:
    """Write both files. Returns the path of the Markdown one."""
    facts = results["machine"]
    text = [f"# {title}, {facts['date']}\n", table([facts]), ""]
    for name, rows in results.items():
        if name != "machine":
            text += [f"## {name}\n", table(rows), ""]
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{facts['date']}-{'rehearsal' if 'device' not in facts else 'gpu'}.md"
    target.write_text("\n".join(text), encoding="utf-8")
    target.with_suffix(".json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return target


def main(arguments: list[str] | None = None) -> int:
    """Run; see the module."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description="Measure decoding on a GPU.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=4096, help="of the small size; fewer of the others")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results")
    parser.add_argument("--cpu-only", action="store_true", help="rehearse with tiny images, without a GPU")
    options = parser.parse_args(arguments)
    missing = what_is_missing(cpu_only=options.cpu_only)
    if missing:
        print(f"bench.gpu cannot run: {'; '.join(missing)}; --cpu-only rehearses it", file=sys.stderr)
        return 3
    found = None if options.cpu_only else driver.find_device()
    kind, shrink = ("cpu", 20) if found is None else ("gpu", 1)
    facts = machine() if found is None else {**machine(), "device": found.name}
    results = {"machine": facts, **measure(options, kind, shrink, found)}
    title = "Rehearsal on the CPU; its figures mean nothing" if found is None else f"Decoding on {found.name}"
    target = write(results, options.out, title)
    print(target.read_text(encoding="utf-8"), f"written: {target}", sep="\n")
    return 0 if "rates" in results else 1


if __name__ == "__main__":
    sys.exit(main())
