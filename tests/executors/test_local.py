"""The local executor."""

from __future__ import annotations

import pytest

from tarlight.errors import LedgerError
from tarlight.executors import local
from tarlight.executors.local import LocalExecutor
from tarlight.pipeline import Pipeline
from tarlight.report.table import format_ledger
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import ImageBatch

from .contract import ExecutorContract, Source


class TestLocalExecutor(ExecutorContract):
    """The shared suite on the local executor."""

    @pytest.fixture
    def executor(self):
        return LocalExecutor()


def test_names_no_workers():
    """Where all is done in this process, the report names no other."""
    report = Pipeline("p", stages=[Source()]).run().report
    assert report.workers == ()
    assert "workers" not in format_ledger(report)


def test_unbalanced_books_are_an_error(monkeypatch):
    """A run that loses a batch on the way to the consumer ends in LedgerError."""
    original = local.apply_stage

    def dropping(stage, tasks, context):
        for number, task in enumerate(original(stage, tasks, context)):
            if number != 1:
                yield task

    monkeypatch.setattr(local, "apply_stage", dropping)
    with pytest.raises(LedgerError, match="do not balance"):
        Pipeline("p", stages=[Source()]).run()


class Clinging(ProcessingStage[ImageBatch, ImageBatch]):
    """Cannot be torn down, and cannot work either if it is told so."""

    def __init__(self, name, *, works=True):
        self.name, self.works = name, works

    def process(self, task: ImageBatch) -> ImageBatch:
        """Work, or not."""
        if not self.works:
            raise ValueError(f"{self.name} cannot work")
        return task

    def teardown(self):
        """Fail."""
        raise RuntimeError(f"{self.name} cannot end")


@pytest.mark.parametrize("works", [True, False])
def test_all_that_goes_wrong_at_the_end_is_told(works):
    """Of several stages that fail as they are torn down each is told, whatever ended the run."""
    made = Pipeline("p", stages=[Source(), Clinging("one"), Clinging("two", works=works)])
    with pytest.raises((RuntimeError, ValueError)) as caught:
        made.run()
    told = [str(caught.value), *caught.value.__notes__]
    for name in ("one", "two"):
        assert sum(f"{name} cannot end" in text for text in told) == 1
