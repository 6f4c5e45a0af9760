"""Starting the servers: moto, Azurite and nginx. Each is a context that gives a `Server`."""

from __future__ import annotations

import base64
import hmac
import itertools
import os
import shutil
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tests.corpus import REPOSITORY
from tests.servers.process import HOST, free_port, running
from tests.servers.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ACCESS_KEY, SECRET_KEY = "AKIAPLANTEDFORTESTS0", "planted+secret/of0the0tests0not0a0key000"
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account and key that Azurite documents; both are public."""
AZURITE = REPOSITORY / ".venv" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
_NGINX_CONFIG = REPOSITORY / "tests" / "servers" / "nginx.conf"


def find_nginx() -> str | None:
    """Return where nginx is; Debian keeps it out of most users' PATH."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def moto_client(port: int) -> Any:
    """Return a boto3 client of moto's server at `port`."""
    import boto3  # noqa: PLC0415 (slow to import, and only these servers need it)

    return boto3.client(
        "s3",
        endpoint_url=f"http://{HOST}:{port}",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
    )


@contextmanager
def moto(folder: Path) -> Iterator[int]:
    """Run moto's server; give its port."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    with running(command, port, folder / "moto.log"):
        yield port


def s3(port: int, bucket: str = "bucket") -> Server:
    """Moto as S3, with keys; the bucket is made."""
    client = moto_client(port)
    client.create_bucket(Bucket=bucket)
    return Server(
        "s3",
        port,
        f"s3://{bucket}",
        lambda key, data: client.put_object(Bucket=bucket, Key=key, Body=data, ACL="public-read"),
        {
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
            "region": "us-east-1",
            "endpoint": f"http://{HOST}:{{port}}",
        },
        beside=lambda name: s3(port, name),
    )


def gcs(port: int, bucket: str = "google") -> Server:
    """Moto as Google's XML interface, without keys: what the client sends is nearly the same."""
    return replace(
        s3(port, bucket),
        name="gcs",
        root=f"gs://{bucket}",
        options={"skip_signature": True, "base_url": f"http://{HOST}:{{port}}"},
        beside=lambda name: gcs(port, name),
    )


@contextmanager
def azure(folder: Path) -> Iterator[Server]:
    """Run Azurite's Blob service with a container named `container`."""
    port = free_port()
    quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--loose"]
    place = ["--blobHost", HOST, "--blobPort", str(port), "--location", str(folder)]
    with running(["node", str(AZURITE), *place, *quiet], port, folder / "azurite.log"):
        yield _container(port, "container", "")


def _container(port: int, name: str, public: str = "container") -> Server:
    """Azurite with a container, which is made; `public` says what anonymous readers may see."""
    import obstore  # noqa: PLC0415 (this and the next import are slow, and only Azurite needs them here)
    from obstore.store import AzureStore  # noqa: PLC0415

    endpoint = f"http://{HOST}:{port}/{AZURE_ACCOUNT}"
    options = {"account_name": AZURE_ACCOUNT, "account_key": AZURE_KEY}
    _make_container(endpoint, name, public)
    store = AzureStore(name, endpoint=endpoint, client_options={"allow_http": True}, **options)
    return Server(
        "azure",
        port,
        f"az://{name}",
        lambda key, data: obstore.put(store, key, data, use_multipart=False),
        {**options, "endpoint": endpoint.replace(str(port), "{port}")},
        beside=lambda name: _container(port, name),
    )


def _make_container(endpoint: str, name: str, public: str) -> None:
    """Make a container with a request signed as the Blob service asks.

    The signature: "Authorize with Shared Key" in the documentation of Azure Storage.
    """
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2023-11-03"}
    if public:
        headers = {"x-ms-blob-public-access": public, **headers}
    signed = "".join(f"{header}:{value}\n" for header, value in headers.items())
    resource = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{name}\nrestype:container"
    text = "PUT" + "\n" * 12 + signed + resource
    digest = hmac.digest(base64.b64decode(AZURE_KEY), text.encode(), "sha256")
    headers["Authorization"] = f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(digest).decode()}"
    url = f"{endpoint}/{name}?restype=container"
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=headers), timeout=30).close()
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.CONFLICT:  # it is there already
            raise


@contextmanager
def web(folder: Path) -> Iterator[Server]:
    """Run nginx; objects are files below `folder`/files. See nginx.conf for the other locations."""
    port = free_port()
    (folder / "files").mkdir()
    config = folder / "nginx.conf"
    text = _NGINX_CONFIG.read_text(encoding="utf-8")
    config.write_text(text.replace("@ROOT@", str(folder)).replace("@PORT@", str(port)), encoding="utf-8")
    command = [find_nginx() or "nginx", "-p", str(folder), "-c", str(config), "-e", "stderr"]
    with running(command, port, folder / "nginx.log"):
        yield Server(
            "web", port, f"http://{HOST}:{{port}}/files", _into(folder / "files"), lists=False, quotes=True
        )


def _into(folder: Path) -> Callable[[str, bytes], None]:
    """Return what writes an object, each a second later than the one before: the ETag counts seconds."""
    seconds = itertools.count(1_700_000_000)

    def put(key: str, data: bytes) -> None:
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f"{target.name}.new")
        fresh.write_bytes(data)
        second = next(seconds)
        os.utime(fresh, (second, second))
        fresh.replace(target)

    return put
