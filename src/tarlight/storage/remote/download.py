"""One shard out of many range requests, in the order of its bytes.

Strategy: the first range tells size and ETag, and pins all others to them; these are asked for in order, as
far as the window allows. The loop's thread fetches, the reader's takes, and `Arrivals` stands between them.
Every byte that is reserved in the window is given back once: when it is taken, when it does not come, or on
closing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tarlight.errors import ShardChecksumError, ShardReadError
from tarlight.storage.remote.arrival import Arrivals
from tarlight.storage.remote.checksum import Held, Running, verify
from tarlight.storage.remote.failure import error_for
from tarlight.storage.remote.loop import event_loop, submit
from tarlight.storage.remote.origin import Tally
from tarlight.storage.remote.part import Fetcher, Part
from tarlight.storage.remote.plan import DEFAULT_PLAN, Plan
from tarlight.storage.remote.policy import RetryPolicy
from tarlight.storage.remote.wire import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Generator

    from tarlight.errors import TarlightError
    from tarlight.storage.remote.origin import Origin
    from tarlight.storage.remote.window import Window
    from tarlight.storage.remote.wire import ObjectFacts

DEFAULT_POLICY = RetryPolicy()


class Download:
    """One shard on its way. Made and read by one thread; `close` is for any.

    `before` is the download that is read before this one: nothing is asked for until it has asked for
    everything.
    """

    def __init__(
        self,
        origin: Origin,
        key: str,
        url: str,
        window: Window,
        *,
        size: int | None = None,
        etag: str = "",
        policy: RetryPolicy = DEFAULT_POLICY,
        plan: Plan = DEFAULT_PLAN,
        before: Download | None = None,
    ) -> None:
        self.tally = Tally()
        """Requests that were made, and why some were repeated."""
        self._loop = event_loop()
        self._origin = origin
        self._key = key
        self._url = url
        self._window = window
        self._policy = policy
        self._plan = plan
        self._before = before
        self._first = Part(0, plan.first_end(size), is_open=True)
        self._is_one_range = bool(size) and self._first.end == size
        self._fetcher = Fetcher(origin, key, policy, self.tally, etag=etag, on_pin=self._begin)
        self._arrivals = Arrivals()
        self._asked = asyncio.Event()
        self._held: Held | None = None
        self._tasks: dict[asyncio.Task[None], Part] = {}
        self._failed_at: int | None = None
        self._running: Running | None = None
        self._work = submit(self._run())

    def facts(self) -> ObjectFacts:
        """Wait for size and ETag.

        Raises:
            TarlightError: the first answer did not come.
            StoppedError: closed from another thread.
        """
        self._arrivals.wait_for_end()
        facts = self._fetcher.facts
        assert facts is not None  # noqa: S101 (set before the end was announced)
        return facts

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the bytes in order, as they come: one piece at a time beside the window.

        Raises:
            TarlightError: the next byte did not come, or (ShardChangedError) is of another version.
            ShardChecksumError: all came, and they are not those that the ETag is the MD5 of.
            StoppedError: closed from another thread.
        """
        facts = self.facts()
        is_checked = self._held is not None or not facts.size  # no byte can be wrong where there is none
        expected = "" if is_checked else self._origin.checksum(facts.etag)
        self._running = running = Running(expected)
        while piece := self._arrivals.take():
            self._window.release(len(piece))
            running.update(piece)
            yield piece
        again = Fetcher(self._origin, self._key, self._policy, self.tally, etag=facts.etag)
        if not running.settle(self._origin, again, facts.size):
            raise self._mismatch()

    def close(self) -> None:
        """Cancel all requests, let go whoever waits and give the window back. May be called again."""
        self._window.release(self._arrivals.close())
        self._work.cancel()
        if self._running is not None:
            self._running.close()
        with suppress(RuntimeError):  # the program has ended, and the loop with it
            self._loop.call_soon_threadsafe(self._asked.set)

    async def room(self, part: Part) -> None:
        """Reserve room for the next read; the length of a range was reserved before it was asked for."""
        wanted = min(part.num_missing, self._plan.range_bytes)
        if part.reserved < wanted and self._held is None:
            more = wanted - part.reserved
            await self._window.acquire(more, 0)
            part.reserved += more
        if part is self._first and part.reserved >= part.num_missing and self._covers_all():
            self._asked.set()

    def deliver(self, part: Part, piece: bytes) -> None:
        """Take the piece at `part.position`: to whoever reads, or to be checked first."""
        if self._held is not None:
            self._held.add(piece)
        else:
            self._put(part, part.position, piece)

    def _put(self, part: Part, offset: int, piece: bytes) -> None:
        if self._arrivals.put(offset, piece):
            part.reserved -= len(piece)

    async def _run(self) -> None:
        try:
            if self._before is not None:
                await self._before.wait_until_asked()
                self._before = None  # or every shard would keep the one before it
            await self._ask_for_all()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            for task in self._tasks:
                task.cancel()
            self._asked.set()

    async def wait_until_asked(self) -> None:
        """Wait until every range has been asked for, or will not be. For the loop's thread."""
        await self._asked.wait()

    async def _ask_for_all(self) -> None:
        await self._start(self._first)
        self._is_one_range = self._is_one_range and self._origin.gives_ranges is True
        if self._is_one_range:
            self._asked.set()  # or small shards would come one after the other, an answer's latency each
        await self._fetcher.pinned.wait()
        if (facts := self._fetcher.facts) is None or self._covers_all():
            return
        for part in self._plan.rest(self._first.end, facts.size):
            if self._failed_at is not None:
                return
            await self._start(part)
        self._asked.set()

    async def _start(self, part: Part) -> None:
        await self._window.acquire(part.num_missing)
        part.reserved = part.num_missing
        task = asyncio.create_task(self._fetch(part))
        self._tasks[task] = part
        task.add_done_callback(lambda _: self._give_back(part))  # also where it is cancelled before it runs

    def _give_back(self, part: Part) -> None:
        """A part is done: what it has not delivered does not come."""
        self._window.release(part.reserved, 1)
        part.reserved = 0
        self._fetcher.pinned.set()

    def _begin(self, facts: ObjectFacts) -> None:
        """The first answer is there: its size and ETag are what everything goes by."""
        first = self._first
        if self._is_one_range and facts.size > first.reserved:
            # The rest would wait for room behind shards that are read later, and those for this one.
            raise Fault(FaultKind.CHANGED, "it is larger than the listing said")
        if (surplus := first.reserved - first.num_missing) > 0:
            self._window.release(surplus)
            first.reserved -= surplus
        fits = facts.size <= first.reserved
        if (expected := self._origin.checksum(facts.etag)) and facts.size and fits:
            self._held = Held(expected)
        self._arrivals.announce(facts.size)

    def _covers_all(self) -> bool:
        facts = self._fetcher.facts
        return facts is not None and self._first.end == facts.size

    async def _fetch(self, part: Part) -> None:
        try:
            await self._fetcher.fetch(part, self)
            if self._held is not None:
                await self._release_held(part, self._held)
        except Fault as fault:
            self._fail(part, self._explain(fault, part.position))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 (a panic of the client library too: the reader waits)
            self._fail(part, error)

    async def _release_held(self, part: Part, held: Held) -> None:
        async def fetch_again() -> None:
            self.tally.repeats["checksum"] += 1
            part.position = part.start
            await self._fetcher.fetch(part, self)

        if not await verify(held, self._origin, fetch_again, self._policy.max_retries + 1):
            raise self._mismatch()
        offset = 0
        for piece in held.take():
            self._put(part, offset, piece)
            offset += len(piece)

    def _fail(self, part: Part, error: BaseException) -> None:
        """A byte will not come: nothing after it is of use."""
        self._failed_at = part.start
        self._arrivals.fail(0 if self._held is not None else part.position, error)
        for task, other in self._tasks.items():
            if other.start > part.start:
                task.cancel()

    def _explain(self, fault: Fault, position: int) -> TarlightError:
        error = error_for(fault, self._url)
        if not isinstance(error, ShardReadError):
            return error
        return type(error)(f"{error} (at byte {position})")

    def _mismatch(self) -> ShardChecksumError:
        facts = self._fetcher.facts
        return ShardChecksumError(
            f"{self._url}: its bytes are not those that its ETag {facts and facts.etag} is the MD5 of. Check "
            "the network and the stored object, then load this shard again"
        )
