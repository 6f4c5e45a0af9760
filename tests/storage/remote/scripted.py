"""A server in memory, behind the seam that real clients stand behind, which fails as it is told to."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from tarlight.storage.remote.download import Download
from tarlight.storage.remote.origin import Origin
from tarlight.storage.remote.plan import Plan
from tarlight.storage.remote.policy import RetryPolicy
from tarlight.storage.remote.window import Window
from tarlight.storage.remote.wire import Fault, FaultKind, ObjectFacts

FAST = RetryPolicy(
    max_retries=3, first_wait_s=0.001, longest_wait_s=0.004, read_timeout_s=0.5, connect_timeout_s=0.1
)
SMALL = Plan(range_bytes=1000, window_bytes=8000, max_requests=4)


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one request; after `after` bytes of its body, where there is one."""

    kind: str = "none"
    after: int = 0


class Body:
    """An answer; its body may end early, late, never, or with other bytes."""

    def __init__(self, facts, start, end, data, *, trouble, piece_bytes):
        self.facts, self.start, self.end = facts, start, end
        self._data, self._trouble, self._piece_bytes = data, trouble, piece_bytes

    async def pieces(self, num_bytes):
        kind, after = self._trouble.kind, self._trouble.after
        data = self._data
        if kind in {"reset", "short", "stall"}:
            data = data[:after]
        elif kind == "long":
            data += b"more"
        elif kind == "flip" and data:
            at = after % len(data)
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        for at in range(0, len(data), self._piece_bytes):
            await asyncio.sleep(0)
            yield data[at : at + self._piece_bytes]
        if kind == "reset":
            raise Fault(FaultKind.BROKEN, "connection reset")
        if kind == "stall":
            await asyncio.sleep(3600)


STATUS = {
    "busy": Fault(FaultKind.BUSY, "slow down", status=503, retry_after_s=0.002),
    "server": Fault(FaultKind.SERVER, "internal error", status=500),
    "denied": Fault(FaultKind.DENIED, "access denied", status=403),
    "missing": Fault(FaultKind.MISSING, "no such key", status=404),
    "unreachable": Fault(FaultKind.UNREACHABLE, "connection refused"),
    "page": Fault(FaultKind.NO_RANGES, "a whole answer came"),
}


class Server:
    """One object, and what goes wrong with the requests for it, in their order."""

    def __init__(self, body, etag="an-etag", troubles=(), *, piece_bytes=300, ranges=True, for_ever=None):
        self.body, self.etag = body, etag
        self.troubles = deque(troubles)
        self.for_ever = for_ever
        self.piece_bytes = piece_bytes
        self.ranges = ranges
        self.requests = []
        self.changes = {}
        """Number of a request -> (body, etag) from then on."""

    @property
    def facts(self):
        return ObjectFacts("key", len(self.body), self.etag)

    async def get(self, key, start, end, etag=""):
        trouble = self._begin((start, end, etag))
        await asyncio.sleep(0)
        if etag and etag != self.etag:
            raise Fault(FaultKind.CHANGED, "precondition failed", status=412)
        if not self.ranges:
            raise Fault(FaultKind.NO_RANGES, "a whole answer came")
        if start >= len(self.body):
            raise Fault(FaultKind.NO_SUCH_RANGE, "range not satisfiable", status=416)
        end = min(end, len(self.body))
        return Body(
            self.facts, start, end, self.body[start:end], trouble=trouble, piece_bytes=self.piece_bytes
        )

    async def get_whole(self, key):
        trouble = self._begin("whole")
        return Body(self.facts, 0, len(self.body), self.body, trouble=trouble, piece_bytes=self.piece_bytes)

    async def head(self, key):
        self._begin("head")
        return self.facts

    def pages(self, prefix, offset=""):
        yield [self.facts]

    def _begin(self, request):
        self.requests.append(request)
        self.body, self.etag = self.changes.get(len(self.requests), (self.body, self.etag))
        trouble = self.troubles.popleft() if self.troubles else self.for_ever or Trouble()
        if trouble.kind in STATUS:
            raise STATUS[trouble.kind]
        return trouble


def origin(server, *, web=False):
    """What is known of the server: nothing."""
    return Origin(server, "s3://bucket", web)


def download(server, *, of=None, web=False, plan=SMALL, policy=FAST, window=None, **options):
    """Begin to download the object."""
    window = window or Window(plan.window_bytes, plan.max_requests)
    where = of or origin(server, web=web)
    return Download(where, "key", "s3://bucket/key", window, plan=plan, policy=policy, **options)


def fetch(server, **options):
    """Download the object whole."""
    loading = download(server, **options)
    try:
        return b"".join(loading.chunks())
    finally:
        loading.close()


def wait_until_empty(window):
    """Cancelled requests give their bytes back in the loop's thread, a moment after they were cancelled."""
    for _ in range(1000):
        if (window.used_bytes, window.used_requests) == (0, 0):
            return
        time.sleep(0.01)
    raise AssertionError(f"{window.used_bytes} bytes are still out")
