"""A real web server that gives ranges of files in memory, and fails as it is told to."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections import deque
from contextlib import contextmanager

FAST = {"retry_config": {"max_retries": 3, "backoff": {"init_backoff": 0.01, "max_backoff": 0.02}}}
"""Storage options with short waits."""


class Ranges(http.server.ThreadingHTTPServer):
    """Files by path; what goes wrong with the next requests of a path: a status, or how a body is sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files, self.etags, self.troubles = {}, {}, {}
        self.requests = []
        self.going_on = threading.Event()

    def put(self, name, body, etag=None):
        """Give a file, by default with its MD5 as ETag; returns its URL."""
        self.files[f"/{name}"] = body
        self.etags[f"/{name}"] = etag or hashlib.md5(body).hexdigest()
        return f"{self.url}/{name}"

    def spoil(self, name, *troubles):
        """Let the next requests for a file go wrong."""
        self.troubles[f"/{name}"] = deque(troubles)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        files = self.server
        files.requests.append((self.command, self.path, self.headers.get("Range", "")))
        script = files.troubles.get(self.path)
        trouble = script.popleft() if script else None
        if isinstance(trouble, int) or self.path not in files.files:
            self.send_response(trouble or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, etag = files.files[self.path], f'"{files.etags[self.path]}"'
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last) + 1, len(body))
        stale = self.headers.get("If-Match", etag) != etag
        self.send_response(412 if stale else 206)
        self.send_header("ETag", etag)
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        self.send_header("Content-Length", str(0 if stale else end - start))
        self.end_headers()
        if not stale:
            self._send(body[start:end], trouble)

    def _send(self, data, trouble):
        if trouble == "flip":
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        if trouble in {"cut", "stall"}:
            data = data[: len(data) // 2]
        self.wfile.write(data)
        if trouble == "stall":
            self.wfile.flush()
            self.server.going_on.wait(60)
        if trouble in {"cut", "stall"}:
            self.close_connection = True

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    """Run a server of ranges."""
    with Ranges() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.going_on.set()
            server.shutdown()
            thread.join()
