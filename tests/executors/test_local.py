"""The local executor."""

from __future__ import annotations

import pytest

from tarlight.errors import LedgerError
from tarlight.executors import local
from tarlight.executors.local import LocalExecutor
from tarlight.pipeline import Pipeline
from tarlight.report.table import format_ledger

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
