"""Events: what listeners are told while a run goes on. Frozen; listeners watch, they never steer.

Events come from the thread that runs the pipeline, one at a time, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A pipeline begins."""

    pipeline: str
    """Its name."""


@dataclass(frozen=True, slots=True)
class ShardsSought:
    """The search for the shards goes on; told now and then where it takes long."""

    asked: int
    """Paths that were looked up, of those that the user named."""
    total: int
    """Paths that the user named, ranges counted out as far as they were come to."""
    found: int
    """Shards that listings of folders have given."""


@dataclass(frozen=True, slots=True)
class PartitionsPlanned:
    """The partitions of the dataset are known, before anything is read."""

    partitions: int
    """How many."""
    shards: int
    """Shards in all of them."""
    num_bytes: int
    """Bytes of all shards whose size is known."""


@dataclass(frozen=True, slots=True)
class Preparing:
    """What has to be done elsewhere before anything can be read; told as it begins."""

    step: str
    """For people, such as `starting a Ray cluster on this machine`; empty when all is ready."""


@dataclass(frozen=True, slots=True)
class BatchDelivered:
    """The consumer has got one more task."""

    images: int
    """Images in it."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Nothing more will come."""

    outcome: str
    """`finished`, `stopped` or `failed`."""


Event = RunStarted | ShardsSought | PartitionsPlanned | Preparing | BatchDelivered | RunEnded

Listener = Callable[[Event], None]
