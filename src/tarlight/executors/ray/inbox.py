"""Parcels that have arrived and wait for the consumer: in the order of arrival, or of the partitions."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.executors.ray.member import Member
    from tarlight.executors.ray.parcel import Parcel
    from tarlight.executors.ray.partition import Partition


@dataclass(frozen=True, slots=True)
class Arrival:
    """A parcel that the driver knows of; its tasks are still in the object store."""

    parcel: Parcel
    """What was settled."""

    partition: Partition
    """What it belongs to."""

    member: Member
    """Who sent it."""

    tasks: Any = None
    """Reference to its tasks; None when it has none."""

    @property
    def is_stale(self) -> bool:
        """True when its partition has been handed out again since."""
        return self.parcel.attempt != self.partition.attempt


class Inbox:
    """Gives arrivals back in order. For one thread."""

    def __init__(self, *, preserve_order: bool) -> None:
        self.held_bytes = 0
        """Bytes of the tasks that wait."""
        self._lines: defaultdict[int, deque[Arrival]] = defaultdict(deque)
        self._preserve_order = preserve_order
        self._front = 0
        self._finished: set[int] = set()

    def put(self, arrival: Arrival) -> None:
        """Append an arrival."""
        arrival.member.num_held += arrival.tasks is not None
        self.held_bytes += arrival.parcel.num_bytes
        self._line(arrival.partition.index).append(arrival)

    def take(self) -> Arrival | None:
        """Take the next one whose turn it is; stale ones are dropped. None when it has not come yet."""
        line = self._line(self._front)
        while line:
            arrival = line.popleft()
            self._let_go(arrival)
            if not arrival.is_stale:
                return arrival
        return None

    def may_hold_more(self, partitions: Sequence[Partition], limit: int) -> bool:
        """Whether a worker with these partitions may work ahead of the consumer."""
        if not self._preserve_order:
            return False
        is_awaited = not self._lines[self._front] and any(one.index == self._front for one in partitions)
        return self.held_bytes < limit or is_awaited

    def finish(self, partition: Partition) -> None:
        """A partition has come to its end, maybe before its turn: nothing is to come of it any more."""
        if not self._preserve_order:
            return
        for arrival in self._lines.pop(partition.index, ()):
            self._let_go(arrival)
        self._finished.add(partition.index)
        while self._front in self._finished:
            self._finished.remove(self._front)
            self._front += 1

    def _let_go(self, arrival: Arrival) -> None:
        arrival.member.num_held -= arrival.tasks is not None
        self.held_bytes -= arrival.parcel.num_bytes

    def _line(self, index: int) -> deque[Arrival]:
        return self._lines[index if self._preserve_order else 0]
