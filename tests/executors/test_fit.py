"""Stages that do not fit are refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tarlight.errors import ArgumentTypeError, PipelineError
from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.stages.fit import task_types
from tarlight.tasks import EmptyTask, FileGroupTask, ImageBatch, Task


class ByTypeArguments(ProcessingStage[FileGroupTask, ImageBatch]):
    def process(self, task):
        return None


class ByAnnotations(ProcessingStage):
    def process(self, task: ImageBatch) -> Iterator[ImageBatch] | None:
        return None


class Inherited(ByTypeArguments):
    pass


class Silent(ProcessingStage):
    def process(self, task):
        return task


class Start(ProcessingStage[EmptyTask, FileGroupTask]):
    def process(self, task):
        return None


@pytest.mark.parametrize(
    ("stage", "taken", "given"),
    [
        (ByTypeArguments, FileGroupTask, ImageBatch),
        (ByAnnotations, ImageBatch, ImageBatch),
        (Inherited, FileGroupTask, ImageBatch),
        (Silent, Task, Task),
    ],
)
def test_types_are_read(stage, taken, given):
    """Types come from type arguments, else from annotations, else anything fits."""
    assert task_types(stage) == ((taken,), (given,))


@pytest.mark.parametrize("stages", [[Start(), ByAnnotations()], [Start(), Inherited(), Inherited()]])
def test_misfits_are_refused(stages):
    """Two neighbours that do not fit are an error that names both."""
    with pytest.raises(PipelineError, match=r"takes .* but stage .* gives"):
        Pipeline(stages=stages).build()


@pytest.mark.parametrize("stages", [[Start(), Inherited(), Silent(), ByAnnotations()], [Silent()]])
def test_fits_are_built(stages):
    """What may fit is built."""
    Pipeline(stages=stages).build()


def test_no_stages():
    """A pipeline without stages is refused, with what to do."""
    with pytest.raises(PipelineError, match="add_stage"):
        Pipeline().run()


def test_one_stage_twice():
    """One stage object cannot stand in two places: it has state."""
    stage = Silent()
    with pytest.raises(PipelineError, match="twice"):
        Pipeline(stages=[stage, stage]).build()


def test_start_needs_a_source():
    """Without initial tasks the first stage must be one that starts a pipeline."""
    with pytest.raises(PipelineError, match="FilePartitioningStage"):
        Pipeline(stages=[ByTypeArguments()]).stream()


@pytest.mark.parametrize("stage", [None, "reader", Silent])
def test_stage_must_be_a_stage(stage):
    """Something that is no stage is refused when it is added."""
    with pytest.raises(ArgumentTypeError, match="ProcessingStage"):
        Pipeline().add_stage(stage)


def test_add_stage_chains():
    """`add_stage` gives back the pipeline."""
    pipeline = Pipeline("p", "a description", config={"owner": "us"})
    assert pipeline.add_stage(Start()).add_stage(Inherited()) is pipeline
    text = pipeline.describe()
    for word in ("a description", "owner", "Start", "Inherited"):
        assert word in text
