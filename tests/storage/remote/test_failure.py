"""Every answer and network error that is mapped becomes one clear error, at once and without secrets."""

from __future__ import annotations

import pickle
import socket
import traceback

import pytest

from tarlight.errors import (
    InputDeniedError,
    InputMissingError,
    InputUnreachableError,
    ShardChangedError,
    ShardReadError,
    TarlightError,
)
from tarlight.storage import RemoteStore, find_shards
from tarlight.storage.remote.failure import error_for, fault_of
from tarlight.storage.remote.wire import Fault, FaultKind

NO_RETRIES = {"retry_config": {"max_retries": 0}}
HUSH = "hunter" + str(2)
"""Put together, so that no line of this file that a traceback shows has it."""


def body(code, message=""):
    """An error as S3 and GCS write it, with things in it that are not to be passed on."""
    text = f"<Error><Code>{code}</Code><Message>{message}</Message><Token>{HUSH}</Token></Error>"
    return text.encode()


ANSWERS = [
    (403, body("AccessDenied"), InputDeniedError, r"access denied \(HTTP 403 Forbidden, AccessDenied"),
    (403, body("InvalidAccessKeyId"), InputDeniedError, "credentials are not valid.*InvalidAccessKeyId"),
    (403, body("SignatureDoesNotMatch"), InputDeniedError, "credentials are not valid.*clock"),
    (400, body("ExpiredToken"), InputDeniedError, "credentials are not valid.*ExpiredToken"),
    (401, b"", InputDeniedError, "credentials are not valid.*401"),
    (404, body("NoSuchKey"), InputMissingError, "no such object"),
    (404, body("NoSuchBucket"), InputMissingError, "no bucket or container s3://bucket "),
    (301, body("PermanentRedirect"), InputDeniedError, "another region"),
    (
        400,
        body("AuthorizationHeaderMalformed", "wrong; expecting 'eu-west-1'"),
        InputDeniedError,
        "another region.*the bucket is in eu-west-1",
    ),
    (503, body("SlowDown"), ShardReadError, "too busy.*503.*max_retries"),
    (429, b"", ShardReadError, "too busy.*429"),
    (500, body("InternalError"), ShardReadError, "server failed.*500"),
    (502, b"", ShardReadError, "server failed.*502 Bad Gateway"),
    (409, body("Weird"), ShardReadError, "HTTP 409 Conflict, Weird"),
]


@pytest.mark.parametrize("shard", ["a.tar", "folder"])
@pytest.mark.parametrize("case", ANSWERS, ids=[case[3][:40] for case in ANSWERS])
def test_answers_of_a_bucket(server, case, shard):
    """Each answer is one error that says what, where and what to do, for a shard and for a folder."""
    status, answer, error, says = case
    server.say(status, answer, x_secret=HUSH)
    options = {"endpoint": server.url, "key": "k", "secret": HUSH, "token": HUSH, **NO_RETRIES}
    with pytest.raises(error, match=says) as caught:
        find_shards(f"s3://bucket/{shard}", storage_options=options)
    assert str(caught.value).startswith("s3://bucket")
    assert HUSH not in "".join(traceback.format_exception(caught.value))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, InputDeniedError, "wants to know who asks.*Authorization"),
        (403, InputDeniedError, "access denied.*headers.*presigned"),
        (404, InputMissingError, "no such object.*presigned URL has to be passed whole"),
        (410, InputMissingError, "no such object"),
        (500, ShardReadError, "server failed"),
    ],
)
def test_answers_of_a_web_server(server, status, error, says):
    """A web server's refusals speak of headers and presigned URLs, and show no query."""
    server.say(status, b"<html>" + HUSH.encode())
    options = {"headers": {"Authorization": HUSH}, **NO_RETRIES}
    with pytest.raises(error, match=says) as caught:
        RemoteStore(options).stat(f"{server.url}/a.tar?X-Amz-Signature={HUSH}")
    assert HUSH not in "".join(traceback.format_exception(caught.value))
    assert str(caught.value).startswith(f"{server.url}/a.tar: ")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"endpoint": "http://127.0.0.1:1"}, InputUnreachableError, "the connection was refused"),
        ({"endpoint": "http://no.such.host.invalid"}, InputUnreachableError, "its name is not known"),
    ],
)
def test_servers_that_cannot_be_reached(options, error, says):
    """A wrong host or port is told at once, without a retry."""
    with pytest.raises(error, match=says) as caught:
        RemoteStore({"key": "k", "secret": HUSH, **options}).stat("s3://bucket/a.tar")
    assert isinstance(caught.value, ConnectionError)
    assert HUSH not in "".join(traceback.format_exception(caught.value))


def test_https_to_a_server_that_speaks_http(server):
    """TLS that nobody answers is told as that."""
    with pytest.raises(InputUnreachableError, match="does not speak TLS"):
        RemoteStore().stat(server.url.replace("http", "https") + "/a.tar")


def test_a_connection_that_is_never_accepted():
    """A server that does not accept connections is unreachable after the connect time-out."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/a.tar"
        with pytest.raises(InputUnreachableError, match="no connection could be made"):
            RemoteStore({"connect_timeout": "300ms"}).stat(url)
        for client in waiting:
            client.close()


def test_a_broken_connection_is_tried_again_and_then_told(server):
    """A server that closes before it answers is asked as often as was asked for."""
    server.break_off = True
    options = {"retry_config": {"max_retries": 2, "backoff": {"init_backoff": "1ms"}}}
    with pytest.raises(ShardReadError, match="closed before the answer"):
        RemoteStore(options).stat(f"{server.url}/a.tar")
    assert len(server.asked) == 3


def test_a_listing_is_tried_again_and_then_told(server):
    """A listing whose server is busy is repeated as often as was asked for, and then told."""
    server.say(503)
    options = {
        "endpoint": server.url,
        "anon": True,
        "retry_config": {"max_retries": 2, "backoff": {"init_backoff": "1ms"}},
    }
    with pytest.raises(ShardReadError, match="too busy"):
        find_shards("s3://bucket/folder", storage_options=options)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("s3://bucket/a.tar", {}),
        ("s3://bucket/folder", {}),
        ("az://container/a.tar", {"account_name": "n", "msi_endpoint": "http://127.0.0.1:1/m"}),
    ],
)
def test_no_credentials_are_told_at_once(url, options):
    """Where the services of a machine give no credentials, the error names anon=True."""
    with pytest.raises(InputDeniedError, match=r"no credentials were found.*anon=True"):
        find_shards(url, storage_options=options)


def test_a_credential_provider_that_fails_is_not_quoted(server):
    """What a provider of credentials raises may hold them, and is not passed on."""

    def provider():
        raise RuntimeError(HUSH)

    with pytest.raises(InputDeniedError, match="no credentials were found") as caught:
        RemoteStore({"credential_provider": provider, "endpoint": server.url}).stat("s3://bucket/a.tar")
    assert HUSH not in "".join(traceback.format_exception(caught.value))


def test_credentials_of_the_environment_are_used_and_not_shown(server, monkeypatch):
    """Keys, token and endpoint come from the environment, and none is in the error."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "env" + HUSH, "AWS_SECRET_ACCESS_KEY": HUSH, "AWS_SESSION_TOKEN": "tok" + HUSH,
        "AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "eu-west-9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    server.say(403, body("InvalidAccessKeyId"))
    with pytest.raises(InputDeniedError) as caught:
        RemoteStore().stat("s3://bucket/a.tar")
    assert HUSH not in "".join(traceback.format_exception(caught.value))
    sent = server.asked[0][2]
    assert f"env{HUSH}/" in sent["authorization"]
    assert "eu-west-9" in sent["authorization"]
    assert sent["x-amz-security-token"] == "tok" + HUSH


def test_keys_that_are_passed_are_used_alone(server, monkeypatch):
    """Passed keys and endpoint go before the environment's, and without its session token."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "other")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    server.say(200, b"x", ETag='"e"')
    RemoteStore({"key": "mine", "secret": "s", "endpoint_url": server.url}).stat("s3://bucket/a.tar")
    assert "Credential=mine/" in server.asked[0][2]["authorization"]
    assert "x-amz-security-token" not in server.asked[0][2]


def test_headers_reach_the_server(server):
    """Headers of storage_options are sent with every request."""
    server.say(206, b"x", Content_Range="bytes 0-0/9", Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")
    shard = RemoteStore({"headers": {"Authorization": "Basic " + HUSH}}).stat(f"{server.url}/a.tar")
    assert server.asked[0][2]["authorization"] == "Basic " + HUSH
    assert shard.version == "9-2015-10-21T07:28:00+00:00"


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("url", ["s3://b/a.tar", "https://u:hush@h/a.tar?sig=hush"])
def test_every_fault_has_its_error(kind, url):
    """Whatever happens there is one error of ours, with the place, and a piece of advice."""
    error = error_for(Fault(kind, "detail"), url)
    assert isinstance(error, TarlightError)
    assert str(error).startswith(("s3://b/a.tar: ", "https://h/a.tar: "))
    assert "hush" not in str(error)
    assert isinstance(error, ShardChangedError) == (kind is FaultKind.CHANGED)


def test_a_text_that_is_not_recognised_is_not_shown():
    """An error of the client library that nobody foresaw keeps its name and none of its text."""
    fault = fault_of(RuntimeError(HUSH))
    assert fault.kind is FaultKind.REFUSED
    assert HUSH not in repr(fault)


def test_a_panic_of_the_client_library_is_a_refusal():
    """A panic, which is no Exception, is our error in a listing, and its text is not passed on."""
    with pytest.raises(ShardReadError, match="cannot work with") as caught:
        list(RemoteStore({"anon": True, "endpoint": f"http://{HUSH}<"}).list("s3://bucket/train"))
    assert HUSH not in "".join(traceback.format_exception(caught.value))
