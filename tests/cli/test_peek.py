"""`tarlight peek`, as people run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.terminal import run_in_pipes, run_in_terminal, without_colours

if TYPE_CHECKING:
    from pathlib import Path

PEEK = ("-m", "tarlight", "peek")


def test_it_shows_the_first_records(sample: Path) -> None:
    """One line a record with key, dimensions, sizes and caption, and a last line that says what was read."""
    ran = run_in_pipes([*PEEK, str(sample / "*.tar"), "-n", "5"])
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["key", "width", "x", "height", "jpg", "txt", "json", "caption"]
    assert [line.split()[0] for line in lines[2:6]] == [f"{number:09}" for number in range(4)]
    assert lines[-1].startswith("5 records out of the first 2 of 3 shards; ")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_line_fits(sample: Path, columns: int) -> None:
    """In a terminal every line fits, captions are cut, and pictures stand side by side."""
    shown = run_in_terminal([*PEEK, str(sample / "*.tar"), "-n", "3", "--images"], columns=columns).err
    lines = without_colours(shown).splitlines()
    assert max(map(len, lines)) <= columns
    assert "\u2580" in shown
    assert ("000000000                 000000001" in "\n".join(lines)) == (columns >= 50)


def test_pictures_are_not_forced_into_pipes(sample: Path) -> None:
    """Without a terminal `--images` says why there are none; `--graphics` draws them all the same."""
    shard = str(sample / "00000.tar")
    ran = run_in_pipes([*PEEK, shard, "--images"])
    assert ran.err.startswith("no pictures: ")
    assert "\x1b" not in ran.out
    assert "\x1b_Ga=T" in run_in_pipes([*PEEK, shard, "--graphics", "kitty"]).out
    wrong = run_in_pipes([*PEEK, shard, "--graphics", "crayons"])
    assert (wrong.code, wrong.out) == (2, "")


def test_missing_input_exits_with_3(tmp_path: Path) -> None:
    """A path that is not there is told in one line."""
    ran = run_in_pipes([*PEEK, str(tmp_path / "nothing.tar")])
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)


def test_a_pattern_that_the_shell_took_is_told(sample: Path) -> None:
    """Of several paths, as a shell makes of a pattern, the error says to put it in quotes."""
    ran = run_in_pipes([*PEEK, *map(str, sample.glob("*.tar"))])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: PATH: peek takes one, and 3 were given")
    assert "in quotes" in ran.err
