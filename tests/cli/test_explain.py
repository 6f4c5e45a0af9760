"""`tarlight explain`, as people run it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from tarlight.cli.waiting import Waiting
from tarlight.events import PartitionsPlanned, ShardsSought
from tests.terminal import run_in_pipes, run_in_terminal, without_colours

if TYPE_CHECKING:
    from pathlib import Path

EXPLAIN = ("-m", "tarlight", "explain")


def test_it_says_what_holds_up_the_others(sound: str) -> None:
    """Every stage has a line, the bottleneck is named, and only standard output is written to."""
    ran = run_in_pipes([*EXPLAIN, sound, "--seconds", "0.5"])
    assert (ran.code, ran.err) == (0, "")
    names = [line.split()[0] for line in ran.out.splitlines() if line]
    assert names[1:6] == ["stage", "store", "parsing", "decoding", "image_reader"]
    assert {"bottleneck", "change"} <= set(names)


def test_a_terminal_is_left_clean(sound: str) -> None:
    """What is shown while it measures is wiped, and nothing is wider than the terminal before the verdict."""
    shown = run_in_terminal([*EXPLAIN, sound, "--seconds", "0.5"], columns=80)
    assert shown.code == 0
    text = without_colours(shown.err.rpartition("\r")[2])
    assert "measuring" not in text
    assert "bottleneck" in text


def test_json_goes_where_it_is_told(sound: str, tmp_path: Path) -> None:
    """`--json` writes the figures; with `-q` nothing else is said."""
    target = tmp_path / "why.json"
    ran = run_in_pipes([*EXPLAIN, sound, "--seconds", "0.5", "-q", "--json", str(target)])
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    told = json.loads(target.read_text())
    assert told["observed"]["images"] == 12
    assert told["verdict"]["bottleneck"]


def test_wrong_values_and_missing_input_are_told(sound: str, tmp_path: Path) -> None:
    """A wrong bound exits with 2 in the words of the command line, a missing path with 3."""
    wrong = run_in_pipes([*EXPLAIN, sound, "--seconds", "0"])
    assert wrong.code == 2
    assert "--seconds" in wrong.err
    missing = run_in_pipes([*EXPLAIN, str(tmp_path / "no.tar")])
    assert (missing.code, missing.out, missing.err.count("\n")) == (3, "", 1)


def test_the_search_for_shards_is_shown_and_ended() -> None:
    """A display begins with the first news of a long search, and ends with the search or with the run."""
    waiting = Waiting()
    for last in (PartitionsPlanned(1, 1, 1), None):
        assert _displays() == 0
        waiting(ShardsSought(1_000, 5_000, 0))
        waiting(ShardsSought(2_000, 5_000, 0))
        assert _displays() == 1
        waiting.end() if last is None else waiting(last)
        assert _displays() == 0


def _displays() -> int:
    return sum(thread.name == "tarlight-progress-explain" for thread in threading.enumerate())
