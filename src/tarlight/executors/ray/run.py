"""A run on a cluster, as the driver leads it.

The partitioning runs here, in the consumer's thread; everything after it in workers. The driver hands out
partitions, fetches one parcel at a time when the consumer asks for a task, and only then writes the parcel's
section into the books of the run: what has not arrived has not happened. So a partition whose worker died
goes on in another worker behind its last parcel that arrived, and every image is delivered once.

Success, failure and cancel (C11) are those of the local executor. Ctrl-C strikes while the driver waits;
workers then stop at the next group of images or call of a stage, tear their stages down, and are ended for
good after `GRACE_S` seconds.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from tarlight.errors import WorkerLostError
from tarlight.events import Preparing
from tarlight.executors.local import end_after, raise_first
from tarlight.executors.ray.cluster import Cluster, WorkerGoneError, pickle_stage
from tarlight.executors.ray.crew import Crew
from tarlight.executors.ray.inbox import Arrival, Inbox
from tarlight.executors.ray.loss import lost_section
from tarlight.executors.ray.partition import Backlog
from tarlight.executors.ray.request import fit_stages
from tarlight.ledger import Note
from tarlight.tasks import put_section

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from tarlight.executors.local import LocalRun
    from tarlight.executors.ray.member import Member
    from tarlight.executors.ray.option import RayOptions
    from tarlight.executors.ray.parcel import Hello, Reply
    from tarlight.executors.ray.partition import Partition
    from tarlight.ledger import Section
    from tarlight.stages.base import ProcessingStage, StageContext
    from tarlight.tasks import Task

    Stage = ProcessingStage[Any, Any]
    Tasks = LocalRun | Generator[Task, None, None]

log = logging.getLogger(__name__)

MAX_DEATHS = 4
"""Workers that may die of one partition before it is lost: the first, and three that try again."""

_POLL_S = 0.2
"""How long the driver waits at a stretch: the longest that Ctrl-C has to wait."""


class RayRun:
    """An iterator over the tasks of the last stage. For one thread.

    Args:
        tasks: what the stages that only plan give, in this process.
        stages: those that run in workers.
        context: lent by the stream.
        options: which cluster, how many workers, in which order.
    """

    def __init__(
        self, tasks: Tasks, stages: Sequence[Stage], context: StageContext, options: RayOptions
    ) -> None:
        self._tasks = tasks
        self._stages = stages
        self._context = context
        self._options = options
        self._watches = [watch for stage in stages if (watch := stage.watch(context)) is not None]
        self._backlog = Backlog(iter(tasks), context.course)
        self._inbox = Inbox(preserve_order=options.preserve_order)
        self._made: deque[Task] = deque()
        self._cluster = Cluster()
        self._crew = Crew(self._cluster, options)
        self._is_open = False
        self._where = self._step = ""
        self._has_worked = False
        self._num_stillborn = 0
        self._noted: set[Note] = set()
        self._is_closed = False

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        if self._is_closed:
            raise StopIteration
        try:
            return self._pull()
        except BaseException as error:
            end_after(error, partial(self._end, stopping=not isinstance(error, StopIteration)))
            raise

    def close(self) -> None:
        """End all workers and settle the ledger. May be called again; the first call does it all."""
        if not self._is_closed:
            self._end(stopping=True)

    def _pull(self) -> Task:
        if not self._is_open:
            self._open()
        while not self._made:
            if (arrival := self._inbox.take()) is not None:
                self._accept(arrival)
                continue
            self._crew.staff(self._backlog)
            self._crew.hand_out(self._backlog, self._inbox)
            if not self._is_busy():
                for watch in self._watches:
                    watch.finish()
                raise StopIteration
            self._crew.release_idle(self._backlog)
            self._crew.check_placement()
            self._wait()
        return self._made.popleft()

    def _open(self) -> None:
        """Connect, fit what the stages ask for to what there is, and send them on their way."""
        self._is_open = True
        with self._context.waiting():
            self._cluster.connect(self._options.address, self._tell)
        nodes = self._cluster.nodes()
        self._where = self._cluster.describe(nodes)
        log.info("%s works on a %s", self._context.dataset_name, self._where)
        fitted = fit_stages(self._stages, nodes)
        for note in (Note("", self._where, "cluster"), *fitted.notes):
            self._context.ledger.note(note)
        self._tell("")
        stages = tuple(pickle_stage(stage.as_part(), stage.label) for stage in fitted.stages)
        self._crew.equip(stages, self._context.dataset_name, fitted.request)

    def _tell(self, step: str) -> None:
        """Tell listeners what is waited for before the first batch, each time that it changes."""
        if step != self._step:
            self._step = step
            self._context.emit(Preparing(step))

    def _is_busy(self) -> bool:
        """Whether anything is still to come."""
        return bool(self._backlog.look_ahead(1)) or any(member.partitions for member in self._crew.members)

    def _wait(self) -> None:
        """Wait for the next answers of workers, and put what they announce into the inbox."""
        refs = self._crew.pending_refs()
        if not self._has_worked:
            self._tell(f"{self._crew.state} on the {self._where}")
        with self._context.waiting():
            done = self._cluster.wait(list(refs), _POLL_S)
        for ref in done:
            member = refs[ref]
            try:
                answer = self._cluster.fetch(ref)
            except WorkerGoneError as error:
                self._lose(member, str(error))
                continue
            if member.is_ready:
                self._sort_in(member, answer)
            else:
                self._greet(member, answer)

    def _greet(self, member: Member, hello: Hello) -> None:
        if hello.failure is not None:
            raise hello.failure.error()
        member.name = hello.name

    def _sort_in(self, member: Member, reply: Reply) -> None:
        answer = member.answers.popleft()
        self._has_worked = True
        self._tell("")
        self._context.times.take_in(member.name, reply.times)
        for parcel in reply.parcels:
            partition = next(one for one in member.partitions if one.index == parcel.index)
            has_tasks = not parcel.is_last and parcel.failure is None
            if parcel.is_last or parcel.failure is not None:
                member.partitions.remove(partition)
            elif has_tasks and parcel.num_bytes:
                self._cluster.prefetch(answer.tasks)
            self._inbox.put(Arrival(parcel, partition, member, answer.tasks if has_tasks else None))

    def _accept(self, arrival: Arrival) -> None:
        """Take what the consumer gets next out of the object store, and into the books."""
        parcel, partition = arrival.parcel, arrival.partition
        tasks: list[Task] = []
        if arrival.tasks is not None:
            try:
                with self._context.waiting():
                    tasks = self._cluster.fetch_tasks(arrival.tasks, self._stages[-1].label)
            except WorkerGoneError as error:
                self._lose(arrival.member, str(error), also=partition)
                return
        partition.settle(parcel)
        if parcel.is_last:
            self._inbox.finish(partition)
        self._made.extend(tasks)
        # What a stage failed at is in the books, but nobody has consumed it: a resumed run makes it again.
        is_settled = parcel.is_settling and parcel.failure is None
        self._settle(parcel.section, tasks if is_settled else None)
        if parcel.failure is not None:
            raise parcel.failure.error()

    def _settle(self, section: Section, tasks: list[Task] | None) -> None:
        """Write a section into the books; it rides on the last of its `tasks` to whoever commits.

        What workers say of the run as a whole each of them says; it is noted once.
        """
        named = [note for note in section.notes if note.shard or note not in self._noted]
        section.num_notes -= len(section.notes) - len(named)
        section.notes = named
        self._noted.update(note for note in section.notes if not note.shard)
        self._context.ledger.take_in(section)
        if tasks:
            put_section(tasks[-1], section)
        elif tasks is not None:
            self._context.trail.arrive(section)
        for watch in self._watches:
            watch.count(section)

    def _lose(self, member: Member, why: str, also: Partition | None = None) -> None:
        """A worker is gone: what it had in hand goes to others, or is given up."""
        self._crew.dismiss(member)
        self._check_birth(member, why)
        partitions, member.partitions = member.partitions, []
        if also is not None and also not in partitions:
            partitions.append(also)
        self._context.ledger.note(Note("", f"worker {member.name or '(new)'} was lost: {why}", "worker_lost"))
        for partition in partitions:
            if not partition.can_go_on:
                raise WorkerLostError(
                    f"a worker was lost ({why}) and task {partition.task.task_id!r} has a shard twice, so "
                    "that nobody can tell where to go on; give each shard once"
                )
            partition.deaths += len(partitions) == 1
            partition.take_back()
        given_up = [partition for partition in partitions if partition.deaths >= MAX_DEATHS]
        self._backlog.give_back(partition for partition in partitions if partition not in given_up)
        for partition in given_up:
            self._give_up(partition, why)

    def _check_birth(self, member: Member, why: str) -> None:
        """Workers that die before they can work would be replaced for ever."""
        self._num_stillborn = 0 if member.is_ready else self._num_stillborn + 1
        if self._num_stillborn >= MAX_DEATHS:
            raise WorkerLostError(
                f"{self._num_stillborn} workers in a row died while their stages were set up; {why}; "
                "is tarlight installed on every node, and does `setup` fit into its memory? See `ray logs`"
            )

    def _give_up(self, partition: Partition, why: str) -> None:
        cause = f"{partition.deaths} workers died of it, the last one: {why}"
        section = lost_section(partition, cause)
        self._inbox.finish(partition)
        self._settle(section, [])
        for watch in self._watches:
            watch.give_up(section)

    def _end(self, *, stopping: bool) -> None:
        self._is_closed = True
        self._context.ledger.leave(sum(task.num_images for task in self._made))
        self._made.clear()
        errors: list[BaseException] = []
        for end in (
            self._tasks.close,
            lambda: self._close_crew(errors, stopping=stopping),
            self._cluster.close,
        ):
            try:
                end()
            except BaseException as error:  # noqa: BLE001 (all must be ended before the first is raised)
                errors.append(error)
        raise_first(sorted(errors, key=lambda error: isinstance(error, Exception)))  # interrupts go first

    def _close_crew(self, errors: list[BaseException], *, stopping: bool) -> None:
        try:
            self._crew.close(stopping=stopping, waiting=self._context.waiting)
        finally:
            errors += self._crew.errors
