"""The threads that decode groups. A group's future is done when each of its images has an outcome.

On the CPU a pool of threads takes them one by one. With a device, feeders bring it many at once, and CPU
threads take some beside it (see `tarlight.decode.balance`), or all of them when the device is lost.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from tarlight.decode import Balance
from tarlight.ledger.times import DECODING
from tarlight.memory import keep_freed_blocks
from tarlight.stages.image.io.candidate import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tarlight.decode import Decoded, Decoder, Encoded, Lane, Refusal, Work
    from tarlight.ledger import Timesheet
    from tarlight.ledger.times import Team
    from tarlight.stages.image.io.candidate import Group

    Decode = Callable[[Sequence[Encoded]], list[Decoded | Refusal]]

    Job = tuple[Group, Future[None]]

    Bundle = Work[Job]

_NAME = "tarlight-decode"


class DecodeThreads(Protocol):
    """Decodes groups on threads of its own."""

    def submit(self, group: Group) -> Future[None]:
        """Decode a group, after those that were submitted before it, as far as there is an order."""

    def close(self) -> None:
        """Finish the images in hand, cancel the groups that nobody has begun, and join all threads."""


def start_threads(decoder: Decoder, num_threads: int, times: Timesheet) -> DecodeThreads:
    """Start the threads that suit a decoder: `num_threads` on the CPU, and the feeders of its device."""
    keep_freed_blocks()
    if decoder.lane is None:
        return CpuThreads(decoder, num_threads, times.team(DECODING, num_threads))
    team = times.team(DECODING, num_threads + decoder.lane.appetite.num_feeders)
    return DeviceThreads(decoder.lane, num_threads, team)


class CpuThreads:
    """Threads of which each takes a group at a time.

    They are our own: Python ends the threads of its pools before it lets a program's streams be ended. Each
    starts with one of the first groups, so that a tiny partition on a cluster does not pay for all of them.
    """

    def __init__(self, decoder: Decoder, num_threads: int, team: Team) -> None:
        self._decode = decoder.decode
        self._team = team
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._num_threads = num_threads
        self._threads: list[threading.Thread] = []

    def submit(self, group: Group) -> Future[None]:
        """Decode a group on whichever thread is free first. For one thread."""
        done: Future[None] = Future()
        try:
            self._start_one()
        except RuntimeError as error:  # the system has no room for one more, or the program is ending
            if not self._threads:
                done.set_exception(error)
                return done
            self._num_threads = len(self._threads)
        self._waiting.put((group, done))
        return done

    def _start_one(self) -> None:
        if len(self._threads) < self._num_threads:
            self._threads.append(_start(self._work, f"{_NAME}-{len(self._threads)}"))

    def close(self) -> None:
        """Finish what is in hand, cancel the rest."""
        with suppress(Empty):
            while (job := self._waiting.get_nowait()) is not None:
                job[1].cancel()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        self._team.stop()

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            try:
                decode_groups(self._decode, job[:1], self._team)
            except BaseException as error:  # noqa: BLE001 (the consumer gets it where it waits for the group)
                job[1].set_exception(error)
            else:
                job[1].set_result(None)
            del job  # or its pixels would stay until the next one comes


class DeviceThreads:
    """Feeders of a device, and CPU threads beside them."""

    def __init__(self, lane: Lane, num_threads: int, team: Team) -> None:
        self._lane = lane
        self._team = team
        self._balance: Balance[Job] = Balance(lane.appetite, is_shared=lane.is_shared)
        self._changed = threading.Condition()
        self._closed = False
        num_feeders = lane.appetite.num_feeders
        feeders = [(f"{_NAME}-feeder-{number}", self._take_bundle) for number in range(num_feeders)]
        others = [(f"{_NAME}-{number}", self._take_one) for number in range(num_threads)]
        self._threads = [_start(partial(self._work, take), name) for name, take in feeders + others]

    def submit(self, group: Group) -> Future[None]:
        """Decode a group, on the device or beside it."""
        done: Future[None] = Future()
        num_images = sum(isinstance(entry, Candidate) for entry in group.entries)
        with self._changed:
            self._balance.put((group, done), num_images, group.num_bytes)
            self._changed.notify_all()
        return done

    def close(self) -> None:
        """Finish what is in hand, cancel the rest."""
        with self._changed:
            self._closed = True
            for _, done in self._balance.drain():
                done.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._team.stop()

    def _take_bundle(self) -> Bundle | None:
        return None if self._lane.is_lost else self._balance.take_bundle()

    def _take_one(self) -> Bundle | None:
        return self._balance.take_one(is_lost=self._lane.is_lost)

    def _work(self, take: Callable[[], Bundle | None]) -> None:
        while (work := self._wait(take)) is not None:
            decode = self._lane.decode if work.by_feeder or self._lane.is_lost else self._lane.decode_beside
            try:
                decode_groups(decode, [group for group, _ in work.jobs], self._team)
            except BaseException as error:  # noqa: BLE001 (the consumer gets it where it waits for the group)
                self._finish(work, error)
            else:
                self._finish(work, None)

    def _wait(self, take: Callable[[], Bundle | None]) -> Bundle | None:
        """Wait for something to do; None when there will be nothing any more."""
        with self._changed:
            while not self._closed:
                work = take()
                if work is not None:
                    return work
                self._changed.wait()
            return None

    def _finish(self, work: Bundle, error: BaseException | None) -> None:
        with self._changed:
            self._balance.finish(work)
            self._changed.notify_all()
        for _, done in work.jobs:
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)


def _start(work: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def decode_groups(decode: Decode, groups: Sequence[Group], team: Team) -> None:
    """Give every candidate of some groups its outcome; its encoded bytes go."""
    entries = [entry for group in groups for entry in group.entries]
    waiting = [entry for entry in entries if isinstance(entry, Candidate) and entry.encoded]
    images = [entry.encoded for entry in waiting if entry.encoded]
    began = time.monotonic()
    for entry, outcome in zip(waiting, decode(images), strict=True):
        entry.outcome, entry.encoded = outcome, None
    team.worked(time.monotonic() - began, len(images))
