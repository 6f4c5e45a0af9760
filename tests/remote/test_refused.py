"""Shards that are missing or denied: holes in a dataset are losses, a wrong address is an error at once."""

from __future__ import annotations

import json
import re
from itertools import islice

import pytest
from typer.testing import CliRunner

from tarlight.cli.app import app
from tarlight.errors import (
    CredentialsError,
    InputDeniedError,
    InputError,
    InputMissingError,
    TooManyFailuresError,
)
from tarlight.executors.local import LocalExecutor
from tarlight.executors.ray import RayExecutor
from tests.servers import fault

from .dataset import MIB, QUICK, pipeline, shard

NUM_SHARDS = 5
PLAYS = {
    404: (fault.status(404, "Not Found", "NoSuchKey"), InputMissingError, "no such object"),
    403: (fault.status(403, "Forbidden", "AccessDenied"), InputDeniedError, "access denied"),
}


@pytest.fixture(params=["local", "ray"])
def executor(request):
    """Give each executor in turn."""
    if request.param == "local":
        return LocalExecutor()
    request.getfixturevalue("small_ray")
    return RayExecutor(preserve_order=True)


@pytest.fixture(scope="module")
def stored(web):
    """Shards on a web server, nine pictures each."""
    for index in range(NUM_SHARDS):
        web.put(f"refused/{index}.tar", shard(9, seed=index))
    return web


@pytest.fixture
def urls(stored, web_proxy):
    """The range that names all of them."""
    return stored.at(web_proxy.port).url("refused") + f"/{{0..{NUM_SHARDS - 1}}}.tar"


def refuse(proxy, play, *numbers):
    """Refuse shards by their numbers."""
    names = tuple(f"/{number}.tar" for number in numbers)
    return proxy.add(play, lambda request: request.target.endswith(names))


def names(batches):
    """Where images come from, in order."""
    return [image.image_path.rpartition("refused/")[2] for batch in batches for image in batch.data]


@pytest.mark.parametrize("status", PLAYS)
def test_a_hole_in_a_range_is_a_loss(urls, web_proxy, tmp_path, executor, status):
    """One URL of a range that is missing or denied is named, left open, and read by the next run."""
    play, _, words = PLAYS[status]
    rule = refuse(web_proxy, play, 2)
    stream = pipeline(urls, QUICK).stream(executor, checkpoint_path=tmp_path / "c.json")
    first = names(stream)
    assert len(first) == 9 * (NUM_SHARDS - 1)
    report = stream.report
    (loss,) = report.losses
    assert (loss.shard[-5:], loss.reason, loss.start, loss.is_sized) == ("2.tar", "read_failed", 0, False)
    assert words in loss.detail
    assert (report.outcome, report.shards_withheld, report.is_balanced) == ("finished", 1, True)
    assert json.loads((tmp_path / "c.json").read_text())["state"]["finished"] is False
    again = pipeline(urls, QUICK).stream(executor, checkpoint_path=tmp_path / "c.json")
    assert (list(again), len(again.report.losses)) == ([], 1)  # it is still not there, though it comes first
    rule.times = rule.num_struck
    again = pipeline(urls, QUICK).stream(executor, checkpoint_path=tmp_path / "c.json")
    assert set(names(again)).isdisjoint(first)
    assert (again.report.images_delivered, len(again.report.losses)) == (9 * NUM_SHARDS, 0)
    assert json.loads((tmp_path / "c.json").read_text())["state"]["finished"] is True


def test_holes_count_as_failures(urls, web_proxy, executor):
    """Shards that are missing count for `max_failures` as many images as those before them held."""
    refuse(web_proxy, PLAYS[404][0], 2, 3)
    assert len(names(pipeline(urls, QUICK, max_failures=18).stream(executor))) == 27
    with pytest.raises(TooManyFailuresError, match="18 failures"):
        list(pipeline(urls, QUICK, max_failures=17).stream(executor))


@pytest.mark.parametrize("status", PLAYS)
def test_raise_names_it(urls, web_proxy, executor, status):
    """With `on_error="raise"` the run ends with an error that names the shard, behind those before it."""
    play, error, words = PLAYS[status]
    refuse(web_proxy, play, 2)
    stream = pipeline(urls, QUICK, on_error="raise").stream(executor)
    assert names(islice(stream, 1))[0] == "0.tar/000000.jpg"
    with pytest.raises(error, match=rf"2\.tar: .*{words}"):
        list(stream)
    assert stream.report.is_balanced


@pytest.mark.parametrize("refused", [[0], range(NUM_SHARDS)], ids=["first", "all"])
@pytest.mark.parametrize("status", PLAYS)
def test_a_wrong_address_is_an_error_at_once(urls, web_proxy, executor, status, refused):
    """A run whose first shard is missing or denied ends there, and says that skipping is for others."""
    play, error, words = PLAYS[status]
    refuse(web_proxy, play, *refused)
    stream = pipeline(urls, QUICK).stream(executor)
    with pytest.raises(error, match=rf"0\.tar: .*{words}.*not without the first one"):
        list(stream)
    assert stream.report.images_delivered == 0
    assert stream.report.is_balanced


def test_who_may_read_nothing_ends_the_run(urls, web_proxy, executor):
    """Credentials that are not valid any more are no hole in the dataset, wherever a run is."""
    refuse(web_proxy, fault.status(401, "Unauthorized", "Unauthorized"), 2, 3, 4)
    stream = pipeline(urls, QUICK).stream(executor)
    with pytest.raises(CredentialsError, match=r"2\.tar: the server wants to know who asks"):
        list(stream)
    assert stream.report.images_delivered < 19
    assert stream.report.is_balanced


def test_a_denial_in_the_middle_costs_the_rest(web, web_proxy):
    """A shard that is denied from its second range on is lost from there, and the next one is read."""
    web.put("midway/0.tar", shard(20, ballast=MIB))
    web.put("midway/1.tar", shard(9, seed=1))
    web_proxy.add(PLAYS[403][0], lambda request: (request.start or 0) > 0)
    stream = pipeline(web.at(web_proxy.port).url("midway") + "/{0..1}.tar", QUICK).stream()
    found = [image.image_path[-17:] for batch in stream for image in batch.data]
    assert 0 < sum("0.tar/" in name for name in found) < 20
    assert sum("1.tar/" in name for name in found) == 9
    (loss,) = stream.report.losses
    assert (loss.shard[-5:], loss.start > 0, stream.report.shards_withheld) == ("0.tar", True, 1)


@pytest.mark.parametrize(("number", "is_error"), [(0, True), (3, False)])
def test_a_listed_object_that_is_denied(s3, proxy, number, is_error):
    """An object that may be listed and not read is a loss behind the first one, and an error as the first."""
    for index in range(NUM_SHARDS):
        s3.put(f"allowed/{index}.tar", shard(9, seed=index))
    refuse(proxy, PLAYS[403][0], number)
    front = s3.at(proxy.port, **QUICK)
    stream = pipeline(front.url("allowed"), front.storage_options).stream()
    if is_error:
        with pytest.raises(InputDeniedError, match="not without the first one"):
            list(stream)
        return
    assert sum(len(batch.data) for batch in stream) == 36
    assert [loss.end for loss in stream.report.losses] == [len(shard(9, seed=3))]


def test_a_host_that_nobody_reaches(urls, tmp_path):
    """Shards of a host out of reach are lost behind those of another one, and an error as the first."""
    gone = "http://127.0.0.1:1/x.tar"
    (tmp_path / "a.tar").write_bytes(shard(9))
    stream = pipeline([str(tmp_path / "a.tar"), gone, urls], QUICK).stream()
    assert sum(len(batch.data) for batch in stream) == 9 + 9 * NUM_SHARDS
    assert [loss.shard for loss in stream.report.losses] == [gone]
    with pytest.raises(InputError, match="cannot be reached"):
        list(pipeline([gone, urls], QUICK).stream())


@pytest.mark.parametrize(
    ("command", "refused", "code"),
    [
        (["load"], [2], 0),
        (["load", "--strict"], [2], 1),
        (["load", "--on-error", "raise"], [2], 3),
        (["load"], [0], 3),
        (["load"], range(NUM_SHARDS), 3),
        (["check"], [2], 3),
        (["explain", "--seconds", "0.2"], [4], 0),
        (["explain", "--seconds", "0.2"], range(NUM_SHARDS), 3),
    ],
)
def test_exit_codes(urls, web_proxy, command, refused, code):
    """A hole in a range is no failure, unless `--strict` says so; a wrong address always is one."""
    refuse(web_proxy, PLAYS[404][0], *refused)
    done = CliRunner().invoke(app, [*command, urls])
    assert done.exit_code == code, done.output
    assert "on_error" not in done.output
    assert re.search(r"refused/\d\.tar", done.output) or code == 0
