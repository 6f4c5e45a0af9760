"""What has been learned of one bucket or host while reading from it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tarlight.storage.remote.wire import Client, Fault

_MD5 = re.compile("[0-9a-f]{32}")


@dataclass(slots=True)
class Origin:
    """One bucket or host. Written by the loop's thread, and by one reader between its shards."""

    client: Client
    """Makes the requests."""

    name: str
    """What people call it; without credentials."""

    may_lack_ranges: bool
    """True for web servers. S3, GCS and Azure all know ranges: a whole answer of theirs is an error page."""

    gives_ranges: bool | None = None
    """Whether it answers range requests with ranges; None until it has answered one."""

    has_answered: bool = False
    """Whether it can be reached at all."""

    has_md5: bool | None = None
    """Whether its ETags of 32 hex digits are MD5s: proven by one that matched, or False once one was none.
    Under SSE-KMS they look the same and are something else."""

    has_told: bool = False
    """Whether it was noted that they are none."""

    def checksum(self, etag: str) -> str:
        """Return the MD5 that an ETag is taken for, or nothing."""
        return etag if self.has_md5 is not False and _MD5.fullmatch(etag) else ""


@dataclass(slots=True)
class Tally:
    """Requests made for one shard. Written by the loop's thread."""

    num_requests: int = 0
    """All requests, repeated ones included."""

    repeats: Counter[str] = field(default_factory=Counter)
    """Why requests were repeated, and how often: HTTP status or kind of fault."""

    last_retry: tuple[int, str] = (0, "")
    """How many faults made requests be repeated, and what the last one was. May be read by any thread."""

    def count(self, fault: Fault) -> None:
        """A request will be repeated because of this."""
        self.last_retry = self.last_retry[0] + 1, fault.detail
        self.repeats[str(fault.status or fault.kind.value)] += 1

    def describe(self) -> str:
        """Return what to tell people about repetitions; empty without any."""
        total = self.repeats.total()
        causes = ", ".join(f"{cause} x {count}" for cause, count in self.repeats.most_common())
        what = "request was" if total == 1 else "requests were"
        return f"{total} {what} repeated: {causes}" if total else ""
