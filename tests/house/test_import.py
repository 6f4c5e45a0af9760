"""Importing tarlight is cheap, and its short names are what they should be."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tarlight

HEAVY = ("PIL", "nvidia", "obstore", "ray", "rich", "simplejpeg", "torch", "typer", "webdataset")


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in ran.stdout.split()}


def test_importing_tarlight_loads_nothing_heavy() -> None:
    """`import tarlight` loads no decoder, no terminal library and none of the extras."""
    assert _modules_after("import tarlight").isdisjoint(HEAVY)


def test_the_documented_imports_load_no_terminal_library() -> None:
    """What the documented example imports loads neither rich nor typer nor any of the extras."""
    imports = (
        "from tarlight.pipeline import Pipeline\n"
        "from tarlight.stages.file_partitioning import FilePartitioningStage\n"
        "from tarlight.stages.image.io.image_reader import ImageReaderStage"
    )
    assert _modules_after(imports).isdisjoint({"nvidia", "ray", "rich", "torch", "typer"})


def test_the_command_line_loads_no_decoder_before_it_has_work() -> None:
    """Importing the command line, as `--help` does, loads neither numpy nor a decoder nor Pillow."""
    assert _modules_after("import tarlight.cli").isdisjoint({"PIL", "numpy", "simplejpeg"})


def test_the_list_of_short_names_is_sorted_and_has_no_name_twice() -> None:
    """`tarlight.__all__` is in alphabetical order, each name once."""
    assert list(tarlight.__all__) == sorted(set(tarlight.__all__))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "EmptyTask",
            "FileGroupTask",
            "ImageBatch",
            "ImageObject",
            "Pipeline",
            "PipelineResult",
            "Resources",
        ),
        *("FilePartitioningStage", "ImageReaderStage", "LocalExecutor", "ProcessingStage", "TarlightError"),
        "iter_members",
    ],
)
def test_the_promised_short_names_are_there(name: str) -> None:
    """Each name that the documentation promises can be had from `tarlight` itself."""
    assert name in tarlight.__all__
    assert name in dir(tarlight)


def test_every_short_name_is_the_thing_of_that_name() -> None:
    """Each exported name gives an object that calls itself so, and unknown names are an AttributeError."""
    assert {getattr(tarlight, name).__name__ for name in tarlight.__all__} == set(tarlight.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tarlight.no_such_name
