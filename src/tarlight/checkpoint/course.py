"""How far a run has come: what its consumer is done with, and where it goes on from there."""

from __future__ import annotations

import logging
from copy import copy
from typing import TYPE_CHECKING, Any

from tarlight.checkpoint.dataset import Dataset
from tarlight.checkpoint.spelling import respelled, whole
from tarlight.checkpoint.state import State, compare, from_plain, to_plain
from tarlight.errors import CheckpointMismatchError
from tarlight.ledger import Position, Section
from tarlight.tasks import take_section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tarlight.tasks import Task

log = logging.getLogger(__name__)


class Course:
    """The committed sections of a run, in three steps: in hand, consumed, committed.

    For the thread that consumes; `is_done` and `start_of` may be called by any, and tell what was committed
    when the run began.

    Args:
        options: what besides the dataset must be the same when the run is resumed; see
            `ProcessingStage.fingerprint`.
    """

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        self.committed = Section()
        """The sum of all sections that are committed."""
        self.is_finished = False
        """Whether nothing is left to do."""
        self.has_progress = False
        """Whether there is anything to keep that was not there when the run began."""
        self.begins = True
        """Whether the first shard that is read is the first one that any run reads of this dataset."""
        self.resumed = Section()
        """What was committed when the run began. Not to be changed."""
        self.resumed_seconds = 0.0
        """Wall time of the runs before."""
        self._options = options or {}
        self._dataset = Dataset()
        self._loaded: State | None = None
        self._origin = ""
        self._is_kept = False
        self._in_hand: Section | None = None
        self._settles = False
        self._consumed = Section()

    def load(self, plain: Any, origin: str, *, is_kept: bool = False) -> None:
        """Go on from a state that `to_plain` gave. Before the run begins.

        Args:
            plain: the state.
            origin: where it is from, for errors.
            is_kept: whether it came from where the run keeps its own.

        Raises:
            CheckpointError: it is no state.
            CheckpointMismatchError: it was made with other options.
        """
        state = from_plain(plain, origin)
        compare(self._options, state.options, origin)
        self._loaded, self._origin = state, origin
        self.resumed, self.committed = state.section, state.section.copy()
        self.begins = not (self.resumed.seen or self.resumed.shards)
        self.resumed_seconds = state.seconds
        self.is_finished = state.is_finished
        self._is_kept = is_kept
        self._dataset = Dataset(state.done_paths)

    def plan(self, shards: Iterable[tuple[str, int | None]]) -> None:
        """The dataset is known: paths and sizes of its shards, in order. Once a run, before any is read.

        Raises:
            CheckpointMismatchError: the checkpoint is of another dataset.
        """
        if self._dataset.is_planned:
            self._dataset.plan(shards)
            return
        dataset = Dataset(() if self._loaded is None else self._loaded.done_paths)
        dataset.plan(shards)
        if self._loaded is not None and self._loaded.has_begun:
            dataset.check(self._loaded, self._origin)
            dataset.mark(self._loaded.done_runs)
            for section in (self.resumed, self.committed):
                section.reading = dataset.listed(section.reading)
        self._dataset = dataset  # only now: what was refused must not be written over

    def is_done(self, shard: str) -> bool:
        """Whether nothing of a shard is left to be read."""
        self._check_planned()
        return self._dataset.was_done(shard)

    def start_of(self, shard: str) -> Position | None:
        """Where a shard is to be read from: behind a position, or None for its beginning."""
        return self.resumed.reading.get(self._dataset.key(shard))

    def place_of(self, shard: str) -> str | None:
        """Where a shard stands in the listing, as text whose order is that of the listing; None: in none."""
        return self._dataset.place(str(shard))

    def part(self, shards: Sequence[str], *, is_first: bool = False) -> Course:
        """Return a course that knows of these shards only, to be sent to the worker that reads them.

        `is_first` for the first part of a run.
        """
        part, shards = Course(), [str(shard) for shard in shards]  # without the queries of URLs
        part.begins = self.begins and is_first
        part.resumed = Section(reading={s: at for s in shards if (at := self.start_of(s)) is not None})
        part.resumed.fields = self.resumed.fields
        self._check_planned()
        part._dataset = self._dataset.part(shards)
        return part

    def behind(self, section: Section) -> Course:
        """Return the course of a worker that takes over behind a section, which has arrived."""
        part = Course()
        part.begins = False
        part.resumed = Section(reading=dict(self.resumed.reading), fields=set(self.resumed.fields)).copy()
        later = Section(reading=section.reading, done=list(section.done), fields=section.fields).copy()
        part.resumed.add(later)
        part._dataset = self._dataset.copy()
        part._dataset.begin_behind([*section.done, *_withheld(section)])  # tried again by another run only
        return part

    def take(self, task: Task) -> None:
        """The consumer gets a task; the one before it must be consumed."""
        section = take_section(task)
        self._settles = section is not None
        self._in_hand = Section() if section is None else self._spelled(section)
        self._in_hand.delivered += task.num_images

    def consume(self) -> None:
        """The consumer is done with the task in hand, if there is one."""
        if self._in_hand is None:
            return
        in_hand, self._in_hand = self._in_hand, None
        self._consumed.add(in_hand)
        if self._settles:
            self._commit()

    def arrive(self, section: Section) -> None:
        """A section comes without a task, and all before it is consumed: it is committed."""
        self._consumed.add(self._spelled(section))
        self._commit()

    def finish(self) -> None:
        """The run has come to its end, and everything is consumed. It is finished if nothing was withheld."""
        is_finished = not self.num_withheld
        self.has_progress |= is_finished != self.is_finished or not self._is_kept
        self.is_finished = is_finished

    @property
    def may_be_kept(self) -> bool:
        """Whether there may be something to keep in the end: not where it is known to be finished there."""
        return not (self.is_finished and self._is_kept)

    @property
    def num_withheld(self) -> int:
        """Shards that did not come in this run, or not to their end, and are left to another one."""
        return self._dataset.num_left

    def state(self, seconds: float) -> dict[str, Any]:
        """Return plain data from which another run can go on after the task in hand."""
        section, dataset = self.committed, self._dataset
        if self._in_hand is not None and self._settles:
            section, dataset = section.copy(), dataset.copy()
            section.add(self._consumed.copy())
            section.add(self._in_hand.copy())
            dataset.finish(section.done)
            dataset.leave(_withheld(section))
        return self._plain(section, dataset, seconds)

    def committed_state(self, seconds: float) -> dict[str, Any]:
        """Return plain data from which another run can go on after what is committed."""
        return self._plain(self.committed, self._dataset, seconds)

    def _plain(self, section: Section, dataset: Dataset, seconds: float) -> dict[str, Any]:
        planned = None if dataset.is_planned else self._loaded  # not yet: what was loaded still holds
        section = copy(section)
        section.reading = respelled(section.reading.items(), whole)
        state = State(
            section=section,
            options=self._options,
            dataset=dataset.fingerprint() if planned is None else planned.dataset,
            last_shard=dataset.last if planned is None else planned.last_shard,
            done_runs=dataset.runs() if planned is None else planned.done_runs,
            done_paths=dataset.paths(),
            seconds=seconds,
            is_finished=self.is_finished,
        )
        return to_plain(state)

    def _commit(self) -> None:
        self.committed.add(self._consumed)
        self._consumed = Section()
        self._dataset.finish(self.committed.done)
        self._dataset.leave(_withheld(self.committed))
        self.committed.done.clear()
        self.committed.withheld = None
        self.has_progress = True

    def _spelled(self, section: Section) -> Section:
        """Name the shards of a section that comes as this course does."""
        key = self._dataset.key
        section.reading = {key(shard): at for shard, at in section.reading.items()}
        for part in (section, section.withheld):
            if part is not None:
                part.done = [key(shard) for shard in part.done]
        return section

    def _check_planned(self) -> None:
        if self._loaded is not None and self._loaded.dataset is not None and not self._dataset.is_planned:
            raise CheckpointMismatchError(
                f"{self._origin}: the checkpoint is of a run that began with FilePartitioningStage, and this "
                "one does not; begin it in the same way, or remove the checkpoint"
            )


def _withheld(section: Section) -> list[str]:
    """The shards that a section calls withheld."""
    return [] if section.withheld is None else section.withheld.done
