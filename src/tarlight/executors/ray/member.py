"""One worker of a run, as the driver sees it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tarlight.executors.ray.cluster import Answer, Handle
    from tarlight.executors.ray.partition import Partition


@dataclass(slots=True, eq=False)
class Member:
    """A worker, and what it has in hand."""

    handle: Handle
    """The way to it."""

    hello: Any
    """Reference to its `Hello`."""

    name: str = ""
    """`host/pid`, once it is there."""

    answers: deque[Answer] = field(default_factory=deque)
    """What it was asked and has not answered, in order."""

    partitions: list[Partition] = field(default_factory=list)
    """What it works on, in order; the first is under way."""

    unsent: list[Partition] = field(default_factory=list)
    """Those of them that it does not know of yet."""

    num_held: int = 0
    """Its parcels that have arrived and wait for the consumer."""

    @property
    def is_ready(self) -> bool:
        """True when its stages are set up."""
        return bool(self.name)

    @property
    def next_ref(self) -> Any:
        """What it will answer next; None when it was asked nothing."""
        if not self.is_ready:
            return self.hello
        return self.answers[0].reply if self.answers else None

    def ask(self) -> None:
        """Ask for one more parcel, and send along what it does not know of yet."""
        works, self.unsent = [partition.work() for partition in self.unsent], []
        self.answers.append(self.handle.take(works))
