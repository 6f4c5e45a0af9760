"""`tarlight report`, and the page of `tarlight load`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.terminal import run_in_pipes

if TYPE_CHECKING:
    from pathlib import Path

REPORT = ("-m", "tarlight", "report")
LOAD = ("-m", "tarlight", "load")


def test_it_writes_a_page_and_says_so(sound: str, tmp_path: Path) -> None:
    """`tarlight report` exits with 0, prints ledger and page name on stderr, and writes the page."""
    target = tmp_path / "page.html"
    ran = run_in_pipes([*REPORT, sound, "-o", str(target)])
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("finished: 12 of 12 images delivered, 3 shards in ")
    assert f"{target}: a page of " in ran.err
    assert "12 images seen in 3 shards: 12 delivered, nothing lost." in target.read_text(encoding="utf-8")


def test_a_limit_counts(sound: str, tmp_path: Path) -> None:
    """With `--limit 5` the page is about five images."""
    target = tmp_path / "page.html"
    assert run_in_pipes([*REPORT, sound, "-o", str(target), "--limit", "5", "-q"]) == (0, "", "")
    assert "Of all 5 images delivered." in target.read_text(encoding="utf-8")


def test_loading_writes_the_same_page(sample: Path, tmp_path: Path) -> None:
    """`tarlight load --report` writes the page of its run beside its other results, and exits as ever."""
    target = tmp_path / "page.html"
    options = ("--fields", "txt", "--report", str(target), "--json", "-", "--strict", "-q")
    ran = run_in_pipes([*LOAD, str(sample), *options])
    report = json.loads(ran.out)
    assert ran.code == 1
    text = target.read_text(encoding="utf-8")
    assert f"{report['images_seen']} images seen in {report['shards']} shards" in text
    assert "A composition" in text or "rows of hills" in text or "flowers" in text or "window" in text


@pytest.mark.parametrize("command", [[*REPORT, "-o"], [*LOAD, "--report"]])
@pytest.mark.parametrize("target", ["page.json", "nowhere/page.html", "."])
def test_a_target_that_cannot_be_is_refused(
    sound: str, tmp_path: Path, command: list[str], target: str
) -> None:
    """A page that is not .html, lies in no folder or is one is refused with 2 before anything is read."""
    ran = run_in_pipes([*command, str(tmp_path / target), sound])
    assert ran.code == 2
    assert "images delivered" not in ran.err


def test_a_stopped_run_has_its_page(sample: Path, tmp_path: Path) -> None:
    """When `--on-error raise` stops a run, the page says how far it came."""
    target = tmp_path / "page.html"
    ran = run_in_pipes([*LOAD, str(sample), "--on-error", "raise", "--report", str(target), "-q"])
    assert ran.code == 4
    assert "The run failed" in target.read_text(encoding="utf-8")


def test_a_page_does_not_go_with_a_checkpoint(sound: str, tmp_path: Path) -> None:
    """A run that goes on from a checkpoint sees a part of the images only, so it is refused a page."""
    page, checkpoint = str(tmp_path / "page.html"), str(tmp_path / "checkpoint.json")
    ran = run_in_pipes([*LOAD, sound, "--report", page, "--checkpoint", checkpoint])
    assert ran.code == 2
    assert "--report does not go with --checkpoint" in ran.err
