"""One stretch of bytes out of the middle of an object, such as one image."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tarlight.storage.remote.plan import DEFAULT_PLAN, Plan
from tarlight.storage.remote.wire import Fault, FaultKind

if TYPE_CHECKING:
    from tarlight.storage.remote.part import Fetcher, Part


class Collected:
    """A sink that keeps everything, wherever it lies in the object."""

    def __init__(self) -> None:
        self._pieces: dict[int, bytes] = {}

    async def room(self, part: Part) -> None:
        """There is always room: the caller asked for all of it."""

    def deliver(self, part: Part, piece: bytes) -> None:
        """Keep the piece at `part.position`."""
        self._pieces[part.position] = piece

    def join(self) -> bytes:
        """Return everything in the order of the object."""
        return b"".join(self._pieces[offset] for offset in sorted(self._pieces))


async def read_range(fetcher: Fetcher, offset: int, size: int, plan: Plan = DEFAULT_PLAN) -> bytes:
    """Return the `size` bytes from `offset` on: by one request, or by several at once for a long stretch.

    Raises:
        Fault: they are not all there, or nothing helped.
    """
    if not size:
        return b""
    collected, several = Collected(), asyncio.Semaphore(plan.max_requests)

    async def fetch(part: Part) -> None:
        async with several:
            await fetcher.fetch(part, collected)

    tasks = [asyncio.create_task(fetch(part)) for part in plan.rest(offset, offset + size)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    data = collected.join()
    if len(data) != size:
        raise Fault(FaultKind.NO_SUCH_RANGE, f"bytes {offset} to {offset + size} do not lie in it")
    return data
