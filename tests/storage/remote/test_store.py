"""Finding shards in buckets of a real S3 protocol server, and over HTTP."""

from __future__ import annotations

import gc
import itertools
import os
import pickle
import subprocess
import sys
import tracemalloc

import pytest

from tarlight.errors import (
    ArgumentError,
    InputDeniedError,
    InputMissingError,
    ShardReadError,
)
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.storage import EVERYTHING, RemoteStore, find_shards, open_store
from tarlight.storage.remote.wire import Fault, FaultKind, ObjectFacts
from tarlight.tasks import EmptyTask


def paths(listing):
    """The paths of a listing's shards."""
    return [shard.path for shard in listing.shards]


def test_a_folder_of_a_bucket_is_a_prefix(bucket):
    """A folder gives the shards below it at any depth, in natural order, each with its size."""
    for key in ("a/10.tar", "a/2.tar", "a/sub/1.tar", "a/readme.txt", "ab/3.tar", "b.tar"):
        bucket.put(key, key.encode())
    listing = find_shards(f"{bucket.url}/a/", storage_options=bucket.options)
    assert paths(listing) == [f"{bucket.url}/a/{name}" for name in ("2.tar", "10.tar", "sub/1.tar")]
    assert [shard.size for shard in listing.shards] == [len("a/2.tar"), len("a/10.tar"), len("a/sub/1.tar")]
    whole = find_shards(bucket.url, storage_options=bucket.options)
    assert len(whole.shards) == 5


def test_a_glob_in_a_bucket(bucket):
    """A glob selects within folders, and a folder that it names is read."""
    for key in ("a1/0.tar", "a1/x/1.tar", "a2/0.tar", "b/0.tar"):
        bucket.put(key)
    found = find_shards(f"{bucket.url}/a*/0.tar", storage_options=bucket.options)
    assert paths(found) == [f"{bucket.url}/a1/0.tar", f"{bucket.url}/a2/0.tar"]
    below = find_shards(f"{bucket.url}/a*", storage_options=bucket.options)
    assert paths(below) == [f"{bucket.url}/{key}" for key in ("a1/0.tar", "a1/x/1.tar", "a2/0.tar")]


def test_a_key_is_asked_for_and_a_range_is_listed_once(bucket, monkeypatch):
    """One key costs one request for it; a range, or many keys of one folder, one listing."""
    urls = [bucket.put(f"d/{index:02d}.tar") for index in range(20)]
    listed = []
    list_folder = RemoteStore.list
    monkeypatch.setattr(
        RemoteStore,
        "list",
        lambda self, prefix, selection=EVERYTHING: (
            listed.append(prefix) or list_folder(self, prefix, selection)
        ),
    )
    assert find_shards(urls[3], storage_options=bucket.options).shards[0].size == 512
    assert paths(find_shards(urls[:8], storage_options=bucket.options)) == urls[:8]
    assert listed == []
    assert paths(find_shards(urls[::-1], storage_options=bucket.options)) == urls[::-1]
    assert listed == [f"{bucket.url}/d"]
    pattern = f"{bucket.url}/d/{{03..12}}.tar"
    assert paths(find_shards([pattern, urls[0]], storage_options=bucket.options)) == [*urls[3:13], urls[0]]
    assert listed == [f"{bucket.url}/d"] * 2


def test_missing_shards_of_a_range_are_named(bucket):
    """What a range names and the bucket does not have is one error that names and counts it."""
    for index in range(5):
        bucket.put(f"{index}.tar")
    with pytest.raises(
        InputMissingError, match=r"/5\.tar: there is no such object.*3 of 8.*/6\.tar.*/7\.tar"
    ):
        find_shards(f"{bucket.url}/{{0..7}}.tar", storage_options=bucket.options)
    with pytest.raises(InputMissingError, match=r"/nine\.tar: there is no such object"):
        find_shards(f"{bucket.url}/nine.tar", storage_options=bucket.options)


def test_no_match_says_what_is_there_instead(bucket):
    """A prefix without shards names the extensions that were found; an empty one says that it is empty."""
    bucket.put("docs/a.txt")
    bucket.put("docs/b.tar.gz")
    with pytest.raises(InputMissingError, match=r"no file ends in \.tar; there are .*\.tar\.gz \(1\)"):
        find_shards(f"{bucket.url}/docs", storage_options=bucket.options)
    with pytest.raises(InputMissingError, match=r"/nothing"):
        find_shards(f"{bucket.url}/nothing", storage_options=bucket.options)
    with pytest.raises(InputMissingError, match=r"nothing matches"):
        find_shards(f"{bucket.url}/nothing/*.tar", storage_options=bucket.options)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("d/00001.tar", r"/d/00001\.tar: there is no such object .*; near it are '0001\.tar', '0000\.tar'"),
        ("d/{00000..00009}.tar", r"near it are '0000\.tar', .*\(10 of 10 paths are missing"),
        ("d/quite-another.tar", r"; its folder has '0000\.tar', '0001\.tar', 'x\.tgz' and 2 more"),
        ("e", r"; its folder has 'd/'$"),
        ("dx/0000.tar", "Check the spelling$"),
        (
            "d/*.zip",
            r"nothing matches; near it are \.tgz \(3\), \.tar \(2\), such as .*pass file_ext",
        ),
        ("d/*.tgz", r"no file ends in \.tar; there are \.tgz \(3\)\. Pass file_extensions=\['\.tgz'\]"),
        ("nowhere/a.tar", "Check the spelling$"),
    ],
)
def test_what_is_missing_in_a_bucket_is_told_with_what_is_there(bucket, name, says):
    """The error for a missing object, folder, range or glob names what is near it."""
    for key in ("0000.tar", "0001.tar", "x.tgz", "y.tgz", "z.tgz"):
        bucket.put(f"d/{key}")
    with pytest.raises(InputMissingError, match=says):
        find_shards(f"{bucket.url}/{name}", storage_options=bucket.options)


def test_an_empty_bucket_is_an_error(bucket):
    """A bucket without any object is an error that names it."""
    with pytest.raises(InputMissingError, match=bucket.url):
        find_shards(bucket.url, storage_options=bucket.options)


@pytest.mark.parametrize("name", ["a.tar", "", "a", "*.tar", "{0..3}.tar"])
def test_a_bucket_that_is_not_there_is_named(bucket, name):
    """However shards are named, a missing bucket is said to be missing, and not the object."""
    with pytest.raises(InputMissingError, match=r"no bucket or container s3://nobody-has-this "):
        find_shards(f"s3://nobody-has-this/{name}", storage_options=bucket.options)


def test_a_key_with_an_empty_part_is_named(bucket):
    """A listing that has a key nobody can ask for names that key and what to do."""
    bucket.put("z/a//b.tar")
    with pytest.raises(ShardReadError, match=r'"z/a//b\.tar".*Rename'):
        find_shards(f"{bucket.url}/z", storage_options=bucket.options)


def test_a_denied_listing_leaves_the_checks_to_reading(server):
    """Where listing is denied a range is taken on trust, and a note says so; a folder is an error."""
    server.say(403, b"<Error><Code>AccessDenied</Code></Error>")
    options = {"endpoint": server.url, "anon": True}
    listing = find_shards("s3://bucket/d/{0..2}.tar", storage_options=options)
    assert paths(listing) == [f"s3://bucket/d/{index}.tar" for index in range(3)]
    assert {shard.size for shard in listing.shards} == {None}
    assert [note.kind for note in listing.notes] == ["not_listed"]
    with pytest.raises(InputDeniedError, match="AccessDenied"):
        find_shards("s3://bucket/d", storage_options=options)


def test_over_http_nothing_is_asked_when_planning(server):
    """Shards over HTTP are taken as named, without size, and no request is made for them."""
    listing = find_shards([f"{server.url}/d/{{0..2}}.tar?sig=a", f"{server.url}/x.tar"])
    assert paths(listing) == [f"{server.url}/{name}" for name in ("d/0.tar", "d/1.tar", "d/2.tar", "x.tar")]
    assert {(shard.size, shard.version) for shard in listing.shards} == {(None, "")}
    assert server.asked == []


def test_urls_that_differ_in_their_query_alone_are_refused():
    """Queries are never shown, so shards that differ in nothing else are refused rather than confused."""
    with pytest.raises(ArgumentError, match="differ in their query alone"):
        find_shards(["http://h/get?id=1", "http://h/get?id=2"])
    again = find_shards(["http://h/get?id=1", "http://h/get?id=1"])
    assert [note.kind for note in again.notes] == ["duplicate_path"]


def test_a_source_finds_the_query_of_this_process(server):
    """A URL without its query is opened with the query that this process has read it with."""
    server.say(206, b"x", Content_Range="bytes 0-0/512", ETag='"e"')
    url = f"{server.url}/d/0.tar?X-Amz-Signature=S"
    shown = find_shards(url).shards[0].path
    found = open_store(url).stat(shown)
    assert (found.version, type(found.path)) == ("512-e", str)
    assert open_store(str(shown)).stat(str(shown)).size == 512
    assert [asked[:2] for asked in server.asked] == [("GET", "/d/0.tar?X-Amz-Signature=S")] * 2


def test_partitions_of_a_bucket(bucket):
    """Partitions have sizes for `blocksize`; the stage pickles with its options and shows their names."""
    for index in range(4):
        bucket.put(f"{index}.tar", b"x" * 1000)
    stage = FilePartitioningStage(
        bucket.url, blocksize=2000, storage_options={**bucket.options, "secret": "hush"}
    )
    stage = pickle.loads(pickle.dumps(stage))
    tasks = list(stage.process(EmptyTask()))
    assert [[path[-5:] for path in task.data] for task in tasks] == [["0.tar", "1.tar"], ["2.tar", "3.tar"]]
    assert tasks[0].sizes == [1000, 1000]
    assert "hush" not in f"{stage!r} {stage.describe()} {tasks!r}"
    assert "secret" in stage.describe()["storage_options"]


class _ManyKeys:
    """A client whose bucket has 20,000 shards; a server for as many would be what is measured."""

    def pages(self, prefix, offset=""):
        names = (f"part-{index // 1000:03d}/shard-{index:08d}-of-20k" for index in range(20_000))
        keys = (f"{prefix}/{name}.tar" for name in names)
        while page := [
            ObjectFacts(key, 10_000_000 + len(key), "e" * 32) for key in itertools.islice(keys, 1000)
        ]:
            yield page


def test_a_row_of_a_listing_takes_at_most_250_bytes(monkeypatch):
    """A listing of 20,000 keys keeps at most 250 bytes for each, paths and sizes included."""
    monkeypatch.setattr("tarlight.storage.remote.store.open_client", lambda *_: _ManyKeys())
    find_shards("s3://bucket/train", storage_options={"anon": True})
    gc.collect()
    tracemalloc.start()
    listing = find_shards("s3://bucket/train", storage_options={"anon": True})
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(listing.shards) == 20_000
    assert kept / 20_000 <= 250


class _Interrupted(_ManyKeys):
    """A client whose listing breaks off after its first page."""

    def __init__(self):
        self.asked = []

    def pages(self, prefix, offset=""):
        self.asked.append(offset)
        for page in super().pages(prefix):
            if page[-1].key > offset:
                yield page
                if len(self.asked) < 3:
                    raise Fault(FaultKind.BROKEN, "broken")


def test_a_listing_that_breaks_off_goes_on_after_the_last_key(monkeypatch):
    """After a page that fails for a while each key is still listed once, and the end is asked for again."""
    client = _Interrupted()
    monkeypatch.setattr("tarlight.storage.remote.store.open_client", lambda *_: client)
    retries = {"max_retries": 1, "backoff": {"init_backoff": "1ms"}}
    found = list(RemoteStore({"anon": True, "retry_config": retries}).list("s3://bucket/train"))
    assert len({shard.path for shard in found}) == len(found) == 20_000
    assert [offset[-24:] for offset in client.asked] == [
        "", "shard-00000999-of-20k.tar"[-24:], "shard-00001999-of-20k.tar"[-24:],
        "shard-00019999-of-20k.tar"[-24:],  # whether the list has ended
    ]  # fmt: skip


def test_importing_tarlight_imports_no_network():
    """Neither the package nor a stage over a bucket loads the client library before something is read."""
    code = (
        "import sys, tarlight; from tarlight import FilePartitioningStage\n"
        "FilePartitioningStage('s3://b/a', storage_options={'anon': True})\n"
        "assert 'obstore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": "src"})


_FORK = """
import os, sys
from tarlight.errors import TarlightError
from tarlight.storage import open_store
url, store = sys.argv[1], open_store(sys.argv[1], {"anon": True, "endpoint": sys.argv[2]})
list(store.list(url))
child = os.fork()
if child == 0:
    try:
        list(store.list(url))
    except TarlightError as error:
        os._exit(7 if "spawn" in str(error) else 8)
    os._exit(9)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_is_told_and_does_not_hang(server):
    """A client is never used across a fork: the child gets an error that says to spawn."""
    server.say(200, b'<?xml version="1.0"?><ListBucketResult></ListBucketResult>')
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORK, "s3://bucket/a", server.url],
        check=False,
        env=os.environ | {"PYTHONPATH": "src"},
        timeout=60,
    )
    assert run.returncode == 7
