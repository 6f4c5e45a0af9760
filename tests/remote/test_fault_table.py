"""Each fault of a network, wherever it strikes: the same images as without it, or a loss that is named.

The table: FAULTS x PLACES. What strikes twice is cured by asking again (`test_a_fault_that_passes`); what
strikes for ever costs the rest of the shard, in the ledger, or stops the listing (`test_a_fault_that_stays`).
"""

from __future__ import annotations

import io
import tarfile

import pytest

from tarlight.errors import ShardChangedError, TarlightError
from tarlight.storage import open_store
from tests.servers import fault
from tests.servers.proxy import Proxy
from tests.soak import SOAKING

from .dataset import MIB, QUICK, big, load, shard, small

BIG, SMALL = big(), small()
PATIENCE = {"client_options": {"read_timeout": "20s", "connect_timeout": "20s"}}
HASTE = {"client_options": {"read_timeout": "700ms", "connect_timeout": "700ms"}}
"""Time-outs: long where a slow machine must not look like a stall, short where the test waits for one."""

FAULTS = {
    "reset at once": fault.reset_at_once,
    "reset in the body": fault.reset_in_body,
    "body cut short": fault.cut_body,
    "body and length too short": fault.short_with_lie,
    "body and length too long": fault.long_with_lie,
    "error page with status 200": fault.error_page,
    "500": fault.status(500, "Internal Server Error"),
    "503": fault.status(503, "Slow Down", "SlowDown"),
    "429 with Retry-After": fault.status(429, "Too Many Requests", "TooMany", "Retry-After: 0"),
    "stall before the headers": fault.stall,
    "stall in the body": fault.stall_in_body,
}
ONCE = ("stall before the headers", "stall in the body", "error page with status 200")
"""Faults that strike once where others strike twice: they take a while, or look like the end of a list."""

PLACES = ("list", "first range", "middle range", "last range", "only range")
"""Where: the listing, one of the ranges of a large shard, or all of a small one."""

CELLS = [
    pytest.param(play, place, id=f"{play}, {place}")
    for play in FAULTS
    for place in PLACES
    if SOAKING or "stall" not in play or place in {"middle range", "only range"}
    if (play, place) != ("body and length too long", "list")  # bytes after a list's end are nobody's
]


class Table:
    """Two folders with one shard each, of several ranges and of one; what comes of them without faults."""

    def __init__(self, server):
        self.server = server
        for name, data in (("big", BIG), ("small", SMALL)):
            server.put(f"table/{name}/00.tar", data)
        options = server.storage_options
        whole = {name: load(server.url(f"table/{name}"), options) for name in ("big", "small")}
        ranges = self._ranges("middle range")
        assert len(ranges) > 3
        self.ranges = {
            "first range": ranges[0],
            "middle range": ranges[len(ranges) // 2],
            "last range": ranges[-1],
            "only range": (0, len(SMALL)),
        }
        self.expected = {place: whole[_shard(place)] for place in PLACES}

    def _ranges(self, place):
        with Proxy(self.server.port) as proxy:
            self.play(proxy, place)
            return sorted((request.start, request.end) for request in proxy.gets())

    def play(self, proxy, place, *, haste=False, **options):
        """Load through the proxy the shard that the place is about."""
        front = self.server.at(proxy.port, **QUICK, **(HASTE if haste else PATIENCE))
        return load(front.url(f"table/{_shard(place)}"), front.storage_options, **options)

    def at(self, place):
        """Return what tells the requests for a place, repeated ones too: these have the same end."""
        if place == "list":
            return lambda request: request.is_listing
        return lambda request: request.method == "GET" and request.end == self.ranges[place][1]


@pytest.fixture(scope="module")
def table(s3):
    """The table's shards on S3."""
    return Table(s3)


def members(data):
    """Name, first and last byte (headers and padding included) of each member, by another reader."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = archive.getmembers()
    ends = [member.offset for member in found[1:]] + [found[-1].offset_data + found[-1].size + 511 & ~511]
    return [(member.name, member.offset, end) for member, end in zip(found, ends, strict=True)]


def borders(data):
    """Where something may begin to be missing: at a member, or behind the last one."""
    return {0} | {end for _, _, end in members(data)}


def num_images_before(data, place):
    """How many images end at a place or before it."""
    return sum(name.endswith(".jpg") and end <= place for name, _, end in members(data))


def _shard(place):
    return "small" if place == "only range" else "big"


@pytest.mark.parametrize(("name", "place"), CELLS)
def test_a_fault_that_passes(table, proxy, name, place):
    """A fault that strikes twice changes nothing: the same images, the same books."""
    rule = proxy.add(FAULTS[name], table.at(place), times=1 if name in ONCE else 2)
    loaded = table.play(proxy, place, haste="stall" in name)
    # What was asked for may come in a piece of its own before what is too much: then once is enough.
    assert rule.num_struck == rule.times or (rule.num_struck == 1 and name == "body and length too long")
    assert loaded.images == table.expected[place].images
    assert loaded.books == table.expected[place].books


@pytest.mark.parametrize(("name", "place"), [cell for cell in CELLS if "stall" not in cell.id or SOAKING])
def test_a_fault_that_stays(table, proxy, name, place):
    """A fault that never ends loses what could not be read, by name; everything before it is delivered."""
    proxy.add(FAULTS[name], table.at(place))
    if place == "list":
        with pytest.raises(TarlightError, match="table/big"):
            table.play(proxy, place, haste="stall" in name)
        return
    loaded = table.play(proxy, place, haste="stall" in name)
    whole = table.expected[place].images
    if name == "body and length too long" and loaded.images == whole:
        return  # the bytes that were asked for came first, and the MD5 is right
    assert loaded.images == whole[: len(loaded.images)]
    assert len(loaded.images) < len(whole) or place == "last range"
    (loss,) = loaded.report.losses
    data = BIG if _shard(place) == "big" else SMALL
    assert loss.shard.endswith(f"table/{_shard(place)}/00.tar")
    assert (loss.reason, loss.end, loss.is_sized) == ("read_failed", len(data), True)
    assert loss.start in borders(data)
    assert loss.start < table.ranges[place][1]
    assert num_images_before(data, loss.start) == len(loaded.images) == loaded.report.images_seen
    assert not loaded.report.images_skipped
    assert {note.kind for note in loaded.report.notes} <= {"retried"}
    assert len(proxy.requests) < 60


@pytest.mark.parametrize("place", PLACES)
def test_a_slow_network_is_no_fault(table, proxy, place):
    """Bodies that come in small pieces change nothing, and nothing is asked for twice."""
    proxy.add(fault.slow, table.at(place))
    assert table.play(proxy, place).images == table.expected[place].images
    starts = [request.start for request in proxy.gets()]
    assert len(starts) == len(set(starts))


def test_a_fault_in_every_request(table, proxy):
    """A network that breaks every second answer still gives every image."""
    proxy.add(fault.reset_in_body, lambda request: len(proxy.requests) % 2 == 0 and not request.is_listing)
    assert table.play(proxy, "middle range").images == table.expected["middle range"].images


def test_a_broken_range_goes_on_at_the_byte(table, proxy):
    """After a reset only the bytes that did not come are asked for again."""
    middle = table.at("middle range")
    proxy.add(fault.reset_in_body, middle, times=1)
    assert table.play(proxy, "middle range").images == table.expected["middle range"].images
    first = next(request for request in proxy.gets() if middle(request))
    rest = [request for request in proxy.gets() if request.end == first.end and request is not first]
    assert [first.start < request.start for request in rest] == [True]


@pytest.mark.parametrize("place", ["first range", "middle range", "last range"])
def test_a_flipped_bit_in_a_large_shard_is_named(table, proxy, place):
    """A flip where neither tar nor JPEG sees it is the loss `checksum_mismatch`, and the images are told."""
    byte = table.ranges[place][1] - 20_000  # in the bytes between two images
    proxy.add(fault.flip_bit(byte), lambda request: request.covers(byte), times=1)
    loaded = table.play(proxy, place)
    (loss,) = loaded.report.losses
    assert loss.reason == "checksum_mismatch"
    assert loss.shard.endswith("table/big/00.tar")
    assert len(loaded.images) == len(table.expected["middle range"].images)


@pytest.mark.parametrize("byte", [0, 100, 600, 3000, len(SMALL) - 1])
def test_a_flipped_bit_in_a_small_shard_is_mended(table, proxy, byte):
    """A shard that came in one request with a flip is fetched again before anything is parsed."""
    rule = proxy.add(fault.flip_bit(byte), lambda request: request.covers(byte), times=1)
    loaded = table.play(proxy, "only range")
    assert rule.num_struck == 1
    assert loaded.images == table.expected["only range"].images
    assert loaded.books == table.expected["only range"].books


@pytest.mark.parametrize("on_error", ["skip", "raise"])
@pytest.mark.parametrize("place", ["middle range", "last range"])
def test_an_object_replaced_while_it_is_read_is_never_a_mix(table, proxy, place, on_error):
    """A shard overwritten between two ranges is `ShardChangedError`, or its rest a loss that says so."""
    table.server.put("replaced/00.tar", BIG)
    other = shard(144, ballast=MIB // 4, seed=1)
    assert len(other) == len(BIG)
    proxy.add(fault.replaced(lambda: table.server.put("replaced/00.tar", other)), table.at(place), times=1)
    front = table.server.at(proxy.port, **QUICK)
    if on_error == "raise":
        with pytest.raises(ShardChangedError, match="replaced/00"):
            load(front.url("replaced"), front.storage_options, on_error=on_error)
        return
    loaded = load(front.url("replaced"), front.storage_options)
    assert loaded.images == table.expected["middle range"].images[: len(loaded.images)]
    assert "changed" in {loss.reason: loss.detail for loss in loaded.report.losses}["read_failed"]


def test_every_request_for_bytes_asks_for_a_range(table, proxy):
    """Also a small shard is fetched with a range, in one request."""
    table.play(proxy, "only range")
    (request,) = proxy.gets()
    assert request.start == 0
    assert not [request for request in proxy.requests if request.method == "HEAD"]


def test_the_first_batch_leaves_before_the_shard_is_there(table, proxy):
    """With the last range held back, the first images are delivered all the same."""
    from .dataset import pipeline  # noqa: PLC0415

    proxy.add(fault.stall, table.at("last range"))
    front = table.server.at(proxy.port, **QUICK, **PATIENCE)
    with pipeline(front.url("table/big"), front.storage_options, batch_size=4).stream() as stream:
        assert len(next(stream).data) == 4


def test_a_store_reads_on_after_a_fault(table, proxy):
    """`Store.read` of one image's range repeats as well."""
    front = table.server.at(proxy.port, **QUICK)
    store = open_store(front.url("table/small/00.tar"), front.storage_options)
    proxy.add(fault.reset_in_body, lambda request: request.method == "GET", times=2)
    stat = store.stat(front.url("table/small/00.tar"))
    assert store.read(stat, 512, 100) == SMALL[512:612]
