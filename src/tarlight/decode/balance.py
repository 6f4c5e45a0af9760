"""Who decodes what, where a device and CPU cores share the work of one run. No threads in here, and no sleep.

Jobs stand in one queue in tar order. The device's feeders take from the front, as much at once as the device
wants; a free CPU thread takes one job from the back. So neither waits for the other, and the shares follow
the speeds by themselves. What is measured decides only whether a CPU thread may take a job at all: it may
where it will be done before the device has worked off what stands before that job. The last one is needed
last, so a slow core does not hold up the line; and near the end, or where little waits, the device gets all.

Nothing is measured before the run: the device has its first bundle to itself, and then each CPU thread tries
one job. The line can wait for a core in two cases, for one job's time each: that first one, and a core that
becomes slower while it works.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tarlight.decode.protocol import Appetite

Job = TypeVar("Job")

KEPT: Final = 0.8
"""Weight of what was measured before, when something new is: about the last five count."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Job]):
    """Jobs in the hands of one thread."""

    jobs: tuple[Job, ...]
    """In tar order."""
    num_bytes: int
    """Bytes of pixels in all of them."""
    began: float
    """When they were taken, by the balance's clock."""
    by_feeder: bool
    """Whether a feeder of the device took them."""


class _Meter:
    """Bytes a second, of late."""

    def __init__(self) -> None:
        self._bytes = 0.0
        self._seconds = 0.0

    @property
    def rate(self) -> float:
        """Bytes a second; 0 before anything was measured."""
        return self._bytes / self._seconds if self._seconds else 0.0

    def add(self, num_bytes: int, seconds: float) -> None:
        self._bytes = self._bytes * KEPT + num_bytes
        self._seconds = self._seconds * KEPT + seconds


class Balance(Generic[Job]):
    """The queue between one reader and those who decode. Not thread-safe: its user holds a lock."""

    def __init__(
        self, appetite: Appetite, *, is_shared: bool, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Begin with an empty queue.

        Args:
            appetite: what the device wants at a time.
            is_shared: whether CPU threads may take jobs beside the device; if not, they do nothing until the
                device is lost.
            clock: seconds, from any start.
        """
        self.device_bytes = 0
        """Bytes that the device has decoded."""
        self.cpu_bytes = 0
        """Bytes that CPU threads have decoded."""
        self._appetite = appetite
        self._is_shared = is_shared
        self._clock = clock
        self._queue: deque[tuple[Job, int, int]] = deque()
        self._queued_bytes = 0
        self._device, self._core = _Meter(), _Meter()
        self._num_feeding = 0
        self._since = 0.0

    def put(self, job: Job, num_images: int, num_bytes: int) -> None:
        """Append a job."""
        self._queue.append((job, num_images, num_bytes))
        self._queued_bytes += num_bytes

    def take_bundle(self) -> Work[Job] | None:
        """Take for the device: the first jobs, as many as it wants at a time, at least one."""
        jobs: list[Job] = []
        images = size = 0
        while self._queue and (not jobs or self._fits(images, size)):
            job, num_images, num_bytes = self._queue.popleft()
            jobs.append(job)
            images, size = images + num_images, size + num_bytes
        if not jobs:
            return None
        self._queued_bytes -= size
        now = self._clock()
        if not self._num_feeding:
            self._since = now
        self._num_feeding += 1
        return Work(tuple(jobs), size, now, by_feeder=True)

    def take_one(self, *, is_lost: bool = False) -> Work[Job] | None:
        """Take for a CPU thread: the last job if that helps, or the first one when the device is lost."""
        if not self._queue or not (is_lost or self._helps()):
            return None
        job, _, num_bytes = self._queue.popleft() if is_lost else self._queue.pop()
        self._queued_bytes -= num_bytes
        return Work((job,), num_bytes, self._clock(), by_feeder=False)

    def finish(self, work: Work[Job]) -> None:
        """Work is done, or has failed: learn from how long it took."""
        now = self._clock()
        if not work.by_feeder:
            self.cpu_bytes += work.num_bytes
            self._core.add(work.num_bytes, now - work.began)
            return
        # Feeders overlap, so it is the time in which any of them worked that counts.
        self._device.add(work.num_bytes, now - self._since)
        self._since = now
        self._num_feeding -= 1
        self.device_bytes += work.num_bytes

    def drain(self) -> list[Job]:
        """Take all jobs that nobody has begun."""
        jobs = [job for job, _, _ in self._queue]
        self._queue.clear()
        self._queued_bytes = 0
        return jobs

    def _fits(self, images: int, num_bytes: int) -> bool:
        _, next_images, next_bytes = self._queue[0]
        return (
            images + next_images <= self._appetite.num_images
            and num_bytes + next_bytes <= self._appetite.num_bytes
        )

    def _helps(self) -> bool:
        """Whether a core would be done with the last job before the device came to it."""
        if not self._is_shared or not self._device.rate:
            return False
        last = self._queue[-1][2]
        ahead = self._queued_bytes - last  # what feeders hold is partly done, nobody knows how far
        return not self._core.rate or last / self._core.rate <= ahead / self._device.rate
