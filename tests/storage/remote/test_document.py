"""One small object that is written as a whole, where the server does not do its part."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tarlight.errors import InputMissingError, ShardReadError
from tarlight.storage.remote.document import RemoteDocument


class Refusing(BaseHTTPRequestHandler):
    """Knows no object, and answers what is put there with the status of its server."""

    def do_GET(self):
        """Nothing is there."""
        self._answer(404)

    do_HEAD = do_GET  # noqa: N815 (the name of the protocol's word)

    def do_PUT(self):
        """Nothing gets there."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.status)

    def _answer(self, status):
        self.server.num_requests += 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize(("status", "error"), [(404, InputMissingError), (412, ShardReadError)])
def test_a_server_that_takes_nothing_is_not_asked_for_ever(status, error):
    """Where nothing is, and nothing can be put there either, a write ends after a few requests."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.status, server.num_requests = status, 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        options = {
            "endpoint_url": f"http://127.0.0.1:{server.server_port}",
            "allow_http": True,
            "region": "us-east-1",
            "access_key_id": "any",
            "secret_access_key": "any",
        }
        try:
            document = RemoteDocument("s3://bucket/checkpoint.json", options)
            assert document.read() is None
            with pytest.raises(error):
                document.claim(b"{}")
        finally:
            server.shutdown()
            thread.join()
    assert server.num_requests <= 12
