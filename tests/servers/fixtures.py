"""The servers as fixtures: `s3`, `gcs`, `azure`, `web`; `server` is each in turn, `bucket` each that lists.

One of each a session. A server that is not installed skips its tests by name; under CI=true that fails them
(`tests.skips`).
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.servers import start
from tests.servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.server import Server

BUCKETS = ("s3", "gcs", "azure")
STORES = (*BUCKETS, "web")


@pytest.fixture(scope="session")
def moto_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run moto's S3 server; give its port."""
    with start.moto(tmp_path_factory.mktemp("moto")) as port:
        yield port


@pytest.fixture(scope="session")
def s3(moto_port: int) -> Server:
    """Give a bucket of S3."""
    return start.s3(moto_port)


@pytest.fixture(scope="session")
def gcs(moto_port: int) -> Server:
    """Give a bucket that is spoken to as Google's."""
    return start.gcs(moto_port)


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run Azurite; give a container of its Blob service."""
    if not start.AZURITE.exists() or shutil.which("node") is None:
        pytest.skip("Azurite is not installed: run `make setup`, with npm at hand")
    with start.azure(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run nginx; give a folder that it serves."""
    if start.find_nginx() is None:
        pytest.skip("nginx is not installed: run `make setup` as root, or install it")
    with start.web(tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest) -> Server:
    """Give each of the four stores in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=BUCKETS)
def bucket(request: pytest.FixtureRequest) -> Server:
    """Give each store that lists in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def proxy(s3: Server) -> Iterator[Proxy]:
    """Give a fresh proxy in front of the S3 server."""
    with Proxy(s3.port) as proxy:
        yield proxy


@pytest.fixture
def web_proxy(web: Server) -> Iterator[Proxy]:
    """Give a fresh proxy in front of the web server."""
    with Proxy(web.port) as proxy:
        yield proxy
