"""The local executor: all stages in this process.

Stages are chained as generators and pulled by the consumer: user stages run in the consumer's thread, the
reader stage works ahead in threads of its own. Success, failure and cancel (C11):

- **Success**: the last task has been taken; the layers end from first to last; `teardown` runs in reverse
  order.
- **Failure**: an exception of a stage goes to the consumer with a note that names stage and task. The layers
  are closed from last to first: each counts what it had taken and not handed on as undelivered, the reader
  joins its threads. Then `teardown`, in reverse order, for every stage whose `setup` began.
- **Cancel** (`close`, leaving a `with` block, Ctrl-C): as failure, without an exception of its own.

Every layer counts what it takes and what it gives; nothing is derived from its neighbour's counts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tarlight.errors import PipelineError
from tarlight.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tarlight.executors.base import Plan
    from tarlight.ledger import Ledger
    from tarlight.stages.base import ProcessingStage, StageContext

    Stage = ProcessingStage[Any, Any]


_END = object()
_NOTE = "in stage"


class LocalExecutor:
    """Runs a pipeline in this process, in bounded memory and in order."""

    def start(self, plan: Plan, context: StageContext) -> LocalRun:
        """Begin to run. Nothing is read before the first task is asked for."""
        return LocalRun(plan, context)

    def __repr__(self) -> str:
        return "LocalExecutor()"


class LocalRun:
    """A run in this process: an iterator over the tasks of the last stage. For one thread."""

    def __init__(self, plan: Plan, context: StageContext) -> None:
        self._plan = plan
        self._context = context
        self._layers: list[Generator[Task, None, None]] = []
        self._set_up: list[Stage] = []
        self._is_open = False
        self._is_closed = False

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        if self._is_closed:
            raise StopIteration
        try:
            return self._pull()
        except BaseException as error:
            self._end_after(error)
            raise

    def close(self) -> None:
        """End all threads and settle the ledger. May be called again; the first call does it all."""
        if not self._is_closed:
            self._end()

    def _pull(self) -> Task:
        if not self._is_open:
            self._open()
        return next(self._layers[-1])

    def _open(self) -> None:
        self._is_open = True
        for stage in self._plan.stages:
            self._set_up.append(stage)
            stage.context = self._context
            with self._context.waiting(), naming(stage):
                _set_up(stage)
        tasks = _start(self._plan.initial_tasks, self._context.ledger)
        for stage in self._plan.stages:
            layer = apply_stage(stage, tasks, self._context)
            self._layers.append(layer)
            tasks = layer

    def _end_after(self, error: BaseException) -> None:
        """End the run because of `error`, which stays the one that the consumer sees."""
        try:
            self._end()
        except Exception as another:
            if isinstance(error, StopIteration):
                raise
            error.add_note(f"and while the run was being ended: {another!r}")

    def _end(self) -> None:
        self._is_closed = True
        errors: list[Exception] = []
        endings = [layer.close for layer in reversed(self._layers)]
        endings += [_teardown(stage) for stage in reversed(self._set_up)]
        for end in endings:
            try:
                end()
            except Exception as error:  # noqa: BLE001 (all must be closed before the first is raised)
                errors.append(error)
        if errors:
            raise errors[0]


def _start(initial_tasks: Sequence[Task], ledger: Ledger) -> Iterator[Task]:
    """Yield the first tasks; images that they bring along count as added."""
    for task in initial_tasks:
        ledger.add(task.num_images)
        yield task


def apply_stage(stage: Stage, tasks: Iterator[Task], context: StageContext) -> Generator[Task, None, None]:
    """Yield what a stage makes of a stream of tasks, and account for the images it takes and gives."""
    tally = Tally(stage, context.ledger)
    taken = tally.take(tasks)
    stream = stage.process_stream(taken)
    outputs: Iterator[object] = _one_by_one(stage, taken, tally, context) if stream is None else stream
    try:
        while True:
            with naming(stage, tally if stream is None else None):  # a stream works on several tasks at once
                output = next(outputs, _END)
                if output is _END:
                    break
                task = tally.give(output)
            yield task
        tally.is_finished = True
    finally:
        _close(outputs)
        tally.settle()


def _one_by_one(
    stage: Stage, tasks: Iterator[Task], tally: Tally, context: StageContext
) -> Generator[object, None, None]:
    for task in tasks:
        with context.waiting():
            made = stage.process(task)
        if isinstance(made, Task):
            yield made
        elif made is not None:
            yield from _each(stage, made, context)
        tally.settle_task()


def _each(stage: Stage, made: object, context: StageContext) -> Generator[object, None, None]:
    if not isinstance(made, Iterable) or isinstance(made, str | bytes):
        raise PipelineError(_not_a_task(stage, made))
    outputs = iter(made)
    try:
        while True:
            with context.waiting():
                output = next(outputs, _END)
            if output is _END:
                return
            yield output
    finally:
        _close(outputs)


def _close(outputs: object) -> None:
    """End a generator now, not when it is collected; plain iterators need no end."""
    if isinstance(outputs, Generator):
        outputs.close()


class Tally:
    """Counts the images that one stage takes and gives, for the ledger."""

    def __init__(self, stage: Stage, ledger: Ledger) -> None:
        self.task_id = ""
        self.is_finished = False
        self._stage = stage
        self._ledger = ledger
        self._dataset_name = ""
        self._num_given = 0
        self._taken = 0
        self._given = 0

    def take(self, tasks: Iterator[Task]) -> Iterator[Task]:
        """Yield the tasks, counting their images before the stage can change them."""
        for task in tasks:
            self.task_id, self._dataset_name, self._num_given = task.task_id, task.dataset_name, 0
            self._taken += task.num_images
            yield task

    def give(self, task: object) -> Task:
        """Count a task that the stage gives; it inherits an id and a data set name where it has none."""
        if not isinstance(task, Task):
            raise PipelineError(_not_a_task(self._stage, task))
        task.task_id = task.task_id or f"{self.task_id}.{self._num_given}"
        task.dataset_name = task.dataset_name or self._dataset_name
        self._num_given += 1
        self._given += task.num_images
        return task

    def settle_task(self) -> None:
        """A task has been worked off: what was not handed on was filtered."""
        self._settle(lambda images: self._ledger.filter(self._stage.label, images))

    def settle(self) -> None:
        """The stage has ended: what it still held was filtered if it finished, else it is undelivered."""
        if self.is_finished:
            self.settle_task()
        else:
            self._settle(self._ledger.leave)

    def _settle(self, missing: Callable[[int], None]) -> None:
        difference, self._taken, self._given = self._taken - self._given, 0, 0
        if self._stage.makes_images or difference == 0:
            return
        if difference > 0:
            missing(difference)
        else:
            self._ledger.add(-difference)


@contextmanager
def naming(stage: Stage, tally: Tally | None = None) -> Iterator[None]:
    """Note on any exception in which stage, and at which task, it happened first."""
    try:
        yield
    except Exception as error:
        if not any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ())):
            task = f", task {tally.task_id!r}" if tally is not None and tally.task_id else ""
            error.add_note(f"{_NOTE} {stage.label!r}{task}")
        raise


def _set_up(stage: Stage) -> None:
    try:
        stage.setup()
    except StopIteration as error:  # it would look like the end of the run
        raise PipelineError(f"setup of stage {stage.label!r} raised StopIteration") from error


def _teardown(stage: Stage) -> Callable[[], None]:
    def teardown() -> None:
        try:
            with naming(stage):
                stage.teardown()
        finally:
            stage.context = None

    return teardown


def _not_a_task(stage: Stage, made: object) -> str:
    return (
        f"stage {stage.label!r} gave a {type(made).__name__}; process() gives a Task, several (a list or a "
        "generator), or None"
    )
