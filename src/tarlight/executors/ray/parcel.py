"""What travels between the driver and its workers. Frozen; pixels go beside it, never inside.

A worker answers every `take` with a `Reply` and, as a second object, the tasks of its last parcel. Replies
are small and travel with the answer itself; tasks stay in the object store until the driver fetches them.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tarlight.errors import PipelineError

if TYPE_CHECKING:
    from tarlight.checkpoint import Course
    from tarlight.executors.ray.failure import Failure
    from tarlight.ledger import Section
    from tarlight.ledger.times import Times
    from tarlight.stages.base import ProcessingStage
    from tarlight.tasks import Task


@dataclass(frozen=True, slots=True)
class Work:
    """One partition that a worker is to run from its first output that the driver has not got yet."""

    index: int
    """Position of the partition in the run, from 0."""

    attempt: int
    """How often it was handed out before; answers of an older attempt are stale."""

    task: Task
    """What the first stage of the worker gets."""

    course: Course
    """What is done of it already: earlier runs, and the parcels of earlier attempts that have arrived."""

    num_done: int = 0
    """Parcels of it that have arrived."""


@dataclass(frozen=True, slots=True)
class PickledStage:
    """A stage on its way to a worker."""

    label: str
    """Its name, for errors."""

    pickled: bytes
    """By Ray's rules, so that classes of the main program may be in it."""

    def stage(self) -> ProcessingStage[Any, Any]:
        """Unpickle it.

        Raises:
            PipelineError: it cannot be unpickled here.
        """
        try:
            stage: ProcessingStage[Any, Any] = pickle.loads(self.pickled)  # noqa: S301 (from the driver)
        except Exception as error:
            raise PipelineError(
                f"stage {self.label!r} cannot be unpickled in a worker ({type(error).__name__}: {error}); "
                "what it is made of has to be installed on every node"
            ) from error
        return stage


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a worker has settled: one batch of its first stage through all of its stages, or an end."""

    index: int
    """The partition."""

    attempt: int
    """Which attempt at it."""

    section: Section
    """Everything that was settled since the parcel before."""

    num_bytes: int = 0
    """Bytes of arrays in the tasks that belong to it."""

    is_settling: bool = False
    """True when the section says where in the dataset it ends, so that a run can be resumed there."""

    is_last: bool = False
    """True when the partition is done: this parcel has no tasks."""

    failure: Failure | None = None
    """Why the partition, and with it the run, has failed; then it has no tasks either."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one `take`: ends of partitions, then at most one parcel with tasks."""

    parcels: tuple[Parcel, ...]
    """In order."""

    times: Times
    """What the worker's threads did since it is there: so a reply that is lost costs nothing."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a worker says when its stages are set up, or could not be."""

    name: str
    """`host/pid`."""

    failure: Failure | None = None
    """Why it cannot work."""
