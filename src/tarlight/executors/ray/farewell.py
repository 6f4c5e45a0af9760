"""Workers on their way out: their stages are torn down, then their processes are ended."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from tarlight.executors.ray.cluster import WorkerGoneError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tarlight.executors.ray.cluster import Cluster
    from tarlight.executors.ray.member import Member

log = logging.getLogger(__name__)

_POLL_S = 0.2


FOREVER = float("inf")
"""The grace of workers that have done their work: to keep what they have made may take time."""


class _Leaver(NamedTuple):
    member: Member
    until: float
    """When its process is ended whatever it does, by the monotonic clock."""


class Farewell:
    """Closes workers, and remembers what is raised by that. For one thread."""

    def __init__(self, cluster: Cluster) -> None:
        self.errors: list[BaseException] = []
        """What their stages raised as they were torn down, for the end of the run."""
        self._cluster = cluster
        self._leaving: dict[Any, _Leaver] = {}

    def say(self, member: Member, grace_s: float = FOREVER) -> None:
        """Ask a worker to tear its stages down, without waiting for it."""
        self._leaving[member.handle.close()] = _Leaver(member, time.monotonic() + grace_s)

    def look(
        self, timeout_s: float = 0.0, waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """End the processes of those that have torn down, which gives their resources back."""
        if not self._leaving:
            return
        with waiting():
            done = self._cluster.wait(tuple(self._leaving), timeout_s)
        for ref in done:
            member = self._leaving.pop(ref).member
            try:
                failure = self._cluster.fetch(ref)
            except WorkerGoneError as error:
                log.warning("a worker died while it was being ended: %s", error)
            else:
                self.errors += [failure.error()] if failure is not None else []
            member.handle.kill()

    def finish(
        self, grace_s: float, waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Wait for all of them, and end those that take longer than `grace_s`, or than was said to them.

        Args:
            grace_s: how long that may be for any.
            waiting: see `StageContext`; what strikes there leaves those that are still there to another call.
        """
        end = time.monotonic() + grace_s
        while self._leaving:
            self.look(_POLL_S, waiting)
            now = time.monotonic()
            for ref in [ref for ref, one in self._leaving.items() if now >= min(end, one.until)]:
                member = self._leaving.pop(ref).member
                log.warning("worker %s was ended before it had torn its stages down", member.name or "(new)")
                member.handle.kill()
