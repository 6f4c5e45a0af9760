"""`explain`: ceilings, a run, a verdict, and a second run that proves it."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tarlight.argument import check_bool, check_int, check_number
from tarlight.errors import InputMissingError, PipelineError
from tarlight.executors.base import Plan
from tarlight.executors.local import LocalExecutor
from tarlight.inspect.explaining.ceiling import Ceilings, measure_ceilings
from tarlight.inspect.explaining.material import Shard
from tarlight.inspect.explaining.observation import Observation, observe
from tarlight.inspect.explaining.verdict import WITHOUT, Judge, Setting, Verdict
from tarlight.pipeline import Pipeline
from tarlight.stages.base import StageContext
from tarlight.stages.image.io.image_reader import ImageReaderStage
from tarlight.tasks import EmptyTask, FileGroupTask
from tarlight.teller import Teller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.events import Listener

_MEASURING = 0.15
"""Part of `seconds` that each ceiling is measured for."""
_LONGEST_S = 2.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a pipeline is as fast as it is."""

    observed: Observation
    """The run."""
    ceilings: Ceilings
    """What each step can do alone."""
    limits: dict[str, float]
    """Images a second that the reading thread, the decoding threads and the consumer's thread (`thread`)
    would do if they never waited; `machine`: what parsing and decoding leave possible on all cores."""
    verdict: Verdict
    """Who holds up whom, and what to change."""
    num_threads: int
    """Decoding threads of the run."""
    verified: Observation | None = None
    """The run with the change, where that was asked for."""

    @property
    def expected_gain(self) -> float:
        """Times as fast as now that the change should make it; 1 without one."""
        return _ratio(self.verdict.expected_images_s, self.observed.images_s)

    @property
    def verified_gain(self) -> float | None:
        """Times as fast that it was with the change; None where that was not tried."""
        return None if self.verified is None else _ratio(self.verified.images_s, self.observed.images_s)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; a limit that is none is null."""
        plain = asdict(self)
        plain["limits"] = {
            name: None if limit == float("inf") else limit for name, limit in self.limits.items()
        }
        plain["observed"]["images_s"] = self.observed.images_s
        if self.verified is not None:
            plain["verified"]["images_s"] = self.verified.images_s
        return {**plain, "expected_gain": self.expected_gain, "verified_gain": self.verified_gain}


def explain(
    pipeline: Pipeline,
    *,
    seconds: float = 10.0,
    limit: int | None = None,
    verify: bool = False,
    listeners: Sequence[Listener] = (),
) -> Explanation:
    """Find out which stage of a pipeline holds up the others, and what to change.

    Measures what each step can do alone, on shards from the end of the dataset; then runs the pipeline from
    its beginning, in this process, and weighs the one against the other. Stages of your own do all they do:
    one that writes, writes. Whatever else the machine does meanwhile is in the figures.

    Args:
        pipeline: Has an `ImageReaderStage`. It is not changed.
        seconds: For about how long to run it; measuring takes up to as long again.
        limit: Stop the run after so many images, if that comes first.
        verify: Run it once more with the change. By then local shards may lie in the page cache.
        listeners: Told of the events of the run, and of the second one; before, of the search for the shards.

    Raises:
        PipelineError: The pipeline has no `ImageReaderStage`, or its stages do not fit.
        InputMissingError: A path is missing, or no image could be decoded.
        ArgumentError: A value is not allowed.
    """
    check_number("seconds", seconds, minimum=0.1)
    if limit is not None:
        check_int("limit", limit, minimum=1)
    check_bool("verify", verify)
    pipeline.build()
    reader = _reader_of(pipeline)
    shards = _shards_from_the_end(pipeline, reader, listeners)
    ceilings = measure_ceilings(shards, reader.options, min(seconds * _MEASURING, _LONGEST_S))
    observed = observe(pipeline, seconds, limit, listeners)
    judge = Judge(observed, ceilings, reader.options)
    verdict = judge.judge()
    found = Explanation(observed, ceilings, judge.limits(), verdict, reader.options.num_threads)
    if not verify or verdict.setting is None:
        return found
    changed = change(pipeline, verdict.setting)
    return found if changed is None else replace(found, verified=observe(changed, seconds, limit, listeners))


def change(pipeline: Pipeline, setting: Setting) -> Pipeline | None:
    """Return a pipeline with a setting changed; None where it cannot do without the stage."""
    if setting.name == WITHOUT:
        stages = [stage for stage in pipeline.stages if stage.label != setting.after]
    else:
        stages = [_with_option(stage, setting) for stage in pipeline.stages]
    changed = Pipeline(pipeline.name, stages=stages)
    try:
        changed.build()
    except PipelineError:
        return None
    return changed if len(stages) == len(pipeline.stages) or stages[0] is pipeline.stages[0] else None


def _with_option(stage: Any, setting: Setting) -> Any:
    if not isinstance(stage, ImageReaderStage):
        return stage
    reader = copy.copy(stage)
    reader.options = replace(stage.options, **{setting.name: setting.after})
    return reader


def _reader_of(pipeline: Pipeline) -> ImageReaderStage:
    for stage in pipeline.stages:
        if isinstance(stage, ImageReaderStage):
            return stage
    raise PipelineError(f"pipeline {pipeline.name!r} has no ImageReaderStage, so there is nothing to explain")


def _shards_from_the_end(
    pipeline: Pipeline, reader: ImageReaderStage, listeners: Sequence[Listener]
) -> list[Shard]:
    """Run the stages before the reader, and return the shards it would read: the last partition first."""
    before = pipeline.stages[: pipeline.stages.index(reader)]
    context = StageContext(emit=Teller(list(listeners)))
    run = LocalExecutor().start(Plan(before, [EmptyTask(dataset_name=pipeline.name)]), context)
    try:
        partitions = [(task.data, task.sizes) for task in run if isinstance(task, FileGroupTask)]
    finally:
        run.close()
    shards = []
    for paths, sizes in reversed(partitions):
        known = [*sizes, *[None] * (len(paths) - len(sizes))]
        shards += [Shard(path, size) for path, size in zip(paths, known, strict=False)]
    if not shards:
        raise InputMissingError(f"pipeline {pipeline.name!r}: the stages before the reader gave no shards")
    return shards


def _ratio(after: float, before: float) -> float:
    return after / before if before else 1.0
