"""The sections of `make bench` about object stores; see `bench.server` for what stands in for one."""

from __future__ import annotations

import functools
import statistics
from typing import TYPE_CHECKING

from bench import data
from bench.measure import cpu_us, in_fresh_process, interleave
from bench.server import serving

if TYPE_CHECKING:
    from bench.measure import Timing

Row = dict[str, object]

LATENCY_MS, RATE = 30, 20e6
"""The network of `object_store`: before every answer, and bytes a second of one connection."""


def object_store(rounds: int) -> list[Row]:
    """Bytes handed to the parser at 30 ms latency and 20 MB/s a connection, beside bare range requests."""
    names = ("one GET", "ours", "raw 8", "raw 16")
    with serving(LATENCY_MS, RATE) as port:
        timings = interleave(rounds, {name: _pass(name, port) for name in names})
    one = _mb_per_s(timings["one GET"])
    return [
        {
            "way": name,
            "mb_per_s": round(_mb_per_s(timings[name]), 1),
            "beside_one_get": round(_mb_per_s(timings[name]) / one, 2),
            "cpu_ms_per_mb": round(cpu_us(timings[name]) * 1e3, 2),
            "peak_rss_mib": round(statistics.median(t.peak_rss_bytes for t in timings[name]) / 2**20, 1),
        }
        for name in names
    ]


def store_photos(rounds: int) -> list[Row]:
    """The photos through the whole path: from a store without latency or limit, and from the local disk."""
    shards = data.photos()
    with serving(photos=shards) as port:
        local = functools.partial(in_fresh_process, "bench.contender", "ours", *map(str, shards))
        timings = interleave(rounds, {"local disk": local, "object store": _pass("photos", port)})
    disk = cpu_us(timings["local disk"])
    return [
        {
            "from": name,
            "images": many[0].images,
            "cpu_us": round(cpu_us(many), 1),
            "cpu_ratio": round(cpu_us(many) / disk, 3),
            "images_per_s": round(statistics.median(t.images / t.wall_s for t in many), 1),
            "peak_rss_mib": round(statistics.median(t.peak_rss_bytes for t in many) / 2**20, 1),
        }
        for name, many in timings.items()
    ]


def store_listing(rounds: int) -> list[Row]:
    """A listing of 100,000 keys, without latency."""
    with serving() as port:
        timings = interleave(
            rounds, {"empty": _pass("short listing", port), "listing": _pass("listing", port)}
        )
    many = timings["listing"]
    peak, empty = (
        statistics.median(t.peak_rss_bytes for t in timings[name]) for name in ("listing", "empty")
    )
    return [
        {
            "keys": many[0].images,
            "keys_per_s": round(statistics.median(t.images / t.wall_s for t in many)),
            "cpu_us_per_key": round(cpu_us(many), 2),
            "bytes_per_key": round((peak - empty) / many[0].images),
        }
    ]


def _pass(name: str, port: int) -> functools.partial[Timing]:
    return functools.partial(in_fresh_process, "bench.bucket", name, str(port))


def _mb_per_s(timings: list[Timing]) -> float:
    return statistics.median(timing.images / timing.wall_s for timing in timings) / 1e6
