"""One range of one object: asked for until every byte is there, or nothing helps.

Strategy: what has been delivered is never asked for again, a repetition begins at the byte that is missing.
The first answer pins the object: every later one must be of the same size and ETag. Nothing that a server
says about lengths is believed, bytes are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tarlight.storage.remote.patience import Patience
from tarlight.storage.remote.wire import Fault, FaultKind, ObjectFacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from typing_extensions import Buffer

    from tarlight.storage.remote.origin import Origin, Tally
    from tarlight.storage.remote.policy import RetryPolicy
    from tarlight.storage.remote.wire import Answer

T = TypeVar("T")

READ_BYTES = 256 * 1024
"""Bytes that a read of the network waits for at least. CPU ms for a MiB through obstore over loopback: 1.03
at 256 KiB (where it gives pieces of about 400 KiB), 0.89 at 512 KiB, 0.83 at 1 MiB, 1.04 at 4 MiB. A read
that takes longer than the read time-out counts as a stall: connections below 9 KB/s are given up."""


MAX_WHOLE = 2
"""Whole answers to requests for a range after which it is asked for at once, without a wait."""


class Part:
    """A range on its way. For the loop's thread."""

    def __init__(self, start: int, end: int, *, is_open: bool = False) -> None:
        self.start = start
        """Its first byte."""
        self.end = end
        """The byte after its last."""
        self.position = start
        """The first byte that is missing."""
        self.is_open = is_open
        """Whether it goes on to the object's end where the server gives everything at once."""
        self.reserved = 0
        """Bytes taken from the window, and not yet filled by delivered ones."""

    @property
    def num_missing(self) -> int:
        """Bytes still to come."""
        return self.end - self.position


class Sink(Protocol):
    """Where the bytes of a part go."""

    async def room(self, part: Part) -> None:
        """Wait until there is room for what comes next."""

    def deliver(self, part: Part, piece: bytes) -> None:
        """Take the piece at `part.position`."""


class Fetcher:
    """Fetches ranges of one object, all of one version. For the loop's thread."""

    def __init__(
        self,
        origin: Origin,
        key: str,
        policy: RetryPolicy,
        tally: Tally,
        *,
        etag: str = "",
        size: int | None = None,
        on_pin: Callable[[ObjectFacts], None] | None = None,
    ) -> None:
        self.facts: ObjectFacts | None = None
        """Size and ETag of the version that is read; None before the first answer."""
        self.pinned = asyncio.Event()
        """Set when `facts` are known, or never will be."""
        self._origin = origin
        self._key = key
        self._policy = policy
        self._tally = tally
        self._etag = etag
        self._size = size
        self._on_pin = on_pin

    async def fetch(self, part: Part, sink: Sink) -> None:
        """Bring all that is missing of `part`, and shorten it where the object ends.

        A server without ranges makes it as long as the object, and gets asked for everything at once.

        Raises:
            Fault: nothing helped; `part.position` is the byte that did not come.
        """
        patience = Patience(self._policy, self._origin)
        while True:
            before = part.position
            try:
                await self._attempt(part, sink)
            except Fault as fault:
                if self.facts is not None and not part.num_missing:
                    return  # what broke after the last byte costs nothing
                if self._learns_of_ranges(fault, patience):
                    continue
                meant = self._judge(fault)
                wait_s = patience.wait_s(meant, has_progress=part.position > before)
                self._tally.count(meant)
                await asyncio.sleep(wait_s)
            else:
                return

    async def _attempt(self, part: Part, sink: Sink) -> None:
        is_whole = self._origin.gives_ranges is False
        try:
            answer = await self._ask(part, is_whole=is_whole)
        except Fault as fault:
            if not (self._may_be_empty(fault) and await self._is_empty(part)):
                raise
            return
        self._accept(answer, part, is_whole=is_whole)
        if is_whole:
            await self._receive(_from(answer, part.position, part.end), part, sink)
        else:
            await self._receive(answer.pieces(READ_BYTES), part, sink)

    async def _ask(self, part: Part, *, is_whole: bool) -> Answer:
        client = self._origin.client
        if is_whole:
            return await self._soon(client.get_whole(self._key))
        return await self._soon(client.get(self._key, part.position, part.end, self._etag))

    async def _soon(self, asking: Coroutine[Any, Any, T]) -> T:
        """Make a request whose answer must begin in time."""
        self._tally.num_requests += 1
        limit_s = self._policy.connect_timeout_s + self._policy.read_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await asking
        except TimeoutError:
            raise Fault(FaultKind.BROKEN, f"no answer came for {limit_s:g} s") from None

    def _accept(self, answer: Answer, part: Part, *, is_whole: bool) -> None:
        """Check an answer before its body is read, and pin the object by the first."""
        self._origin.has_answered = True
        facts = answer.facts
        if (self._etag and facts.etag != self._etag) or self._size not in {None, facts.size}:
            raise Fault(FaultKind.CHANGED, "the server has another version of it now")
        start = 0 if is_whole else part.position
        end = facts.size if is_whole else min(part.end, facts.size)
        if (answer.start, answer.end) != (start, end):
            came = f"bytes {answer.start} to {answer.end} came"
            raise Fault(FaultKind.BROKEN, f"{came} where {start} to {end} were asked for")
        if not is_whole:
            self._origin.gives_ranges = True
        part.end = end if part.is_open else min(part.end, end)
        self._pin(facts)

    def _pin(self, facts: ObjectFacts) -> None:
        if self.facts is None:
            self.facts, self._etag, self._size = facts, facts.etag, facts.size
            if self._on_pin is not None:
                self._on_pin(facts)
            self.pinned.set()

    async def _receive(self, pieces: AsyncIterator[Buffer], part: Part, sink: Sink) -> None:
        """Deliver a body that begins at the byte that is missing."""
        try:
            await sink.room(part)
            while (piece := await self._next(pieces)) is not None:
                data = bytes(piece)
                if len(data) > part.num_missing:
                    raise Fault(FaultKind.BROKEN, "more bytes came than were announced")
                if data:
                    sink.deliver(part, data)
                    part.position += len(data)
                    await sink.room(part)
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()
        if part.num_missing:
            raise Fault(FaultKind.BROKEN, f"the answer ended {part.num_missing} bytes early")

    async def _next(self, pieces: AsyncIterator[Buffer]) -> Buffer | None:
        try:
            async with asyncio.timeout(self._policy.read_timeout_s):
                return await anext(pieces, None)
        except TimeoutError:
            detail = f"no data came for {self._policy.read_timeout_s:g} s"
            raise Fault(FaultKind.BROKEN, detail) from None

    def _may_be_empty(self, fault: Fault) -> bool:
        """Whether there may be no range to give because there is no byte."""
        if fault.kind is FaultKind.NO_RANGES:
            has_ranges = not self._origin.may_lack_ranges or self._origin.gives_ranges is True
            return self._size is None and has_ranges
        return fault.kind is FaultKind.NO_SUCH_RANGE and self._size is None

    async def _is_empty(self, part: Part) -> bool:
        client = self._origin.client
        if self._origin.may_lack_ranges:  # where a presigned URL may allow GET and refuse HEAD
            facts = (await self._soon(client.get_whole(self._key))).facts
        else:
            facts = await self._soon(client.head(self._key))
        if facts.size or self._etag not in {"", facts.etag}:
            return False
        part.end = 0
        self._pin(facts)
        return True

    def _learns_of_ranges(self, fault: Fault, patience: Patience) -> bool:
        """Whether a host only showed that it gives no ranges: asked once more, then for everything."""
        origin = self._origin
        if fault.kind is not FaultKind.NO_RANGES or not origin.may_lack_ranges or origin.gives_ranges:
            return False
        origin.has_answered = True
        patience.num_whole += 1
        if patience.num_whole > 1:
            origin.gives_ranges = False
        return patience.num_whole <= MAX_WHOLE

    def _judge(self, fault: Fault) -> Fault:
        """Return what a fault means, in the light of what is known of the object and its host."""
        is_gone = fault.kind is FaultKind.MISSING and self.facts is not None
        if is_gone or (fault.kind is FaultKind.NO_SUCH_RANGE and self._size is not None):
            return Fault(FaultKind.CHANGED, fault.detail, status=fault.status)
        if fault.kind is not FaultKind.UNREACHABLE:
            self._origin.has_answered = True
        elif self._origin.has_answered:
            return Fault(FaultKind.BROKEN, fault.detail)
        if fault.kind is FaultKind.NO_RANGES:
            return Fault(FaultKind.BROKEN, fault.detail, status=fault.status)
        return fault


async def _from(answer: Answer, start: int, end: int) -> AsyncGenerator[bytes, None]:
    """Yield what lies between `start` and `end` of a whole object."""
    at = 0
    async for piece in answer.pieces(READ_BYTES):
        data = bytes(piece)
        begin, at = at, at + len(data)
        # Also when it is empty: each piece is a sign of life.
        yield data[max(0, start - begin) : None if end == answer.end else max(0, end - begin)]
        if at >= end < answer.end:
            return
