"""`tarlight check`, as people run it."""

from __future__ import annotations

import csv
import io
import json
import signal
from pathlib import Path

import pytest

from tarlight.inspect import Kind, Severity
from tests.cli.refusing import refusing_server
from tests.terminal import run_in_pipes, run_in_terminal, without_colours

CHECK = ("-m", "tarlight", "check")


def test_a_sound_dataset_is_called_sound(sound: str) -> None:
    """Nothing found is said in one line with what was looked at, and exits with 0."""
    ran = run_in_pipes([*CHECK, sound, "--fail-on", "note"])
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("sound: nothing found in 3 shards\n12 records, 12 images (all decoded), ")


def test_every_kind_is_shown_with_an_example_and_advice(sample: Path) -> None:
    """The table names each kind, most harmful first, with place and advice, and exits with 0 unless asked."""
    ran = run_in_pipes([*CHECK, str(sample / "faults")])
    assert (ran.code, ran.err) == (0, "")
    at = [ran.out.index(f"\n  {kind.value}  1") for kind in Kind]
    assert at == sorted(at)
    assert all(kind.advice in " ".join(ran.out.split()) for kind in Kind)
    assert all(f"\n{title}s  " in ran.out for title in ("Error", "Warning", "Note"))


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [
        ("error", 1),
        ("warning", 0),
        ("note", 1),
        ("uneven_shard", 0),
        ("trailing_bytes", 1),
        ("missing_shard, trailing_bytes", 1),
    ],
)
def test_findings_count_where_they_are_asked_to(sample: Path, fail_on: str, code: int) -> None:
    """`--fail-on` takes severities, which count from there up, and kinds, which count alone."""
    shard = sample / "faults" / ("00001.tar" if fail_on == "error" else "00025.tar")
    assert run_in_pipes([*CHECK, str(shard), "--fail-on", fail_on, "--fast", "-q"]) == (code, "", "")


def test_wrong_usage_is_told(sound: str, tmp_path: Path) -> None:
    """Unknown kinds and impossible targets exit with 2 before anything is read, missing paths with 3."""
    for options, told in (
        (["--fail-on", "everything"], "--fail-on: 'everything' is none of error, warning, note"),
        (["--csv", "findings.txt"], "does not end in .csv"),
        (["--json", "-", "--csv", "-"], "cannot both be standard output"),
        (["--extensions", ".png"], "--extensions must"),
        (["--threads", "-1"], "--threads must"),
    ):
        ran = run_in_pipes([*CHECK, sound, *options], COLUMNS="200")
        assert (ran.code, ran.out) == (2, "")
        assert told in ran.err
    missing = run_in_pipes([*CHECK, str(tmp_path / "nothing")])
    assert (missing.code, missing.out, missing.err.count("\n")) == (3, "", 1)


def test_json_and_csv_have_the_findings(sample: Path, tmp_path: Path) -> None:
    """`--json -` leaves standard output to the JSON, `--csv FILE` has one row a finding."""
    target = tmp_path / "findings.csv"
    ran = run_in_pipes([*CHECK, str(sample / "faults"), "--json", "-", "--csv", str(target)])
    found = json.loads(ran.out)
    assert [group["kind"] for group in found["findings"]] == [kind.value for kind in Kind]
    assert ran.err.startswith("14 errors, 8 warnings, 3 notes in 26 shards")
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert [row["kind"] for row in rows] == [kind.value for kind in Kind]
    assert {row["severity"] for row in rows} == {severity.value for severity in Severity}


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(sample: Path, columns: int) -> None:
    """In a terminal of any width every line fits, and NO_COLOR takes the colours away."""
    command = [*CHECK, str(sample / "faults"), str(sample / "damaged"), "--examples", "3"]
    shown = run_in_terminal(command, columns=columns)
    assert "\x1b[1;31m" in shown.err
    lines = without_colours(shown.err).splitlines()
    assert max(map(len, lines[1:])) <= columns, max(lines[1:], key=len)
    plain = run_in_terminal(command, columns=columns, NO_COLOR="1").err
    assert "\x1b[1;31m" not in plain


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_shows_what_was_found_so_far(long_dataset: Path, by: signal.Signals, code: int) -> None:
    """Ctrl-C exits with 130, and SIGTERM with 143, after a table that says how much was checked."""
    ran = run_in_terminal([*CHECK, str(long_dataset)], interrupt_at="/4,000 shards", interrupt=by)
    assert ran.code == code
    shown = without_colours(ran.err)
    assert "stopped: only " in shown
    assert " of 4,000 shards checked" in shown
    assert "keys, sidecars and numbering were not compared" in shown
    assert "Traceback" not in shown


def test_shards_that_are_refused_exit_with_3(sound: str, tmp_path: Path) -> None:
    """Missing and denied shards are findings with their own advice; others are checked; it exits with 3."""
    (shard,) = Path(sound).parent.glob("00000.tar")
    with refusing_server(shard.read_bytes()) as url:
        shards = [f"{url}/{status}.tar" for status in (403, 200, 404)]
        quiet = run_in_pipes([*CHECK, *shards, "-q", "--json", str(tmp_path / "found.json")])
        ran = run_in_pipes([*CHECK, *shards])
    assert (quiet.code, quiet.out, ran.code) == (3, "", 3)
    assert quiet.err.startswith(f"error: 2 shards could not be opened: {shards[0]}: access denied (HTTP 403")
    assert "-> Check the credentials" in ran.out
    assert "-> Check the path" in ran.out
    assert "Pack it as" not in ran.out
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["outcome"], found["shards_refused"], found["images"]) == ("finished", 2, 4)
