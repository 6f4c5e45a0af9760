"""A real S3 protocol server, and a web server that answers as it is told; both on free loopback ports."""

from __future__ import annotations

import http.server
import os
import threading
import urllib.request
import warnings

import pytest

CLOSED = "http://127.0.0.1:1"
"""Nobody listens on this port, and nobody may without being root."""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path_factory):
    """No credentials of whoever runs the tests, and no way out to the services of a machine."""
    for name in os.environ:
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "MSI_", "IDENTITY_")) or "proxy" in name.lower():
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", CLOSED)


class Bucket:
    """A bucket on moto's S3 server."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint = endpoint
        self.name = name
        self.url = f"s3://{name}"
        self.options = {"endpoint_url": endpoint, "key": "a", "secret": "b", "region": "us-east-1"}
        self._put("")

    def put(self, key: str, body: bytes = b"x" * 512) -> str:
        """Store an object, and return its URL."""
        self._put(f"/{key}", body)
        return f"{self.url}/{key}"

    def _put(self, path: str, body: bytes = b"") -> None:
        request = urllib.request.Request(f"{self.endpoint}/{self.name}{path}", data=body, method="PUT")
        # Moto lets a request that names a key pass, and does not check signatures.
        request.add_header(
            "Authorization", "AWS4-HMAC-SHA256 Credential=a/20300101/us-east-1/s3/aws4_request"
        )
        request.add_header("Content-Type", "application/octet-stream")  # else it is read as a form
        urllib.request.urlopen(request).close()


@pytest.fixture(scope="session")
def s3_endpoint():
    """The URL of moto's server, without a bucket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 (importing it warns)

        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint, request):
    """A bucket of the test's own."""
    return Bucket(s3_endpoint, f"b{abs(hash(request.node.nodeid)):x}"[:40])


class Answers(http.server.ThreadingHTTPServer):
    """A server that gives the same answer to every request, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.status, self.headers, self.body = 200, {}, b""
        self.break_off = False
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer like this from now on."""
        self.status, self.body, self.headers = status, body, headers


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answers

    def do_GET(self):
        self.server.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        if self.server.break_off:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.body)

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 (the names that http.server calls)

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture
def server():
    """A web server that answers as it is told."""
    with Answers() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()
