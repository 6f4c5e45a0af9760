"""Checkpoints of runs over object stores, and in object stores."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise

import pytest

from tarlight.errors import (
    CheckpointError,
    CheckpointMismatchError,
    CheckpointTakenError,
    CheckpointWriteError,
    InputMissingError,
    ShardChangedError,
)
from tests.corpus import REPOSITORY
from tests.servers import fault
from tests.servers.start import moto_client
from tests.terminal import run_in_pipes

from .dataset import QUICK, pipeline, shard

VICTIM = """
import json, sys, time
from tests.remote.dataset import pipeline
url, options, checkpoint, log = json.loads(sys.argv[1])
with pipeline(url, options, batch_size=2).stream(checkpoint_path=checkpoint) as run, open(log, "a") as log:
    for batch in run:
        print(json.dumps([image.image_path for image in batch.data]), file=log, flush=True)
        run.commit()
        time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def filled():
    """Servers that have the shards already."""
    return set()


@pytest.fixture
def stored(bucket, filled):
    """Three shards in each store that can list, the last of two ranges; with the right to write."""
    if bucket.name not in filled:
        for index, ballast in enumerate((0, 0, 1 << 20)):
            bucket.put(f"checkpoint/course/{index}.tar", shard(20, ballast=ballast, seed=index))
        filled.add(bucket.name)
    if bucket.name == "gcs":  # the client library signs what it writes there, whatever it was told
        return replace(bucket, options={**bucket.options, "skip_signature": False, "bearer_token": "any"})
    return bucket


def made(server, **options):
    return pipeline(server.url("checkpoint/course"), server.storage_options, **options)


def paths(batches):
    """Where the images of batches come from."""
    return [image.image_path for batch in batches for image in batch.data]


def signed(port, key):
    """A presigned URL and its signature."""
    url = moto_client(port).generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": key})
    return url, url.partition("Signature=")[2].partition("&")[0]


def test_a_run_goes_on_from_a_checkpoint_in_its_bucket(stored):
    """Left anywhere, a run with its checkpoint in the bucket goes on and delivers each image once."""
    whole = made(stored).stream()
    expected = paths(whole)
    target = stored.url(f"kept-{time.monotonic_ns()}.json")
    delivered = []
    for _ in range(40):
        with made(stored, batch_size=7).stream(checkpoint_path=target) as run:
            for _, batch in zip(range(2), run, strict=False):
                delivered += paths([batch])
                run.commit()
        if len(delivered) >= len(expected):
            break
    assert delivered == expected
    last = made(stored).stream(checkpoint_path=target)
    assert paths(last) == []
    assert last.report.images_delivered == whole.report.images_delivered
    assert last.report.is_balanced


def test_a_killed_run_goes_on(s3, tmp_path):
    """A process killed again and again leaves nothing out, and repeats only the batch in hand."""
    for index in range(2):
        s3.put(f"checkpoint/killed/{index}.tar", shard(20, seed=index))
    url, options, log = s3.url("checkpoint/killed"), s3.storage_options, tmp_path / "log"
    settings = json.dumps([url, options, s3.url("checkpoint/state/killed/"), str(log)])
    log.touch()
    for kill_after in (3, 9, 1000):
        victim = subprocess.Popen([sys.executable, "-c", VICTIM, settings], cwd=REPOSITORY)
        while victim.poll() is None and len(log.read_text().splitlines()) < kill_after:
            time.sleep(0.01)
        victim.send_signal(signal.SIGKILL if kill_after < 1000 else 0)
        victim.wait()
    assert victim.returncode == 0
    batches = [json.loads(line) for line in log.read_text().splitlines()]
    again = [batch for before, batch in pairwise(batches) if before == batch]
    assert len(again) <= 2
    delivered = dict.fromkeys(path for batch in batches for path in batch)
    assert list(delivered) == paths(pipeline(url, options).stream())
    assert sum(map(len, batches)) == len(delivered) + sum(map(len, again))


def test_a_shard_written_anew_is_not_gone_on_with(s3):
    """A shard whose ETag changed since a run stopped in its middle is an error, never a mix."""
    s3.put("checkpoint/renewed/0.tar", shard(20))
    made = pipeline(s3.url("checkpoint/renewed"), s3.storage_options, batch_size=3)
    with made.stream() as run:
        next(run)
        state = run.state_dict()
    s3.put("checkpoint/renewed/0.tar", shard(20, seed=1)[: len(shard(20))].ljust(len(shard(20)), b"\0"))
    again = made.stream()
    again.load_state_dict(state)
    with pytest.raises((ShardChangedError, CheckpointMismatchError), match="renewed"):
        list(again)


def test_a_state_tells_no_query(s3, moto_port):
    """States and reports of a run over presigned URLs hold none of their query, pickled or not."""
    s3.put("checkpoint/told-state/0.tar", shard(5))
    url, signature = signed(moto_port, "checkpoint/told-state/0.tar")
    run = pipeline([url, url], batch_size=2).stream()
    for _ in run:
        told = pickle.dumps(run.state_dict()) + json.dumps(run.state_dict()).encode()
        assert signature.encode() not in told
    assert signature.encode() not in pickle.dumps(run.report.to_dict()) + pickle.dumps(run.state_dict())


def test_a_lost_shard_tells_no_query(proxy):
    """A shard that is lost whole is in ledger and state under its URL without the query."""
    proxy.add(fault.status(500, "Internal Server Error"))
    url = f"http://127.0.0.1:{proxy.port}/bucket/x.tar?sig=PLANTED"
    run = pipeline(url, QUICK).stream()
    assert list(run) == []
    assert run.report.losses
    assert b"PLANTED" not in pickle.dumps(run.report.to_dict()) + pickle.dumps(run.state_dict())
    assert b"PLANTED" not in pickle.dumps([run.report.losses, run.report.notes])


def test_another_query_is_the_same_shard(s3, moto_port):
    """A run over presigned URLs goes on when they were signed anew."""
    s3.put("checkpoint/anew/0.tar", shard(9))
    options = {"batch_size": 2}
    with pipeline(f"{signed(moto_port, 'checkpoint/anew/0.tar')[0]}&x=1", **options).stream() as run:
        before = paths([next(run), next(run)])
        state = run.state_dict()
    again = pipeline(f"{signed(moto_port, 'checkpoint/anew/0.tar')[0]}&x=2", **options).stream()
    again.load_state_dict(state)
    assert len({*before, *paths(again)}) == 9
    assert again.report.images_delivered == 9


def test_two_runs_on_one_object(stored):
    """The second of two runs that write one object is told, naming both, and the first one goes on."""
    target = stored.url(f"two-{time.monotonic_ns()}.json")
    with made(stored, batch_size=7).stream(checkpoint_path=target) as run:
        next(run)
        run.commit()
    first, second = (made(stored, batch_size=7).stream(checkpoint_path=target) for _ in range(2))
    for run in (first, second):
        next(run)
    first.commit()
    with pytest.raises(CheckpointTakenError, match=r"two-\d+\.json: another run .*process \d+ on .*process"):
        second.commit()
    with pytest.raises(CheckpointTakenError):
        second.close()
    first.commit()
    list(first)
    assert paths(made(stored).stream(checkpoint_path=target)) == []


def test_a_bucket_that_cannot_be_written_is_found_out_first(s3, proxy):
    """Where nothing is yet, a refused write ends the run before its first batch."""
    s3.put("checkpoint/course/0.tar", shard(20))
    behind = s3.at(proxy.port)
    run = pipeline(behind.url("checkpoint/course"), {**behind.storage_options, **QUICK})
    proxy.add(fault.status(403, "Forbidden", "AccessDenied"), lambda request: request.method == "PUT")
    with pytest.raises(CheckpointWriteError, match=r"denied\.json: the checkpoint cannot be written: access"):
        next(run.stream(checkpoint_path=behind.url("denied.json")))


def test_a_run_that_fails_at_once_blocks_nobody(s3):
    """A run that fails before its first batch leaves an object that any other options may go on with."""
    s3.put("checkpoint/course/0.tar", shard(20))
    target = s3.url(f"blocks-{time.monotonic_ns()}.json")
    nowhere = pipeline(s3.url("checkpoint/nowhere"), s3.storage_options, max_pixels=9)
    with pytest.raises(InputMissingError):
        list(nowhere.stream(checkpoint_path=target))
    right = pipeline(s3.url("checkpoint/course/0.tar"), s3.storage_options)
    assert len(paths(right.stream(checkpoint_path=target))) == 20


def test_a_store_without_conditions_is_asked_before(s3, proxy):
    """Where a store knows no conditional writes, what is there is compared right before."""
    s3.put("checkpoint/course/0.tar", shard(20))
    behind = s3.at(proxy.port)
    target = behind.url(f"old-{time.monotonic_ns()}.json")
    folder = behind.url("checkpoint/course/0.tar")
    rule = fault.status(501, "Not Implemented", "NotImplemented")
    proxy.add(rule, is_conditional)
    made = pipeline(folder, {**behind.storage_options, **QUICK}, batch_size=2)
    with made.stream(checkpoint_path=target) as first:
        second = made.stream(checkpoint_path=target)
        next(first)
        first.commit()
        with pytest.raises(CheckpointTakenError):
            next(second)
        next(first)
        first.commit()
    assert made.stream(checkpoint_path=target).report.images_delivered == 4


def is_conditional(request):
    """Whether a request writes under a condition."""
    return request.method == "PUT" and any(
        name in request.head.lower() for name in (b"if-match:", b"if-none-match:")
    )


def test_an_answer_that_was_lost_is_no_other_run(s3, proxy):
    """A write that came, and whose answer did not, is made again and is not taken for another run's."""
    s3.put("checkpoint/course/0.tar", shard(20))
    behind = s3.at(proxy.port)
    target = behind.url(f"lost-{time.monotonic_ns()}.json")
    made = pipeline(behind.url("checkpoint/course/0.tar"), {**behind.storage_options, **QUICK}, batch_size=2)
    with made.stream(checkpoint_path=target) as run:
        next(run)
        proxy.add(fault.lose_answer, lambda request: request.method == "PUT", times=1)
        run.commit()
    assert made.stream(checkpoint_path=target).report.images_delivered == 2


def test_a_place_that_cannot_be_used_is_an_error(s3):
    """A bucket that is not there is said before anything is read."""
    s3.put("checkpoint/course/0.tar", shard(20))
    made = pipeline(s3.url("checkpoint/course"), s3.storage_options)
    with pytest.raises(CheckpointError, match=r"s3://nobody-has-this/c\.json.*no bucket"):
        made.stream(checkpoint_path="s3://nobody-has-this/c.json")


@pytest.mark.parametrize("answer", [fault.status(403, "Forbidden", "AccessDenied"), fault.status(500, "Oh")])
def test_a_refused_write_ends_the_run(s3, proxy, answer):
    """A checkpoint that the bucket refuses, or cannot take, ends the run with an error that names it."""
    s3.put("checkpoint/course/0.tar", shard(20))
    behind = s3.at(proxy.port)
    made = pipeline(behind.url("checkpoint/course"), {**behind.storage_options, **QUICK}, batch_size=2)
    run = made.stream(checkpoint_path=behind.url("refused.json"))
    next(run)
    proxy.add(answer, lambda request: request.method == "PUT")
    named = r"^s3://bucket/refused\.json: the checkpoint cannot be written: (access|the server)"
    with pytest.raises(CheckpointWriteError, match=named):
        run.commit()
    with pytest.raises(CheckpointWriteError, match=named):
        run.close()


def test_a_write_is_repeated(s3, proxy):
    """A write that fails for a while is made again, and what is kept is whole."""
    s3.put("checkpoint/again/0.tar", shard(6))
    behind = s3.at(proxy.port)
    made = pipeline(behind.url("checkpoint/again"), {**behind.storage_options, **QUICK}, batch_size=2)
    target = behind.url(f"again-{time.monotonic_ns()}.json")
    with made.stream(checkpoint_path=target) as run:
        next(run)
        proxy.add(fault.status(503, "Slow Down", "SlowDown"), times=2)
        run.commit()
    rest = made.stream(checkpoint_path=target)
    assert (rest.report.images_delivered, len(paths(rest))) == (2, 4)


def test_something_else_is_no_checkpoint(s3):
    """An object that is no checkpoint is refused, and left as it is."""
    s3.put("checkpoint/course/0.tar", shard(20))
    s3.put("shard.json", shard(5))
    with pytest.raises(CheckpointError, match=r"s3://bucket/shard\.json: not a checkpoint"):
        pipeline(s3.url("checkpoint/course"), s3.storage_options).stream(checkpoint_path=s3.url("shard.json"))


def test_the_command_keeps_it_in_a_bucket(s3, monkeypatch):
    """`--checkpoint` takes the URL of an object, with the credentials of the environment."""
    s3.put("checkpoint/command/0.tar", shard(5))
    options = s3.storage_options
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", options["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", options["secret_access_key"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", options["endpoint"])
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    target = s3.url(f"checkpoint/state/{time.monotonic_ns()}.json")
    for said in ("5 of 5 images delivered", "the run was finished before"):
        ran = run_in_pipes(["-m", "tarlight", "load", s3.url("checkpoint/command"), "--checkpoint", target])
        assert ran.code == 0
        assert said in ran.err
