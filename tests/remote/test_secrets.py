"""Credentials planted in options, URLs and the environment are in no output of a failing run."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
import traceback

import pytest

from tarlight.errors import TarlightError
from tests.servers import fault
from tests.servers.proxy import Proxy
from tests.servers.start import AZURE_ACCOUNT, moto_client

from .dataset import QUICK, pipeline, small

SECRETS = {
    "secret": "PLANTED/secret+key/0123456789abcdefghijk",
    "token": "PLANTED-session-token-XYZ//==",
    "azure": "UExBTlRFRC1henVyZS1rZXktMDEyMzQ1Njc4OWFiY2RlZg==",
    "sas": "sv=2023-11-03&sig=PLANTED%2Fsas%2Fsignature%3D",
    "header": "Bearer PLANTED-header-value",
    "query": "X-Amz-Signature=PLANTEDquerysignature&X-Amz-Credential=PLANTEDcredential",
}
NEEDLES = ("PLANTED", *SECRETS.values())

FAILURES = {
    "echo": fault.echo,
    "500": fault.status(500, "Internal Server Error"),
    "404": fault.status(404, "Not Found", "NoSuchKey"),
    "reset": fault.reset_at_once,
    "error page": fault.error_page,
}


def ways(port):
    """What is planted where: URL and options."""
    endpoint = f"http://127.0.0.1:{port}"
    keys = {"access_key_id": "AKIAPLANTED", "secret_access_key": SECRETS["secret"]}
    azure = {"account_name": AZURE_ACCOUNT, "endpoint": f"{endpoint}/{AZURE_ACCOUNT}"}
    return {
        "s3": ("s3://bucket/x/00.tar", {**keys, "session_token": SECRETS["token"], "endpoint": endpoint}),
        "azure key": ("az://container/x/00.tar", {**azure, "account_key": SECRETS["azure"]}),
        "azure sas": ("az://container/x/00.tar", {**azure, "sas_token": SECRETS["sas"]}),
        "header": (f"{endpoint}/x/00.tar", {"headers": {"Authorization": SECRETS["header"]}}),
        "query": (f"{endpoint}/x/00.tar?{SECRETS['query']}", {}),
    }


def clean(*texts):
    """Fail where a text has a secret in it."""
    for text in texts:
        for needle in NEEDLES:
            assert needle not in text, text


@pytest.fixture
def told(capfd, caplog):
    """Give a function that returns all that was written and logged so far."""
    caplog.set_level(logging.DEBUG)
    return lambda: (caplog.text, *capfd.readouterr())


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(("way", "on_error"), [(way, end) for way in ways(0) for end in ("skip", "raise")])
def test_a_failing_run_tells_no_secret(s3, way, on_error, failure, told):
    """No error, traceback, log at DEBUG, output, ledger or repr of a failing run has a credential."""
    with Proxy(s3.port) as proxy:
        proxy.add(FAILURES[failure])
        url, options = ways(proxy.port)[way]
        made = pipeline(url, {**options, **QUICK}, verbose=True, on_error=on_error)
        clean(repr(made), str(made.describe()), *(f"{stage!r}{stage.describe()}" for stage in made.stages))
        stream = made.stream()
        try:
            list(stream)
        except TarlightError as error:
            clean(str(error), repr(error), "".join(traceback.format_exception(error)))
            clean(str(pickle.loads(pickle.dumps(error))))
        else:
            assert on_error == "skip"
            assert stream.report.losses
    clean(str(stream.report), repr(stream.report), json.dumps(stream.report.to_dict()), repr(stream))
    clean(*told())


@pytest.mark.parametrize("way", ways(0))
def test_refused_options_tell_no_secret(way):
    """An option that is unknown, or of the wrong type, is named without its value."""
    url, options = ways(1)[way]
    for wrong in ({"bogus": "PLANTED"}, {"client_options": "PLANTED"}, {"timeout": ["PLANTED"]}):
        with pytest.raises(TarlightError) as caught:
            pipeline(url, {**options, **wrong})
        clean(str(caught.value), "".join(traceback.format_exception(caught.value)))


def test_images_tell_no_secret(s3, moto_port):
    """Images that came through a presigned URL show and pickle nothing of its query."""
    s3.put("told/00.tar", small())
    url = moto_client(moto_port).generate_presigned_url(
        "get_object", Params={"Bucket": "bucket", "Key": "told/00.tar"}
    )
    signature = url.partition("Signature=")[2].partition("&")[0]
    assert signature
    with pipeline(url).stream() as stream:
        images = [image for batch in stream for image in batch.data]
    assert images
    for image in images:
        assert signature not in repr(image) + repr(image.source) + image.image_path
        assert signature.encode() not in pickle.dumps(image.source)
    assert signature not in str(stream.report) + json.dumps(stream.report.to_dict())


def test_the_command_tells_no_secret(s3, tmp_path):
    """The command, failing with credentials in its environment, writes none to its output or ledger."""
    with Proxy(s3.port) as proxy:
        proxy.add(fault.echo)
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "AKIAPLANTED",
            "AWS_SECRET_ACCESS_KEY": SECRETS["secret"],
            "AWS_SESSION_TOKEN": SECRETS["token"],
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}",
            "RUST_LOG": "trace",
        }
        report = tmp_path / "report.json"
        for url in ("s3://bucket/x", f"http://127.0.0.1:{proxy.port}/x/00.tar?{SECRETS['query']}"):
            command = [sys.executable, "-X", "dev", "-m", "tarlight", "load", url, "--json", str(report)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode in {3, 4}, done.stderr
            clean(done.stdout, done.stderr, report.read_text() if report.exists() else "")
        assert proxy.requests


def test_pickled_stages_are_for_workers_only(s3):
    """A pickled stage has to carry its options; what it shows when unpickled has none of them."""
    url, options = ways(s3.port)["s3"]
    made = pickle.loads(pickle.dumps(pipeline(url, options).stages))
    clean(*(repr(stage) + str(stage.describe()) for stage in made))
