"""The local executor: all stages in this process.

Stages are chained as generators and pulled by the consumer: user stages run in the consumer's thread, the
reader stage works ahead in threads of its own. Success, failure and cancel (C11):

- **Success**: the last task has been taken; the layers end from first to last; `teardown` runs in reverse
  order.
- **Failure**: an exception of a stage goes to the consumer with a note that names stage and task. The layers
  are closed from last to first: each counts what it had taken and not handed on as undelivered, the reader
  joins its threads. Then `teardown`, in reverse order, for every stage whose `setup` began.
- **Cancel** (`close`, leaving a `with` block, Ctrl-C): as failure, without an exception of its own.

Every layer counts what it takes and what it gives; nothing is derived from its neighbour's counts. The
sections of the tasks it takes go on with the tasks it gives, see `tarlight.checkpoint.trail`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tarlight.checkpoint import Trail
from tarlight.errors import PipelineError
from tarlight.executors.tally import Tally, not_a_task
from tarlight.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tarlight.executors.base import Plan
    from tarlight.ledger import Ledger
    from tarlight.stages.base import ProcessingStage, StageContext

    Stage = ProcessingStage[Any, Any]


_END = object()
_NOTE = "in stage"
_AT_END = "and while the run was being ended"


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
            end_after(error, self._end)
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
            set_up(stage, self._context)
        tasks = _start(self._plan.initial_tasks, self._context.ledger)
        for stage, trail in zip(self._plan.stages, self._trails(), strict=True):
            stage.context = replace(self._context, trail=trail)
            layer = apply_stage(stage, tasks, stage.context)
            self._layers.append(layer)
            tasks = layer

    def _trails(self) -> list[Trail]:
        """One trail a stage, each leading to the next, and the last one to the consumer."""
        onward, trails = self._context.trail.arrive, []
        for _ in self._plan.stages:
            trails.append(Trail(onward))
            onward = trails[-1].arrive
        return trails[::-1]

    def _end(self) -> None:
        self._is_closed = True
        errors: list[Exception] = []
        endings = [layer.close for layer in reversed(self._layers)]
        endings += [partial(tear_down, stage) for stage in reversed(self._set_up)]
        for end in endings:
            try:
                end()
            except Exception as error:  # noqa: BLE001 (all must be closed before the first is raised)
                errors.append(error)
        raise_first(errors)


def _start(initial_tasks: Sequence[Task], ledger: Ledger) -> Iterator[Task]:
    """Yield the first tasks; images that they bring along count as added."""
    for task in initial_tasks:
        ledger.add(task.num_images)
        yield task


def apply_stage(stage: Stage, tasks: Iterator[Task], context: StageContext) -> Generator[Task, None, None]:
    """Yield what a stage makes of a stream of tasks, and account for the images it takes and gives.

    Each task carries the section that is settled with it; sections that none carries go to `context.trail`.
    """
    tally = Tally(stage, context)
    taken = tally.take(tasks)
    stream = stage.process_stream(taken)
    is_stream = stream is not None
    outputs = _one_by_one(stage, taken, tally, context) if stream is None else _streamed(stream, tally)
    try:
        while True:
            # A stream has several tasks at once.
            timed = context.times.stages.doing(stage.label)
            with timed, naming(stage, None if is_stream else tally):
                task = next(outputs, None)
            if task is None:
                break
            yield task
        tally.is_finished = True
    finally:
        outputs.close()
        tally.settle()


def _streamed(stream: Iterator[object], tally: Tally) -> Generator[Task, None, None]:
    try:
        for output in stream:
            task = tally.give(output)
            tally.give_same(task)
            yield task
    finally:
        _close(stream)


def _one_by_one(
    stage: Stage, tasks: Iterator[Task], tally: Tally, context: StageContext
) -> Generator[Task, None, None]:
    for task in tasks:
        with context.waiting():
            made = stage.process(task)
        if isinstance(made, Task):
            yield tally.give(made, is_last=True)
        elif made is not None:
            with closing(_each(stage, made, context)) as outputs:
                for output, is_last in _marked(outputs, ahead=context.trail.is_waiting):
                    yield tally.give(output, is_last=is_last)
        tally.settle_task()


def _marked(outputs: Generator[object, None, None], *, ahead: bool) -> Iterator[tuple[object, bool]]:
    """Yield outputs, and whether each is the last one; without `ahead` nobody needs to know."""
    if not ahead:
        yield from ((output, False) for output in outputs)
        return
    output, failure = next(outputs, _END), None
    while output is not _END:
        try:
            following = next(outputs, _END)
        except Exception as error:  # noqa: BLE001 (what was made before it is handed on first)
            following, failure = _END, error
        yield output, following is _END and failure is None
        output = following
    if failure is not None:
        raise failure


def _each(stage: Stage, made: object, context: StageContext) -> Generator[object, None, None]:
    if not isinstance(made, Iterable) or isinstance(made, str | bytes):
        raise PipelineError(not_a_task(stage, made))
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


def set_up(stage: Stage, context: StageContext) -> None:
    """Lend a stage its context and set it up; an exception is noted with the stage's name."""
    stage.context = context
    with context.waiting(), naming(stage):
        try:
            stage.setup()
        except StopIteration as error:  # it would look like the end of the run
            raise PipelineError(f"setup of stage {stage.label!r} raised StopIteration") from error


def tear_down(stage: Stage) -> None:
    """Tear a stage down and take its context back; an exception is noted with the stage's name."""
    try:
        with naming(stage):
            stage.teardown()
    finally:
        stage.context = None


def raise_first(errors: Sequence[BaseException]) -> None:
    """Raise the first of the errors of an end, if there are any, with the others noted on it."""
    for another in errors[1:]:
        _note_at_end(errors[0], another)
    if errors:
        raise errors[0]


def _note_at_end(error: BaseException, another: BaseException) -> None:
    """Note an error on another one, and what is noted on it in the same way."""
    error.add_note(f"{_AT_END}: {another!r}")
    for note in getattr(another, "__notes__", ()):
        if note.startswith(_AT_END):
            error.add_note(note)


def end_after(error: BaseException, end: Callable[[], object]) -> None:
    """End a run because of `error`, which stays the one that the consumer sees; others are noted on it.

    After the last task nothing else is told: an error of `end` is then the one that is raised.
    """
    try:
        end()
    except Exception as another:
        if isinstance(error, StopIteration):
            raise
        _note_at_end(error, another)
