"""How long each stage of a run worked, and how long it waited for what.

Strategy: a `Watch` belongs to one thread and is switched from duty to duty, once a chunk, a group or a task,
never once an image; a `Team` adds up what a pool of threads does. What a thread is doing at this moment is in
the sums, so that a stall shows while it lasts.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tarlight.ledger.stall import Stall

    Look = Callable[[], Stall | None]

READING = "reading"
"""The thread that reads and parses shards."""
DECODING = "decoding"
"""The threads that decode."""
CONSUMER = "consumer"
"""Whoever asks for batches: the program around the pipeline."""

STORE = "store"
"""Waited for: bytes of a shard."""
ROOM = "room"
"""Waited for: bytes of the budget, which come back as the consumer takes images."""
PARTITIONS = "partitions"
"""Waited for: something to read."""
WORK = "work"
"""Waited for: something to decode."""
STAGES = "stages"
"""Waited for: the stages of the pipeline, wherever they work."""
NOTHING = "nothing"
"""Waited for: no more; all was done before the run ended."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """What the threads of one stage did. Seconds are wall time, added up over its threads."""

    stage: str
    """`reading`, `decoding`, `consumer`; or a stage's name, for what it does in the consumer's thread."""
    busy_s: float
    """At work."""
    waits_s: dict[str, float] = field(default_factory=dict)
    """What it waited for -> how long."""
    total_s: float = 0.0
    """That its threads were there; what is neither busy nor waiting went to other stages of the thread, or
    to waiting for orders where the thread is in a worker elsewhere."""
    images: int = 0
    """Images that it worked on; counted for `decoding` only."""

    @property
    def busy(self) -> float:
        """Part of the time at work, 0 to 1."""
        return self._part(self.busy_s)

    def waiting(self, what: str) -> float:
        """Part of the time that was waited for something, 0 to 1."""
        return self._part(self.waits_s.get(what, 0.0))

    def since(self, before: StageTime) -> StageTime:
        """Return what was done after `before` was taken."""
        waits = {what: max(s - before.waits_s.get(what, 0.0), 0.0) for what, s in self.waits_s.items()}
        busy_s, total_s = self.busy_s - before.busy_s, self.total_s - before.total_s
        images = self.images - before.images
        return StageTime(self.stage, max(busy_s, 0.0), waits, max(total_s, 0.0), images)

    def _part(self, seconds: float) -> float:
        return min(max(seconds / self.total_s, 0.0), 1.0) if self.total_s > 0 else 0.0


Times = dict[str, StageTime]
"""Stage -> what it did, in the order in which they began."""


def since(after: Times, before: Times) -> Times:
    """Return what was done between two moments of a run."""
    nothing = StageTime("", 0.0)
    return {name: spent.since(before.get(name, nothing)) for name, spent in after.items()}


class _Duty(NamedTuple):
    stage: str
    waits_for: str = ""


_AWAY = _Duty("")
_IDLE = _Duty("", "orders")


class Watch:
    """What one thread does. `doing` and `waiting_for` are for that thread, `spent` for any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._duty = _AWAY
        self._since = 0.0
        self.look: Look | None = None
        """Tells what the thread waits for, in more than a word; for any thread."""
        self._spent: dict[_Duty, float] = {}

    def start(self, stage: str) -> None:
        """The thread begins, or goes on, to work in a stage."""
        self._switch(_Duty(stage))

    def stop(self) -> None:
        """The thread has ended, or is in nobody's service."""
        self.look = None
        self._switch(_AWAY)

    def rest(self) -> None:
        """The thread has done its work, while the run goes on."""
        self._switch(_Duty(self._duty.stage, NOTHING))

    def idle(self) -> None:
        """The thread is there for the stages and has no orders: that counts in their totals only."""
        self._switch(_IDLE)

    @property
    def has_ended(self) -> bool:
        """Whether the thread is in nobody's service."""
        return self._duty is _AWAY

    @contextmanager
    def doing(self, stage: str) -> Iterator[None]:
        """Inside, the thread works in a stage; afterwards in the one before."""
        before = self._switch(_Duty(stage))
        try:
            yield
        finally:
            self._switch(before)

    @contextmanager
    def waiting_for(self, what: str) -> Iterator[None]:
        """Inside, the stage that the thread works in waits."""
        before = self._duty
        self._switch(_Duty(before.stage, what))
        try:
            yield
        finally:
            self._switch(before)

    def waited_s(self, what: str) -> float:
        """Return for how long the thread has been waiting for this now; 0 where it is not. For any thread."""
        with self._lock:
            return time.monotonic() - self._since if self._duty.waits_for == what else 0.0

    def spent(self) -> dict[_Duty, float]:
        """Return seconds by duty, up to now."""
        with self._lock:
            spent = dict(self._spent)
            if self._duty is not _AWAY:
                spent[self._duty] = spent.get(self._duty, 0.0) + time.monotonic() - self._since
            return spent

    def _switch(self, duty: _Duty) -> _Duty:
        with self._lock:
            now, before = time.monotonic(), self._duty
            if before is not _AWAY:
                self._spent[before] = self._spent.get(before, 0.0) + now - self._since
            self._duty, self._since = duty, now
            return before


class Team:
    """What a pool of threads does. Thread-safe."""

    def __init__(self, stage: str, num_threads: int) -> None:
        self._lock = threading.Lock()
        self._stage = stage
        self._num_threads = num_threads
        self._began = time.monotonic()
        self._ended: float | None = None
        self._busy = 0.0
        self.images = 0
        """Images that were worked on."""

    def worked(self, seconds: float, images: int) -> None:
        """One of the threads has worked for so long on so many images."""
        with self._lock:
            self._busy += seconds
            self.images += images

    def stop(self) -> None:
        """The threads have ended."""
        self._ended = time.monotonic()

    @property
    def has_ended(self) -> bool:
        """Whether the threads have ended."""
        return self._ended is not None

    def spent(self) -> dict[_Duty, float]:
        """Return seconds by duty, up to now; work is known when it is done."""
        with self._lock:
            total = (self._ended or time.monotonic()) - self._began
            idle = max(total * self._num_threads - self._busy, 0.0)
            return {_Duty(self._stage): self._busy, _Duty(self._stage, WORK): idle}


class Timesheet:
    """The times of all threads of a run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.stages = Watch()
        """Of the thread that runs the stages and asks for their tasks."""
        self._threads: list[Watch | Team] = []
        self._ended: Times = {}
        self._elsewhere: dict[str, Times] = {}

    def watch(self, stage: str) -> Watch:
        """Return a watch for one more thread, which begins in this stage; once stopped, it stays so."""
        watch = Watch()
        watch.start(stage)
        self._join(watch)
        return watch

    def team(self, stage: str, num_threads: int) -> Team:
        """Return what adds up the times of a pool of threads."""
        team = Team(stage, num_threads)
        self._join(team)
        return team

    def take_in(self, worker: str, times: Times) -> None:
        """Take what the threads of another process did up to now; it replaces what was known of that one."""
        with self._lock:
            self._elsewhere[worker] = times

    @property
    def workers(self) -> tuple[str, ...]:
        """The processes that were taken in, in the order in which they were heard of first."""
        with self._lock:
            return tuple(self._elsewhere)

    def stall(self) -> Stall | None:
        """Return what has been waited for longest at this moment, in this process; None where nothing is."""
        with self._lock:
            looks = [thread.look for thread in self._threads if isinstance(thread, Watch)]
        return max(filter(None, (look() for look in looks if look is not None)), default=None)

    def times(self) -> Times:
        """Return what was done up to now."""
        with self._lock:
            self._settle()
            threads = [self.stages, *self._threads]
            return _sum([*map(_times_of, threads), self._ended, *self._elsewhere.values()])

    def _settle(self) -> None:
        """Let go of the threads that have ended: a worker starts new ones for each partition."""
        ended = [thread for thread in self._threads if thread.has_ended]
        if ended:
            self._threads = [thread for thread in self._threads if thread not in ended]
            self._ended = _sum([self._ended, *map(_times_of, ended)])

    def _join(self, thread: Watch | Team) -> None:
        with self._lock:
            self._threads.append(thread)


def _times_of(thread: Watch | Team) -> Times:
    spent = thread.spent()
    total = sum(spent.values())
    times: Times = {}
    for stage in dict.fromkeys(duty.stage for duty in spent if duty.stage):
        waits = {duty.waits_for: s for duty, s in spent.items() if duty.stage == stage and duty.waits_for}
        images = thread.images if isinstance(thread, Team) else 0
        times[stage] = StageTime(stage, spent.get(_Duty(stage), 0.0), waits, total, images)
    return times


def _sum(parts: Iterable[Times]) -> Times:
    sums: Times = {}
    for part in parts:
        for name, more in part.items():
            sums[name] = _both(sums[name], more) if name in sums else more
    return sums


def _both(one: StageTime, other: StageTime) -> StageTime:
    names = dict.fromkeys([*one.waits_s, *other.waits_s])
    waits = {name: one.waits_s.get(name, 0.0) + other.waits_s.get(name, 0.0) for name in names}
    busy_s, total_s = one.busy_s + other.busy_s, one.total_s + other.total_s
    return StageTime(one.stage, busy_s, waits, total_s, one.images + other.images)
