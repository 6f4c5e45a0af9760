"""What travels between the driver and its workers. Frozen; pixels go beside it, never inside.

A worker answers every `take` with a `Reply` and, as a second object, the tasks of its last parcel. Replies
are
small and travel with the answer itself; tasks stay in the object store until the driver fetches them.
"""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tarlight.errors import PipelineError

if TYPE_CHECKING:
    from tarlight.checkpoint import Course
    from tarlight.ledger import Section
    from tarlight.ledger.times import Times
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
class Failure:
    """An exception of a worker, on its way to the consumer."""

    pickled: bytes
    """The exception with its notes; in its place a `PipelineError` when it cannot be pickled."""

    trace: str
    """Where it was raised, as text."""

    def error(self) -> BaseException:
        """The exception, with the worker's traceback as its cause."""
        error: BaseException
        try:
            error = pickle.loads(self.pickled)  # noqa: S301 (from our worker)
        except Exception as why:  # noqa: BLE001 (its module may be on the workers only; it is told in full)
            last = self.trace.rstrip().rpartition("\n")[2]
            error = PipelineError(f"{last} (it cannot be unpickled here: {why!r})")
        error.__cause__ = WorkerTracebackError(self.trace)
        return error


class WorkerTracebackError(Exception):
    """Shows where in a worker its successor was raised."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


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


def pack_error(error: BaseException) -> Failure:
    """Make an exception ready to travel; one that does not survive is told in words."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)  # noqa: S301 (written a line above)
    except Exception as why:  # noqa: BLE001 (any class may refuse, in any way; the original is told in full)
        substitute = PipelineError(f"{type(error).__name__}: {error} (it cannot be pickled: {why!r})")
        for note in getattr(error, "__notes__", ()):
            substitute.add_note(note)
        pickled = pickle.dumps(substitute)
    return Failure(pickled, trace)
