"""The compat distribution: the documented import paths give tarlight's own objects."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "compat" / "nemo_curator" / "src"

PATHS = [
    ("nemo_curator.pipeline", "Pipeline", "tarlight.pipeline"),
    ("nemo_curator.pipeline.pipeline", "Pipeline", "tarlight.pipeline"),
    ("nemo_curator.stages.file_partitioning", "FilePartitioningStage", "tarlight.stages.file_partitioning"),
    (
        "nemo_curator.stages.image.io.image_reader",
        "ImageReaderStage",
        "tarlight.stages.image.io.image_reader",
    ),
    ("nemo_curator.stages.base", "ProcessingStage", "tarlight.stages.base"),
    ("nemo_curator.stages.resources", "Resources", "tarlight.resources"),
    ("nemo_curator.tasks", "Task", "tarlight.tasks"),
    ("nemo_curator.tasks", "FileGroupTask", "tarlight.tasks"),
    ("nemo_curator.tasks", "ImageObject", "tarlight.tasks"),
    ("nemo_curator.tasks", "ImageBatch", "tarlight.tasks"),
    ("nemo_curator.tasks.file_group", "FileGroupTask", "tarlight.tasks"),
    ("nemo_curator.tasks.image", "ImageBatch", "tarlight.tasks"),
    ("nemo_curator.tasks.image", "ImageObject", "tarlight.tasks"),
    ("nemo_curator.tasks.tasks", "Task", "tarlight.tasks"),
]


@pytest.fixture(autouse=True)
def compat(monkeypatch):
    """The compat package, from the source tree where it is not installed."""
    monkeypatch.syspath_prepend(SOURCE)
    for name in [name for name in sys.modules if name.partition(".")[0] == "nemo_curator"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(("path", "name", "home"), PATHS)
def test_documented_paths_give_tarlights_objects(path, name, home):
    """What is imported by the documented path is tarlight's object itself, so the two mix freely."""
    module = importlib.import_module(path)
    assert getattr(module, name) is getattr(importlib.import_module(home), name)
    assert name in module.__all__


@pytest.mark.parametrize("path", ["nemo_curator.tasks", "nemo_curator.tasks.tasks"])
def test_the_empty_task_is_a_task_there(path):
    """`EmptyTask` is one task of tarlight's class, as code for the documented system uses it."""
    tasks, own = importlib.import_module(path), importlib.import_module("tarlight.tasks")
    assert tasks._EmptyTask is own.EmptyTask
    assert isinstance(tasks.EmptyTask, own.EmptyTask)
    assert tasks.EmptyTask.num_items == 0


def test_the_package_holds_re_exports_only():
    """No class, function or other import lives in the compat package: it cannot drift from tarlight."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.Import), file
            if isinstance(node, ast.ImportFrom):
                assert node.module.partition(".")[0] in {"nemo_curator", "tarlight"}, file


def test_tarlight_never_claims_the_name():
    """Our own distribution has no package `nemo_curator` and imports none."""
    for file in (SOURCE.parents[2] / "src").rglob("*.py"):
        assert "import nemo_curator" not in file.read_text()
        assert "from nemo_curator" not in file.read_text()
    assert not (SOURCE.parents[2] / "src" / "nemo_curator").exists()
