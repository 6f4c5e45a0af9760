"""`make bench`: every figure that the documentation quotes, measured in one run.

    python -m bench.run [--rounds 5] [--save]

`--save` writes the tables to bench/results/ under today's date.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import data
from bench.contender import CONTENDERS, NEEDS
from bench.measure import ROOT, cpu_us, has, in_fresh_process, interleave, machine, rate
from bench.store import object_store, store_listing, store_photos

if TYPE_CHECKING:
    from bench.measure import Timing

Row = dict[str, object]


def throughput(rounds: int) -> list[Row]:
    """All contenders over the photos, beside the floor."""
    shards = [str(shard) for shard in data.photos()]
    names = [name for name in CONTENDERS if name not in NEEDS or has(NEEDS[name])]
    timings = interleave(rounds, {name: _pass(name, shards) for name in names})
    rows = [_row(name, timings[name], timings["floor"]) for name in names]
    left_out = [{"contender": name, "note": "not installed"} for name in CONTENDERS if name not in names]
    return rows + left_out


def broken(rounds: int) -> list[Row]:
    """A shard with 56 broken images among 1,000, and the same shard without them."""
    shard = data.mixed()
    if shard is None:
        return [{"contender": "mixed", "note": "needs the test corpus"}]
    expected = json.loads((shard.parent / "expected.json").read_text(encoding="utf-8"))
    good = {entry["key"] for entry in expected if entry["verdict"] == "good"}
    clean = data.without_broken(shard, good)
    passes = {"good only": _pass("ours", [str(clean)]), "with 56 broken": _pass("ours", [str(shard)])}
    timings = interleave(rounds, passes)
    return [_row(name, timings[name], timings["good only"]) for name in passes]


def overhead(rounds: int) -> list[Row]:
    """CPU an image apart from decoding."""
    shard = str(data.tiny_records(20_000))
    passes = {name: _single(name, shard) for name in ("bare", "overhead")}
    timings = interleave(rounds, passes)
    ours, bare = cpu_us(timings["overhead"]), cpu_us(timings["bare"])
    return [{"ours_us": round(ours, 1), "bare_decoder_us": round(bare, 1), "apart_us": round(ours - bare, 1)}]


def parser(rounds: int) -> list[Row]:
    """Members a second of CPU, checksums verified."""
    shard = str(data.tiny_records(20_000))
    timings = interleave(rounds, {"parser": _single("parser", shard)})["parser"]
    return [{"members_per_cpu_s": round(1e6 / cpu_us(timings)), "us_per_member": round(cpu_us(timings), 2)}]


def memory(rounds: int) -> list[Row]:
    """Peak memory of a stream over 1, 4 and 16 times the data."""
    shards = [str(shard) for shard in data.photos()]
    copies = {times: _copies(shards, times) for times in (1, 4, 16)}
    timings = interleave(rounds, {f"{times}x": _single("memory", *copies[times]) for times in copies})
    peaks = {name: statistics.median(one.peak_rss_bytes for one in many) for name, many in timings.items()}
    return [
        {"data": name, "peak_rss_mib": round(peak / 2**20, 1), "beside_4x": round(peak / peaks["4x"], 3)}
        for name, peak in peaks.items()
    ]


def startup(rounds: int) -> list[Row]:
    """Seconds from the start of python to the first batch of 100."""
    timings = interleave(rounds, {"startup": _single("startup", str(data.photos()[0]))})["startup"]
    wall, cpu = (
        statistics.median(values) for values in zip(*((t.wall_s, t.cpu_s) for t in timings), strict=True)
    )
    return [{"first_batch_s": round(wall, 3), "cpu_s": round(cpu, 3)}]


def cluster(rounds: int) -> list[Row]:
    """Ray beside local threads on two cores: steady, first seconds, start-up, tiny partitions, planning."""
    if not has("ray"):
        return [{"contender": "ray", "note": "not installed"}]
    photos = _copies([str(shard) for shard in data.photos()], 80)
    shards = [str(shard) for shard in data.tiny_shards(200)]
    rows = _cluster_rows(rounds, "photos, steady", "steady", photos)
    rows += _cluster_rows(rounds, "photos, first 6 s", "first", photos)
    rows += _cluster_rows(rounds, "one partition each", "tiny", _copies(shards, 10))
    start = interleave(rounds, {"startup": _on_cluster("startup", photos[0])})["startup"]
    seconds = round(statistics.median(timing.wall_s for timing in start), 2)
    rows.append({"what": "first batch, Ray started", "contender": "ray_1", "seconds": seconds})
    return [*rows, _planning(rounds)]


def _cluster_rows(rounds: int, what: str, kind: str, shards: list[str]) -> list[Row]:
    names = ("local", "ray_1", "ray_2")
    timings = interleave(rounds, {name: _on_cluster(f"{kind}:{name}", *shards) for name in names})
    rows: list[Row] = [{"what": what, **_row(name, timings[name], timings["local"])} for name in names]
    for row, name in zip(rows, names, strict=True):
        if kind == "tiny":  # an image is a partition
            row["ms_a_partition"] = round(cpu_us(timings[name]) / 1e3, 2)
    return rows


def _planning(rounds: int) -> Row:
    folder = str(data.tiny_shards(10_000)[0].parent)
    timings = interleave(rounds, {"planning": _on_cluster("planning", folder)})["planning"]
    return {
        "what": "10,000 partitions planned",
        "contender": "driver",
        "seconds": round(statistics.median(timing.wall_s for timing in timings), 3),
        "peak_mib": round(statistics.median(timing.peak_rss_bytes for timing in timings) / 2**20, 1),
    }


SECTIONS = {
    "throughput": throughput,
    "broken": broken,
    "overhead": overhead,
    "parser": parser,
    "memory": memory,
    "startup": startup,
    "cluster": cluster,
    "object store": object_store,
    "object store, photos": store_photos,
    "object store, listing": store_listing,
}


def _pass(name: str, shards: list[str]) -> functools.partial[Timing]:
    return functools.partial(in_fresh_process, "bench.contender", name, *shards)


def _on_cluster(name: str, *arguments: str) -> functools.partial[Timing]:
    return functools.partial(in_fresh_process, "bench.cluster", name, *arguments)


def _single(name: str, *arguments: str) -> functools.partial[Timing]:
    return functools.partial(in_fresh_process, "bench.single", name, *arguments)


def _row(name: str, timings: list[Timing], reference: list[Timing]) -> Row:
    return {
        "contender": name,
        "images": timings[0].images,
        "cpu_us": round(cpu_us(timings), 1),
        "cpu_ratio": round(cpu_us(timings) / cpu_us(reference), 3),
        "images_per_s": round(rate(timings), 1),
        "rate_ratio": round(rate(timings) / rate(reference), 3),
    }


def _copies(shards: list[str], times: int) -> list[str]:
    """The shards under `times` names: symbolic links, which are not resolved and so are read each."""
    folder = data.CACHE / f"{times}x"
    folder.mkdir(parents=True, exist_ok=True)
    links = [folder / f"{copy:02d}-{Path(shard).name}" for copy in range(times) for shard in shards]
    for link, shard in zip(links, shards * times, strict=True):
        if not link.is_symlink():
            link.symlink_to(Path(shard).resolve())
    return [str(link) for link in links]


def table(rows: list[Row]) -> str:
    """Rows as a Markdown table."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [
        columns,
        ["---"] * len(columns),
        *([str(row.get(column, "")) for column in columns] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run the sections that were asked for, print and save their tables."""
    options = argparse.ArgumentParser(description="Measure tarlight beside its floor and its peers.")
    options.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all by default")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--save", action="store_true", help="write bench/results/DATE.md and .json")
    chosen = options.parse_args()
    results: dict[str, object] = {"machine": machine(), "rounds": chosen.rounds}
    text = [f"# Benchmarks of {machine()['date']}\n", table([dict(machine())]), ""]
    for name in chosen.sections or SECTIONS:
        rows = SECTIONS[name](chosen.rounds)
        results[name] = rows
        text += [f"## {name}\n", SECTIONS[name].__doc__ or "", "", table(rows), ""]
        print(text[-4], table(rows), sep="\n", flush=True)
    if chosen.save:
        target = ROOT / "bench" / "results" / time.strftime("%Y-%m-%d.md")
        target.parent.mkdir(exist_ok=True)
        target.write_text("\n".join(text), encoding="utf-8")
        target.with_suffix(".json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
