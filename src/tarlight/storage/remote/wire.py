"""What goes over the wire: the seam between the client library and the download engine.

A `Client` makes one request and never repeats it; whoever calls decides about retries. Everything that goes
wrong is a `Fault`, which holds no credentials and no text of the client library.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from typing_extensions import Buffer


class FaultKind(StrEnum):
    """What a failed request comes down to."""

    MISSING = "missing"
    NO_BUCKET = "no_bucket"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    WRONG_REGION = "wrong_region"
    CHANGED = "changed"
    """A precondition failed: the object is not the one that was asked for."""
    NO_RANGES = "no_ranges"
    """The whole object came where a range was asked for."""
    NO_SUCH_RANGE = "no_such_range"
    UNREACHABLE = "unreachable"
    """No connection: name, address or TLS."""
    BUSY = "busy"
    """429, or 503 as S3 says it."""
    SERVER = "server"
    """5xx."""
    BROKEN = "broken"
    """A reset, a stall, a body that is too short or too long."""
    REFUSED = "refused"
    """Any other answer that is no success."""


TRANSIENT = frozenset({FaultKind.BUSY, FaultKind.SERVER, FaultKind.BROKEN})


class ObjectFacts(NamedTuple):
    """What a server says of one object."""

    key: str
    """Its name within the bucket or host."""
    size: int
    """Bytes as stored."""
    etag: str
    """Its ETag without quotes, else its last modification as text; empty where the server tells neither."""
    generation: str = ""
    """What Google's store compares instead of an ETag when an object is replaced; empty elsewhere."""


class Fault(Exception):  # noqa: N818 (on its way to becoming one of our errors)
    """One request that failed."""

    def __init__(
        self, kind: FaultKind, detail: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        """What it comes down to."""
        self.detail = detail
        """What the server or the network said, for people; without credentials."""
        self.status = status
        """HTTP status, where there was an answer."""
        self.retry_after_s = retry_after_s
        """Seconds that the server asked us to wait, where it did and the client library tells."""

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in TRANSIENT


class Answer(Protocol):
    """An answer whose body has not been read yet."""

    @property
    def facts(self) -> ObjectFacts:
        """The whole object's facts."""

    @property
    def start(self) -> int:
        """First byte of the body within the object."""

    @property
    def end(self) -> int:
        """The byte after the body's last, as the server announced it."""

    def pieces(self, num_bytes: int) -> AsyncIterator[Buffer]:
        """Yield the body in pieces of at least `num_bytes`, the last one excepted. Raises `Fault`."""


class Client(Protocol):
    """Makes requests to one bucket or host. For one event loop of one process."""

    async def get(self, key: str, start: int, end: int, etag: str = "") -> Answer:
        """Ask for a range; only of the object with that ETag, where one is given. Raises `Fault`."""

    async def get_whole(self, key: str) -> Answer:
        """Ask for the whole object, for servers without ranges. Raises `Fault`."""

    async def head(self, key: str) -> ObjectFacts:
        """Ask for an object's facts. Raises `Fault`."""

    async def put(self, key: str, data: bytes, over: ObjectFacts | None) -> ObjectFacts:
        """Write an object by one request in place of `over`, or where nothing is.

        Raises `Fault`, CHANGED where something else is there.
        """

    def pages(self, prefix: str, offset: str = "") -> Iterator[Sequence[ObjectFacts]]:
        """Yield all objects whose key begins with `prefix`, a page at a time, in the store's order.

        `offset`: only keys after this one. Raises `Fault`.
        """
