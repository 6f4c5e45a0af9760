"""Shards over real HTTP: read ahead, in a row, and through the whole pipeline."""

from __future__ import annotations

import gc
import threading

import pytest

from tarlight.errors import InputMissingError, ShardChangedError, ShardReadError
from tarlight.storage import Plan, Reading, StoppedError
from tarlight.storage.remote import client
from tarlight.storage.remote.client import MAX_LONE_CLIENTS
from tests.reader.dataset import ids, images, jpeg, load, pipeline, record, write_tar

from .ranges import FAST, serving
from .test_download import noise

TINY = Plan(range_bytes=100_000, window_bytes=800_000, max_requests=4)


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def reading():
    opened = Reading(FAST, TINY)
    yield opened
    opened.close()


def read(reading, url, size=None):
    return b"".join(reading.open(url, size).chunks())


def test_shards_in_a_row(server, reading):
    """Shards that are expected are fetched before they are opened, and read in order without a HEAD."""
    bodies = [noise(size) for size in (0, 1, 150_000, 700_000, 2_000_000)]
    urls = [server.put(f"{index}.tar", body) for index, body in enumerate(bodies)]
    for url, body in zip(urls[1:], bodies[1:], strict=True):
        reading.expect(url, len(body))
    for url, body in zip(urls[1:], bodies[1:], strict=True):
        assert read(reading, url) == body
    assert len(server.requests) == 1 + 1 + 7 + 20
    assert {method for method, *_ in server.requests} == {"GET"}


def test_what_was_not_expected_next_is_read_all_the_same(server, reading):
    """Shards may be opened in another order than was said, skipped, or never expected: no wait for ever."""
    urls = [server.put(f"{index}.tar", noise(900_000, index)) for index in range(6)]
    for url in urls:
        reading.expect(url, 900_000)
    for index in (3, 1, 5, 0):
        assert read(reading, urls[index]) == noise(900_000, index)
    reading.open(urls[1])
    assert read(reading, urls[2]) == noise(900_000, 2)


def test_local_shards_between_remote_ones(server, tmp_path):
    """A reading takes paths and URLs in one row."""
    (tmp_path / "a.tar").write_bytes(b"local")
    url = server.put("a.tar", b"remote")
    reading = Reading(None, TINY)
    for path in (url, str(tmp_path / "a.tar"), url):
        reading.expect(path)
    assert [read(reading, path) for path in (url, str(tmp_path / "a.tar"), url)] == [
        b"remote",
        b"local",
        b"remote",
    ]
    reading.close()


def test_the_version_is_the_etag(server, reading):
    """An open shard has the size and version of the first answer, as `stat` would tell them."""
    opened = reading.open(server.put("a.tar", b"x" * 10, etag="abc"))
    assert (opened.stat.size, opened.stat.version) == (10, "10-abc")


def test_faults_are_survived_and_noted(server, reading):
    """Errors and cut bodies are repeated, and a note counts them by cause."""
    url = server.put("a.tar", noise(2_000_000), etag="no-md5")
    server.spoil("a.tar", 503, "cut", 500, "cut", 429)
    opened = reading.open(url)
    assert b"".join(opened.chunks()) == noise(2_000_000)
    (note,) = opened.notes()
    assert note.kind == "retried"
    assert note.text.startswith("5 requests were repeated: ")
    for cause in ("503 x 1", "500 x 1", "429 x 1", "broken x 2"):
        assert cause in note.text
    assert opened.num_requests == 5 + 1 + 18


def test_closing_wakes_a_reader_in_a_stall(server):
    """A reader that waits for a server that went silent leaves when its reading is closed."""
    reading, left = Reading(FAST, TINY), threading.Event()
    url = server.put("a.tar", noise(50_000), etag="no-md5")
    server.spoil("a.tar", "stall")

    def work():
        with pytest.raises(StoppedError):
            read(reading, url)
        left.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not server.requests:
        pass
    reading.close()
    assert left.wait(20)
    thread.join()
    with pytest.raises(StoppedError):
        reading.open(url)


def shard(tmp_path, name, first, count=5):
    path = write_tar(tmp_path / name, [item for index in range(count) for item in record(first + index)])
    return path, (tmp_path / name).read_bytes()


def test_the_pipeline_reads_the_same_as_from_disk(server, tmp_path):
    """Ids, pixels and books of a pipeline over HTTP are those from disk, whatever the network did."""
    shards = [shard(tmp_path, f"{index}.tar", index * 5) for index in range(4)]
    urls = [server.put(f"{index}.tar", body) for index, (_, body) in enumerate(shards)]
    server.spoil("0.tar", "cut", 503)
    server.spoil("2.tar", "flip")
    here, there = load(str(tmp_path)), load(urls, storage_options=FAST)
    assert ids(here) == ids(there)
    for one, other in zip(images(here), images(there), strict=True):
        assert (one.image_data == other.image_data).all()
    for name in ("images_seen", "images_delivered", "bytes_read", "bytes_lost", "ignored", "shards"):
        assert getattr(here.report, name) == getattr(there.report, name)
    assert sorted(note.kind for note in there.report.notes) == ["retried", "retried"]
    assert len(server.requests) == 4 + 3


def test_a_source_reads_one_range(server, tmp_path):
    """The encoded bytes of one image are read by one request, of the same version only."""
    url = server.put("a.tar", shard(tmp_path, "a.tar", 0)[1])
    source = images(load(url))[2].source
    before = len(server.requests)
    assert source.open() == jpeg(2)
    assert len(server.requests) == before + 1
    server.put("a.tar", shard(tmp_path, "a.tar", 1)[1])
    with pytest.raises(ShardChangedError):
        source.open()


def test_released_images_are_fetched_again(server, tmp_path):
    """Released images of a shard in a store give the same pixels again."""
    path, body = shard(tmp_path, "a.tar", 0)
    with pytest.warns(UserWarning, match="stream"):
        result = pipeline(server.put("a.tar", body)).run(result_memory=1)
    for one, other in zip(images(result), images(load(path)), strict=True):
        assert one.is_released
        assert (one.image_data == other.image_data).all()


def test_exhausted_retries_lose_the_rest_and_go_on(server, tmp_path):
    """A shard whose first byte never comes is lost with its size, and the next one is read."""
    good = server.put("b.tar", shard(tmp_path, "b.tar", 0)[1])
    bad = server.put("a.tar", shard(tmp_path, "a.tar", 5)[1])
    server.spoil("a.tar", *[500] * 4)
    result = load([bad, good], storage_options=FAST)
    assert len(ids(result)) == 5
    assert [(loss.shard, loss.reason) for loss in result.report.losses] == [(bad, "read_failed")]
    assert result.report.is_balanced
    server.spoil("a.tar", *[500] * 4)
    with pytest.raises(ShardReadError, match="HTTP 500"):
        load([bad, good], storage_options=FAST, on_error="raise")


def test_a_missing_shard_is_an_error_when_it_is_opened(server, tmp_path):
    """A URL that leads nowhere stops a run that begins with it, or that stops at the first failure."""
    good, nowhere = server.put("a.tar", shard(tmp_path, "a.tar", 0)[1]), f"{server.url}/nowhere.tar"
    for urls, on_error in ([nowhere, good], "skip"), ([good, nowhere], "raise"):
        with pytest.raises(InputMissingError, match=r"nowhere\.tar"):
            load(urls, storage_options=FAST, on_error=on_error)


def test_a_wrong_checksum_names_the_images(server, tmp_path):
    """A large shard with a flipped bit is a loss at its end, with the first and last image taken from it."""
    padding = [("pad.bin", bytes(17 << 20))]
    body = (tmp_path / "x").parent / "a.tar"
    write_tar(body, record(1) + record(2) + padding + record(3))
    url = server.put("a.tar", body.read_bytes())
    server.spoil("a.tar", None, "flip")
    report = load(url).report
    (loss,) = report.losses
    assert (loss.start, loss.end, loss.reason) == (body.stat().st_size,) * 2 + ("checksum_mismatch",)
    assert "3 images were delivered from it: 000001 to 000003" in loss.detail
    assert report.is_balanced


def test_signed_urls_hold_nothing_once_they_are_read(server, reading):
    """However many presigned URLs are read, only few of their clients, each with connections, are kept."""
    for index in range(3 * MAX_LONE_CLIENTS):
        url = server.put(f"0.tar?sig={index}", noise(1000))
        assert read(reading, url, 1000) == noise(1000)
    gc.collect()
    urls = {name for name, _, _ in client._lone_clients}
    assert len(urls) == MAX_LONE_CLIENTS
    alive = [held for held in gc.get_objects() if isinstance(held, client.ObstoreClient)]
    kept = [*client._clients.values(), *client._lone_clients.values()]
    assert len([held for held in alive if held not in kept]) <= 1
