"""What cannot work is one clear error at once: what, where, what to try; not minutes of retries."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tarlight.errors import InputDeniedError, InputError, InputMissingError, TarlightError
from tests.servers import fault
from tests.servers.process import HOST, free_port
from tests.servers.proxy import Proxy

from .dataset import load, small

REFUSED = {
    "403": (fault.status(403, "Forbidden", "AccessDenied"), InputDeniedError, "s3://bucket/refused"),
    "wrong key": (
        fault.status(403, "Forbidden", "InvalidAccessKeyId"),
        InputDeniedError,
        "s3://bucket/refused",
    ),
    "bad signature": (
        fault.status(403, "Forbidden", "SignatureDoesNotMatch"),
        InputDeniedError,
        "s3://bucket",
    ),
    "401": (fault.status(401, "Unauthorized", "Unauthorized"), InputDeniedError, "s3://bucket/refused"),
    "404": (fault.status(404, "Not Found", "NoSuchKey"), InputMissingError, "s3://bucket/refused"),
    "no bucket": (fault.status(404, "Not Found", "NoSuchBucket"), InputMissingError, "bucket"),
    "redirect": (fault.status(301, "Moved Permanently", "PermanentRedirect"), TarlightError, "region"),
    "wrong region": (
        fault.status(400, "Bad Request", "AuthorizationHeaderMalformed"),
        TarlightError,
        "region",
    ),
    "501": (fault.status(400, "Bad Request", "InvalidRequest"), TarlightError, "s3://bucket/refused"),
}


@pytest.fixture
def front(s3, proxy):
    """A shard behind a proxy, waits as long as by default."""
    s3.put("refused/00.tar", small())
    return s3.at(proxy.port)


@pytest.mark.parametrize("place", ["list", "first range"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_one_error_at_once(front, proxy, name, place):
    """What a server refuses is one error with the place in it, after a request or two."""
    play, kind, words = REFUSED[name]
    proxy.add(play, lambda request: request.is_listing == (place == "list"))
    with pytest.raises(kind, match=words) as caught:
        load(front.url("refused"), front.storage_options, on_error="raise")
    assert str(caught.value).count("\n") == 0
    assert len(proxy.requests) <= 4


def test_a_bucket_that_is_not_there(s3):
    """A bucket that the server does not know is named, as a bucket."""
    with pytest.raises(InputMissingError, match=r"nowhere.*bucket|bucket.*nowhere"):
        load("s3://nowhere/prefix", s3.storage_options)


def test_an_object_that_is_not_there(bucket):
    """A shard that the store does not have is named."""
    with pytest.raises(InputMissingError, match=r"not/there\.tar"):
        load(bucket.url("not/there.tar"), bucket.storage_options)


def test_a_container_that_is_not_there(azure):
    """A container that the account does not have is named."""
    with pytest.raises(InputMissingError, match="nowhere"):
        load("az://nowhere/prefix", azure.storage_options)


def test_wrong_keys(azure):
    """A key that is not the account's is a denial."""
    options = {**azure.storage_options, "account_key": "bm90IHRoZSBrZXk="}
    with pytest.raises(InputDeniedError, match="az://container"):
        load(azure.url("prefix"), options)


def test_a_page_that_is_not_there(web):
    """A shard that a web server does not have is named when it is opened."""
    with pytest.raises(InputMissingError, match=r"not/there\.tar"):
        load(web.url("not/there.tar"), on_error="raise")


def test_a_host_that_does_not_answer(server):
    """An endpoint where nobody listens is an error that says so."""
    gone = server.at(free_port())
    with pytest.raises(InputError, match=r"00\.tar: the server cannot be reached"):
        load(gone.url("some/00.tar"), gone.storage_options, on_error="raise")


def test_no_credentials(front, proxy):
    """Without any credentials the error says where they may come from, and soon."""
    nobody = f"http://{HOST}:{free_port()}"
    code = (
        "from tests.remote.dataset import load\n"
        f"load({front.url('refused')!r}, {{'endpoint': 'http://{HOST}:{proxy.port}', 'region': 'us-east-1',"
        f" 'metadata_endpoint': {nobody!r}}})"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, "-c", code]
    environment = {
        **clean,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "HOME": "/nowhere",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert re.search(r"^tarlight\.errors\.CredentialsError: .*credentials", done.stderr, re.MULTILINE)
    assert not proxy.gets()


def test_the_command_ends_with_3(s3):
    """`tarlight load` of what is not there ends with exit code 3 and one line that names it."""
    options = s3.storage_options
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": options["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": options["secret_access_key"],
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": options["endpoint"],
    }
    command = [sys.executable, "-m", "tarlight", "load", "s3://bucket/no/such/folder"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "s3://bucket/no/such/folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_web_server_that_denies(web):
    """A 403 of a web server is a denial, in one request."""
    web.put("denied/00.tar", small())
    with Proxy(web.port) as proxy:
        url = web.at(proxy.port).url("denied/00.tar").replace("/files/", "/guarded/")
        with pytest.raises(InputDeniedError, match="guarded/denied"):
            load(url, on_error="raise")
        assert len(proxy.requests) == 1
