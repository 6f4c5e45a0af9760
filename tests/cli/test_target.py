"""The files that commands write are tried before anything is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from tarlight.cli.app import app
from tests.terminal import run_in_pipes

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = (
    ("load", "--json", ".json"),
    ("load", "--report", ".html"),
    ("load", "--checkpoint", ".json"),
    ("report", "--output", ".html"),
    ("check", "--csv", ".csv"),
    ("explain", "--json", ".json"),
)


@pytest.mark.parametrize(("command", "option", "ending"), OPTIONS)
def test_what_cannot_be_written_is_told_at_once(
    command: str, option: str, ending: str, sound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where none can be made is wrong usage: the option is named, and nothing is read."""
    monkeypatch.setenv("COLUMNS", "200")
    ran = CliRunner().invoke(app, [command, sound, option, f"/proc/page{ending}"])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert f"Invalid value for '{option}'" in ran.stderr.replace("'--output' / '-o'", "'--output'")
    assert "cannot be written: No such file or directory" in ran.stderr
    assert "delivered" not in ran.stderr


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--report", ""),
        ("--report", "s3://bucket/page.html"),
        ("--report", f"{'x' * 246}.html"),
        ("--json", f"{'x' * 300}.json"),
        ("--json", "link.json"),
    ],
)
def test_names_of_no_file_are_refused(option: str, name: str, sound: str, tmp_path: Path) -> None:
    """No name, a URL, one too long (also with what is put before it) and a link into nowhere are usage."""
    (tmp_path / "link.json").symlink_to("nowhere/x.json")
    target = name if "://" in name or not name else str(tmp_path / name)
    ran = CliRunner().invoke(app, ["load", sound, option, target])
    assert ran.exit_code == 2
    assert f"Invalid value for '{option}'" in ran.stderr


def test_trying_leaves_nothing_behind_and_changes_nothing(tmp_path: Path) -> None:
    """A run that then fails leaves the page of an earlier run as it was, and no new file."""
    (tmp_path / "old.html").write_text("old")
    for name in ("old.html", "new.html"):
        ran = run_in_pipes(["-m", "tarlight", "report", "/no/such/shards", "-o", str(tmp_path / name)])
        assert ran.code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["old.html"]
    assert (tmp_path / "old.html").read_text() == "old"


def test_a_pipe_is_not_opened_before_its_time(sound: str, tmp_path: Path) -> None:
    """A named pipe is a target like any other: it is opened once, with the report."""
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "tarlight", "load", sound, "-q", "--json", str(pipe)]
    with subprocess.Popen(command) as child:
        assert json.loads(pipe.read_text())["images_delivered"] == 12
    assert child.returncode == 0
