"""`tarlight load` of URLs, as people run it."""

from __future__ import annotations

import pytest

from tests.terminal import run_in_pipes

LOAD = ("-m", "tarlight", "load")


def options_of(bucket, **more):
    """The options of a bucket as they are typed."""
    return [
        part
        for name, value in (bucket.options | more).items()
        for part in ("--storage-option", f"{name}={value}")
    ]


def test_options_reach_the_store_and_are_not_shown(bucket):
    """A missing shard exits with 3 after the bucket was asked with the options, whose values nobody sees."""
    url = f"{bucket.url}/no.tar"
    ran = run_in_pipes([*LOAD, url, *options_of(bucket, secret="hush-secret")], TARLIGHT_DEBUG="1")
    assert ran.code == 3
    assert f"{url}: there is no such object" in ran.err
    assert "hush" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("hush-secret", "name=value"),
        ("=hush", "name=value"),
        ("client_kwargs={hush", "begins like JSON"),
        ("sceret=hush", "unknown: sceret"),
        ("anon=hush", "anon must be true or false"),
        ('client_options={"hosh": "hush"}', "unknown: hosh"),
    ],
)
def test_wrong_options_are_usage_errors_without_values(option, says):
    """An option that cannot be read or is not known exits with 2 and shows no value."""
    ran = run_in_pipes([*LOAD, "s3://bucket/a.tar", "--storage-option", option])
    assert ran.code == 2
    assert says in " ".join(ran.err.replace("\u2502", " ").split())
    assert "hush" not in ran.out + ran.err


def test_a_signed_url_is_not_shown(server):
    """The query of a presigned URL is sent, and is in no output of a run that fails."""
    server.say(403)
    ran = run_in_pipes([*LOAD, f"{server.url}/a.tar?X-Amz-Signature=hush", "--json", "-"])
    assert ran.code == 3
    assert "access denied" in ran.err
    assert "hush" not in ran.out + ran.err
    assert server.asked[0][1] == "/a.tar?X-Amz-Signature=hush"
