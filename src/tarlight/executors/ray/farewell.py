"""Workers on their way out: their stages are torn down, then their processes are ended."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from tarlight.executors.ray.cluster import WorkerGoneError

if TYPE_CHECKING:
    from tarlight.executors.ray.cluster import Cluster
    from tarlight.executors.ray.member import Member

log = logging.getLogger(__name__)

_POLL_S = 0.2


class Farewell:
    """Closes workers, and remembers what is raised by that. For one thread."""

    def __init__(self, cluster: Cluster) -> None:
        self.errors: list[BaseException] = []
        """What their stages raised as they were torn down, for the end of the run."""
        self._cluster = cluster
        self._leaving: dict[Any, Member] = {}

    def say(self, member: Member) -> None:
        """Ask a worker to tear its stages down, without waiting for it."""
        self._leaving[member.handle.close()] = member

    def look(self, timeout_s: float = 0.0) -> None:
        """End the processes of those that have torn down, which gives their resources back."""
        for ref in self._cluster.wait(tuple(self._leaving), timeout_s):
            member = self._leaving.pop(ref)
            try:
                failure = self._cluster.fetch(ref)
            except WorkerGoneError as error:
                log.warning("a worker died while it was being ended: %s", error)
            else:
                self.errors += [failure.error()] if failure is not None else []
            member.handle.kill()

    def finish(self, grace_s: float) -> None:
        """Wait for all of them, and end those that take longer than `grace_s`."""
        end = time.monotonic() + grace_s
        while self._leaving and time.monotonic() < end:
            self.look(_POLL_S)
        while self._leaving:
            self._leaving.popitem()[1].handle.kill()
