"""The partitions of a run, as the driver sees them: waiting, handed out, and sometimes handed out again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from tarlight.executors.ray.parcel import Work
from tarlight.tasks import FileGroupTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tarlight.checkpoint import Course
    from tarlight.executors.ray.parcel import Parcel
    from tarlight.tasks import Task


@dataclass(slots=True, eq=False)
class Partition:
    """One partition and how far it has arrived."""

    index: int
    """Its place in the order of the run."""

    task: Task
    """What its first stage gets."""

    course: Course
    """What is done of its shards: by runs before this one, and by the parcels that have arrived."""

    num_done: int = 0
    """Parcels that have arrived."""

    attempt: int = 0
    """How often it was handed out before; a parcel of another attempt is stale."""

    deaths: int = 0
    """Workers that died while they had nothing but this partition."""

    is_suspect: bool = False
    """True once a worker died that had it: from then on it is the only one that its worker gets, so that
    whatever kills workers can be told from what happened to lie beside it."""

    def work(self) -> Work:
        """What a worker needs to go on with it."""
        return Work(self.index, self.attempt, self.task, self.course, self.num_done)

    def settle(self, parcel: Parcel) -> None:
        """A parcel of it has arrived."""
        self.num_done += not parcel.is_last
        if parcel.is_settling:
            self.course = self.course.behind(parcel.section)

    @property
    def can_go_on(self) -> bool:
        """False when a shard stands in it twice and something of it has arrived: of which, nobody knows."""
        shards = self.task.data if isinstance(self.task, FileGroupTask) else ()
        return not self.num_done or len(set(shards)) == len(shards)

    def take_back(self) -> None:
        """It has to be handed out again, from the last parcel that arrived."""
        self.attempt += 1
        self.is_suspect = True


class Backlog:
    """Partitions that wait for a worker, pulled from the partitioning only as far ahead as is asked for."""

    def __init__(self, tasks: Iterator[Task], course: Course) -> None:
        self._tasks = tasks
        self._course = course
        self._waiting: deque[Partition] = deque()
        self._num_pulled = 0

    def look_ahead(self, count: int) -> int:
        """Return how many partitions wait, up to `count`."""
        missing = count - len(self._waiting)
        if missing > 0:
            self._waiting.extend(map(self._make, islice(self._tasks, missing)))
        return min(len(self._waiting), count)

    def take(self, *, beside_others: bool) -> Partition | None:
        """Take the next partition; None when there is none, or when it must not lie beside others."""
        if not self.look_ahead(1) or (beside_others and self._waiting[0].is_suspect):
            return None
        return self._waiting.popleft()

    def give_back(self, partitions: Iterable[Partition]) -> None:
        """Put partitions back, before all that wait."""
        self._waiting.extendleft(sorted(partitions, key=lambda one: -one.index))

    def _make(self, task: Task) -> Partition:
        shards = task.data if isinstance(task, FileGroupTask) else ()
        partition = Partition(
            self._num_pulled, task, self._course.part(shards, is_first=not self._num_pulled)
        )
        self._num_pulled += 1
        return partition
