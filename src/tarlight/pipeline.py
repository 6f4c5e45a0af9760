"""Pipelines: stages in a row, and what running them gives."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from tarlight.argument import check_path, check_text
from tarlight.checkpoint import CheckpointFile, LocalFile
from tarlight.checkpoint.file import NAME
from tarlight.errors import (
    ArgumentError,
    ArgumentTypeError,
    PipelineError,
    ResultTooLargeError,
    TarlightError,
)
from tarlight.executors.base import Plan
from tarlight.executors.choice import make_executor
from tarlight.memory import available_memory
from tarlight.stages.base import ProcessingStage
from tarlight.stages.fit import check_fit, check_start
from tarlight.storage import RemoteDocument, is_local, parse_size
from tarlight.stream import Stream
from tarlight.tasks import EmptyTask, Task

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from tarlight.checkpoint import Place
    from tarlight.events import Listener
    from tarlight.executors.base import Executor
    from tarlight.ledger import Report

Stage = ProcessingStage[Any, Any]


class PipelineResult(list[Any]):
    """Everything that a pipeline gave: a list of tasks, with the ledger of the run."""

    report: Report
    """The ledger."""

    def __init__(self, tasks: Sequence[Task], report: Report) -> None:
        super().__init__(tasks)
        self.report = report

    def __repr__(self) -> str:
        return f"PipelineResult({len(self)} tasks, {self.report.images_delivered} images delivered)"


class Pipeline:
    """Stages in a row. It may be run many times; runs do not share state.

    Not thread-safe while stages are added; one run of a pipeline at a time, since stages keep state.
    """

    def __init__(
        self,
        name: str = "pipeline",
        description: str | None = None,
        stages: Sequence[Stage] | None = None,
        config: dict[str, Any] | None = None,
    ) -> None:
        """Make a pipeline.

        Args:
            name: Becomes the `dataset_name` of every task.
            description: For people; shown by `describe`.
            stages: The first stages; `add_stage` adds more.
            config: Values of your own, kept with the pipeline and shown by `describe`.

        Raises:
            TypeError: an argument has the wrong type.
        """
        self.name = check_text("name", name)
        self.description = description
        self.config = dict(config or {})
        self.stages: list[Stage] = []
        for stage in stages or ():
            self.add_stage(stage)

    def add_stage(self, stage: Stage) -> Pipeline:
        """Append a stage. Returns the pipeline, so that calls can be chained."""
        if not isinstance(stage, ProcessingStage):
            raise ArgumentTypeError(
                f"stage must be a ProcessingStage, got {stage!r}; "
                "derive a class from tarlight.stages.base.ProcessingStage"
            )
        self.stages.append(stage)
        return self

    def build(self) -> None:
        """Check that there are stages and that each takes what the one before it gives. Reads nothing.

        Raises:
            PipelineError: no stages, one stage twice, or two neighbours that do not fit.
        """
        if not self.stages:
            raise PipelineError(f"pipeline {self.name!r} has no stages; add one with add_stage()")
        if len({id(stage) for stage in self.stages}) < len(self.stages):
            raise PipelineError(f"pipeline {self.name!r} holds one stage object twice; make two of them")
        check_fit(self.stages)

    def describe(self) -> str:
        """What the pipeline is made of, stage by stage, with the memory it may take."""
        lines = [f"Pipeline {self.name!r}" + (f": {self.description}" if self.description else "")]
        lines += [f"  config {key}: {value}" for key, value in self.config.items()]
        for number, stage in enumerate(self.stages, start=1):
            wants = stage.resources
            kind = f"{type(stage).__name__}; cpus={wants.cpus:g}, gpus={wants.gpus:g}"
            lines.append(f"  {number}. {stage.label} ({kind})")
            lines += [f"       {key}: {value}" for key, value in stage.describe().items()]
        return "\n".join(lines)

    def stream(
        self,
        executor: Executor | None = None,
        initial_tasks: Sequence[Task] | None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        *,
        listeners: Sequence[Listener] = (),
    ) -> Stream:
        """Run, and get the results one at a time, in bounded memory.

        Args:
            executor: Who runs the stages; by default the one that `TARLIGHT_EXECUTOR` names (`local`, `ray`),
                else this process.
            initial_tasks: What the first stage gets; by default one `EmptyTask`.
            checkpoint_path: A file (or a folder, for `checkpoint.json` in it) that keeps how far the run is:
                at every `Stream.commit()`, at the end, and else at most once a second. Where it is there
                already, the run goes on from it, with all counts of the runs before. Or an object in a bucket
                (`s3://`, `gs://`, `az://`; with a slash at its end a folder), written with the reader's
                `storage_options`, and so rarely that it takes a hundredth of the time.
            listeners: Told of every event of the run.

        Returns:
            An iterator over the tasks of the last stage (batches, for the documented pipeline) and a context
            manager: leaving it early ends all threads.

        Raises:
            PipelineError: the stages do not fit, or none of them reads what a checkpoint could go on with.
            CheckpointError: the file at `checkpoint_path` is damaged, or no checkpoint.
            CheckpointMismatchError: it was made with other options, or (with the first batch) of another
            dataset.
        """
        self.build()
        checkpoint = self._checkpoint(checkpoint_path)
        if initial_tasks is None:
            check_start(self.stages[0])
            initial_tasks = [EmptyTask(task_id="start", dataset_name=self.name)]
        plan = Plan(tuple(self.stages), tuple(initial_tasks))
        return Stream(self.name, plan, executor or make_executor(), listeners, checkpoint)

    def run(
        self,
        executor: Executor | None = None,
        initial_tasks: Sequence[Task] | None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        *,
        result_memory: int | str | None = None,
        listeners: Sequence[Listener] = (),
    ) -> PipelineResult:
        """Run to the end and return everything.

        Pixels are kept up to `result_memory`. Beyond it, where the last stage is the reader, images come back
        *released*: `image.image_data` decodes them again from the shard, bit for bit the same.

        Args:
            executor: Who runs the stages; by default the one that `TARLIGHT_EXECUTOR` names (`local`, `ray`),
                else this process.
            initial_tasks: What the first stage gets; by default one `EmptyTask`.
            checkpoint_path: As in `stream()`, for pipelines whose last stage keeps its output itself
                (`is_sink = True`); a resumed run returns what was left to do.
            result_memory: Bytes of pixels to keep, as an int or text such as "8GiB"; by default half of the
                memory that is available now.
            listeners: Told of every event of the run.

        Raises:
            ArgumentError: `checkpoint_path`, and the last stage does not keep its output.
            ResultTooLargeError: more than `result_memory`, and the pixels cannot be released.
            TarlightError: whatever a stage raises; the stage is named in the error's notes.
        """
        limit = _memory_limit(result_memory)
        if checkpoint_path is not None and self.stages and not self.stages[-1].is_sink:
            raise ArgumentError(_no_sink(self.stages[-1]))
        with self.stream(executor, initial_tasks, checkpoint_path, listeners=listeners) as stream:
            try:
                tasks = list(self._within(stream, limit))
            except TarlightError as error:
                error.add_note(f"the ledger of the run so far:\n{stream.report}")
                raise
            return PipelineResult(tasks, stream.report)

    def _checkpoint(self, path: str | os.PathLike[str] | None) -> CheckpointFile | None:
        if path is None:
            return None
        if not any(stage.makes_images for stage in self.stages):
            raise PipelineError(
                "checkpoint_path needs a stage that says what it has read, such as ImageReaderStage, and "
                f"pipeline {self.name!r} has none"
            )
        return CheckpointFile(self._place(path))

    def _place(self, path: str | os.PathLike[str]) -> Place:
        url = check_path("checkpoint_path", path)
        if is_local(url):
            return LocalFile(url)
        access = (stage.storage_access() for stage in self.stages)
        try:
            return RemoteDocument(
                f"{url}{NAME}" if url.endswith("/") else url, next(filter(None, access), None)
            )
        except ArgumentError as error:
            raise ArgumentError(f"checkpoint_path: {str(error).removeprefix('file_paths: ')}") from None

    def _within(self, stream: Stream, limit: int) -> Iterator[Task]:
        held, warned = 0, False
        for task in stream:
            if held + task.num_bytes <= limit:
                held += task.num_bytes
            elif not self.stages[-1].release(task):
                raise ResultTooLargeError(_too_large(limit))
            elif not warned:
                warned = True
                # Above this generator stands `run`, and above that whoever called it.
                warnings.warn(_released(limit), UserWarning, stacklevel=3)
            yield task


def _memory_limit(result_memory: int | str | None) -> int:
    if result_memory is None:
        return available_memory() // 2
    return parse_size(result_memory, "result_memory")


def _no_sink(stage: Stage) -> str:
    return (
        f"checkpoint_path: the last stage {stage.label!r} does not keep its output itself (is_sink is "
        "False), so what run() would return is lost when the run is killed; use "
        "Pipeline.stream(checkpoint_path=...), or end the pipeline in a stage that writes"
    )


def _released(limit: int) -> str:
    return (
        f"the results are larger than result_memory ({limit:,} bytes): the other images come back released "
        "and are decoded again on access; Pipeline.stream() gives one batch at a time in bounded memory"
    )


def _too_large(limit: int) -> str:
    return (
        f"the results are larger than result_memory ({limit:,} bytes) and their pixels cannot be released, "
        "because a stage of your own made or may have changed them, a shard is compressed, or they are on a "
        "GPU; use "
        "Pipeline.stream(), or end the pipeline in a stage that keeps less"
    )
