"""The workers of a run: how many there are, what each has in hand, and when it is asked for more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tarlight.executors.ray.farewell import FOREVER, Farewell
from tarlight.executors.ray.member import Member
from tarlight.executors.ray.placement import Placement
from tarlight.executors.ray.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from tarlight.executors.ray.cluster import Cluster
    from tarlight.executors.ray.inbox import Inbox
    from tarlight.executors.ray.option import RayOptions
    from tarlight.executors.ray.parcel import PickledStage
    from tarlight.executors.ray.partition import Backlog

ANSWERS_AHEAD = 2
"""Batches that a worker may have under way or waiting for the consumer; with two it never waits."""

PARTITIONS_AHEAD = 4
"""Partitions that a worker has at a time while many wait, so that tiny ones do not cost a round trip each."""

HELD_BYTES = 1 << 30
"""Bytes that may wait for partitions before them when order is kept. Ray spills what does not fit."""

STAFFING_S = 5.0
"""How often the cluster is asked whether it has grown."""

GRACE_S = 10.0
"""How long a worker that is told to stop, or sets its stages up at the end of a run, may take before its
process is ended."""


class Crew:
    """Starts workers as far as the cluster has room, and keeps them busy. For one thread.

    Args:
        cluster: where they are started.
        options: at least how many, at most how many, and how long a run may wait for its first one.
    """

    def __init__(self, cluster: Cluster, options: RayOptions) -> None:
        self.members: list[Member] = []
        self._cluster = cluster
        self._stages: Any = None
        self._dataset_name = ""
        self._request = Request(0, 0)
        self._least = options.min_workers
        self._most = options.max_workers
        self._room = 0
        self._looked_at = float("-inf")
        self._placement = Placement(options.placement_timeout_s)
        self._farewell = Farewell(cluster)

    def equip(self, stages: Sequence[PickledStage], dataset_name: str, request: Request) -> None:
        """Say what every worker is to run, and what it gets for it. Before any is started."""
        self._stages = self._cluster.share(tuple(stages))
        self._dataset_name = dataset_name
        self._request = request

    def staff(self, backlog: Backlog) -> None:
        """Start workers while there is room and something for them to do."""
        idle = sum(not member.partitions for member in self.members)
        wanted = self._target() - len(self.members)
        for _ in range(min(wanted, backlog.look_ahead(idle + max(wanted, 0)) - idle)):
            handle = self._cluster.start_worker(self._stages, self._dataset_name, self._request)
            self.members.append(Member(handle, handle.open()))

    def hand_out(self, backlog: Backlog, inbox: Inbox) -> None:
        """Give every worker enough to do, and ask it for as much as may wait for the consumer."""
        ready = [member for member in self.members if member.is_ready]
        known = backlog.look_ahead(PARTITIONS_AHEAD * len(ready))
        share = max(1, known // len(ready)) if ready else 0
        for member in ready:
            self._assign(member, backlog, share)
            while member.partitions and self._may_ask(member, inbox):
                member.ask()
        if not any(member.answers for member in ready):
            self._push(ready)

    @property
    def state(self) -> str:
        """What its workers do before the first batch, for people."""
        if any(member.is_ready for member in self.members):
            return "making the first batches"
        is_placed = any(member.handle.is_placed for member in self.members)
        return "setting up stages" if is_placed else "placing workers"

    def check_placement(self) -> None:
        """Look how long there has been no worker.

        Raises:
            WorkerLostError: for too long.
        """
        self._placement.check(self.members, self._request, self._cluster.nodes)

    def release_idle(self, backlog: Backlog) -> None:
        """Let workers go that have nothing left to do, so that their CPUs and GPUs are there for others."""
        self._farewell.look()
        if backlog.look_ahead(1):
            return
        for member in [one for one in self.members if not one.partitions and not one.answers]:
            if member.is_ready:
                self.members.remove(member)
                self._farewell.say(member)
            elif not member.handle.is_placed:
                self.dismiss(member)

    def pending_refs(self) -> dict[Any, Member]:
        """What is waited for, and of whom."""
        return {member.next_ref: member for member in self.members if member.next_ref is not None}

    def dismiss(self, member: Member) -> None:
        """Take a worker off, and end its process whatever it does."""
        if member in self.members:
            self.members.remove(member)
            member.handle.kill()

    def close(self, *, stopping: bool, waiting: Callable[[], AbstractContextManager[None]]) -> None:
        """Tear all workers down, and end their processes; `errors` has what was raised by that.

        Where the run is not being stopped, what strikes in `waiting` comes out when all this is done.
        """
        for member in tuple(self.members):
            self._dismiss_gently(member, stopping=stopping or not member.is_ready)
        try:
            if not stopping:
                self._farewell.finish(FOREVER, waiting)
        finally:
            self._farewell.finish(GRACE_S)

    @property
    def errors(self) -> list[BaseException]:
        """What stages raised as they were torn down."""
        return self._farewell.errors

    def _dismiss_gently(self, member: Member, *, stopping: bool) -> None:
        if not (member.is_ready or member.handle.is_placed):
            self.dismiss(member)
            return
        self.members.remove(member)
        if stopping:
            member.handle.stop()
        self._farewell.say(member, GRACE_S if stopping else FOREVER)

    def _target(self) -> int:
        now = time.monotonic()
        if now - self._looked_at > STAFFING_S:
            self._looked_at = now
            self._room = self._request.num_fitting(self._cluster.nodes())
        target = max(self._room, self._least, 1)
        if self._most is None:
            return target
        if all(member.is_ready for member in self.members):
            target = max(target, len(self.members) + 1)  # one that waits for room makes a cluster grow
        return min(target, self._most)

    @staticmethod
    def _push(ready: Sequence[Member]) -> None:
        """Ask one worker although enough waits for the consumer already.

        The partition whose turn it is was handed out before, and needs a worker that has no other: so the one
        that is closest to that has to come to an end.
        """
        if working := [member for member in ready if member.partitions]:
            min(working, key=lambda member: len(member.partitions)).ask()

    @staticmethod
    def _assign(member: Member, backlog: Backlog, share: int) -> None:
        while len(member.partitions) < share and not any(one.is_suspect for one in member.partitions):
            partition = backlog.take(beside_others=bool(member.partitions))
            if partition is None:
                return
            member.partitions.append(partition)
            member.unsent.append(partition)

    @staticmethod
    def _may_ask(member: Member, inbox: Inbox) -> bool:
        if len(member.answers) >= ANSWERS_AHEAD:
            return False
        if len(member.answers) + member.num_held < ANSWERS_AHEAD:
            return True
        return inbox.may_hold_more(member.partitions, HELD_BYTES)
