"""The command as such, and `tarlight sample`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.terminal import run_in_pipes, run_in_terminal, without_colours

TARLIGHT = ("-m", "tarlight")


def test_the_version_is_the_installed_one() -> None:
    """`--version` prints the version of the distribution."""
    assert run_in_pipes([*TARLIGHT, "--version"]) == (0, f"tarlight {version('tarlight')}\n", "")


@pytest.mark.parametrize("command", [[], ["load"], ["sample"], ["check"], ["peek"]])
def test_help_is_on_standard_output(command: list[str]) -> None:
    """`--help` exits with 0; without any argument the same help is shown, and that is wrong usage."""
    asked = run_in_pipes([*TARLIGHT, *command, "--help"])
    assert (asked.code, asked.err) == (0, "")
    assert "Usage: tarlight" in asked.out
    bare = run_in_pipes([*TARLIGHT, *command])
    assert bare.code == 2
    assert "Usage: tarlight" in bare.out + bare.err


def test_the_help_shows_examples_and_exit_codes() -> None:
    """The help of `load` has examples to copy and the meaning of the exit codes."""
    shown = run_in_pipes([*TARLIGHT, "load", "--help"], COLUMNS="120").out
    assert "tarlight load 'shards/{00000..00009}.tar' --fields txt,json --json report.json" in shown
    assert "130 Ctrl-C" in shown


def test_the_installed_command_is_the_module() -> None:
    """The script `tarlight` beside this Python does what `python -m tarlight` does."""
    script = Path(sys.executable).with_name("tarlight")
    assert script.exists()
    assert run_in_pipes([str(script), "--version"]) == run_in_pipes([*TARLIGHT, "--version"])


def test_the_sample_says_how_to_load_it(tmp_path: Path) -> None:
    """What `tarlight sample` tells to run next runs, from a folder with a space in its name too."""
    folder = tmp_path / "my sample"
    ran = run_in_pipes([*TARLIGHT, "sample", str(folder), "--images", "4", "--shards", "2", "--damage"])
    assert (ran.code, ran.err) == (0, "")
    assert "4 images in 2 shards" in ran.out
    told = [line.split(":", 1)[1].strip() for line in ran.out.splitlines() if ":  " in line]
    assert len(told) == 3
    for command in told:
        arguments = shlex.split(command)
        assert run_in_pipes(arguments[arguments.index("-m") :]).code == 0


def test_a_sample_overwrites_nothing(tmp_path: Path) -> None:
    """Writing a sample where one is exits with 2 and leaves the shards as they are."""
    command = [*TARLIGHT, "sample", str(tmp_path), "--images", "1", "--shards", "1"]
    assert run_in_pipes(command).code == 0
    before = (tmp_path / "00000.tar").read_bytes()
    assert run_in_pipes([*command, "--seed", "1"]).code == 2
    assert (tmp_path / "00000.tar").read_bytes() == before


def test_the_same_seed_draws_the_same_images(tmp_path: Path) -> None:
    """Two samples with one seed are equal byte for byte, with another seed they are not."""
    shards = []
    for seed in ("1", "1", "2"):
        run_in_pipes([*TARLIGHT, "sample", str(tmp_path), "--images", "1", "--shards", "1", "--seed", seed])
        shards.append((tmp_path / "00000.tar").read_bytes())
        shutil.rmtree(tmp_path)
    assert shards[0] == shards[1] != shards[2]


def test_ctrl_c_ends_drawing(tmp_path: Path) -> None:
    """Ctrl-C while images are drawn wipes the counting line and exits with 130."""
    command = [*TARLIGHT, "sample", str(tmp_path / "s"), "--images", "100000"]
    ran = run_in_terminal(command, interrupt_at="2 of 100,000")
    assert ran.code == 130
    assert ran.err.endswith("\r\x1b[K")
    assert "Traceback" not in without_colours(ran.err)


def test_the_sample_tells_the_command_as_it_was_called(tmp_path: Path) -> None:
    """A script that is not on PATH is told by its path, one that is by its name, a module as a module."""
    script = Path(sys.executable).with_name("tarlight")
    relative = os.path.relpath(script)
    for program, path, told in (
        (str(script), "/nowhere", f"{script} load "),
        (relative, "/nowhere", f"{relative} load "),
        (str(script), str(script.parent), ":  tarlight load "),
        ("-mtarlight", str(script.parent), f":  {Path(sys.executable).name} -m tarlight load "),
    ):
        folder = tmp_path / told.replace("/", "_")
        ran = run_in_pipes([program, "sample", str(folder), "--images", "1", "--shards", "1"], PATH=path)
        assert told in ran.out


@pytest.mark.parametrize("command", [["--help"], ["load", "--help"], ["--version"]])
def test_help_that_loses_its_reader_ends_quietly(command: list[str]) -> None:
    """`tarlight load --help | head -1` is no failure and says nothing."""
    ours, theirs = os.pipe()
    os.close(ours)
    program = [sys.executable, *TARLIGHT, *command]
    ran = subprocess.run(program, check=False, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("module", "by", "code"),
    [
        ("typer", "SIGINT", 130),
        ("tarlight.cli.app", "SIGINT", 130),
        ("tarlight.cli.exit_code", "SIGTERM", 143),
        ("rich", "SIGINT", 130),
        ("rich", "SIGTERM", 143),
    ],
)
def test_a_signal_during_start_up_ends_quietly(module: str, by: str, code: int) -> None:
    """Ctrl-C or SIGTERM while the command's own modules are being imported exits without a traceback."""
    program = f"""
import signal, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.{by})
sys.meta_path.insert(0, Finder())
from tarlight.cli import main
main()
"""
    assert run_in_pipes(["-c", program, "--help"]) == (code, "", "")


def test_a_sample_needs_a_folder_with_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is not taken for the current folder, and a name like an option is told so that it works."""
    monkeypatch.chdir(tmp_path)
    ran = run_in_pipes([*TARLIGHT, "sample", ""])
    assert (ran.code, list(tmp_path.iterdir())) == (2, [])
    assert ran.err.startswith("error: DIR must be a path")
    told = run_in_pipes([*TARLIGHT, "sample", "--images", "2", "--shards", "1", "--", "-x"]).out
    assert "load ./-x/*.tar" in told
