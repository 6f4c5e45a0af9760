"""`tarlight load`, as people run it."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import pickle
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from tarlight.cli.app import app
from tarlight.cli.value import count_or_fraction
from tarlight.ledger import Ledger, Loss, LossReason
from tarlight.stages.image.io.option import ReaderOptions
from tests.reader.dataset import write_tar
from tests.terminal import run_in_pipes, run_in_terminal, without_colours

if TYPE_CHECKING:
    from pathlib import Path

LOAD = ("-m", "tarlight", "load")


def test_it_says_what_became_of_every_image(sound: str) -> None:
    """Loading a sound dataset exits with 0, prints the ledger on stderr and nothing on stdout."""
    ran = run_in_pipes([*LOAD, sound])
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("finished: 12 of 12 images delivered, 3 shards in ")
    assert "every image and byte accounted for" in ran.err


def test_json_on_standard_output_is_the_report(sound: str) -> None:
    """`--json -` writes the report, and nothing else, to standard output."""
    report = json.loads(run_in_pipes([*LOAD, sound, "--json", "-"]).out)
    assert (report["outcome"], report["images_delivered"], report["is_balanced"]) == ("finished", 12, True)


def test_json_in_a_file_is_the_report(sound: str, tmp_path: Path) -> None:
    """`--json FILE` writes the same report to a file."""
    run_in_pipes([*LOAD, sound, "--quiet", "--json", str(tmp_path / "report.json")])
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["outcome"], report["images_delivered"], report["is_balanced"]) == ("finished", 12, True)


@pytest.mark.parametrize(
    ("limit", "batch_size", "outcome"), [(1, 100, "stopped"), (5, 2, "stopped"), (99, 3, "finished")]
)
def test_a_limit_is_exact(sound: str, limit: int, batch_size: int, outcome: str) -> None:
    """`--limit N` delivers exactly N images, whatever the batch size, and the books balance."""
    options = ("--limit", str(limit), "--batch-size", str(batch_size), "--json", "-")
    ran = run_in_pipes([*LOAD, sound, *options])
    report = json.loads(ran.out)
    assert ran.code == 0
    assert report["images_delivered"] == min(limit, 12)
    assert (report["outcome"], report["is_balanced"]) == (outcome, True)


def test_a_limit_on_shards_reads_the_first_ones(sound: str) -> None:
    """`--limit-shards 2` reads two shards to their end."""
    report = json.loads(run_in_pipes([*LOAD, sound, "--limit-shards", "2", "--json", "-"]).out)
    assert (report["shards"], report["images_delivered"]) == (2, 8)


def test_fields_are_loaded_and_not_ignored(sound: str) -> None:
    """`--fields txt` takes the captions; what was not asked for is counted as ignored."""
    report = json.loads(run_in_pipes([*LOAD, sound, "--fields", "txt", "--json", "-"]).out)
    assert report["ignored"] == {".json": 12}


def test_quiet_shows_nothing(sound: str) -> None:
    """`--quiet` prints nothing when all goes well."""
    assert run_in_pipes([*LOAD, sound, "--quiet"]) == (0, "", "")


def test_strict_makes_damage_count(sample: Path, sound: str) -> None:
    """`--strict` exits with 1 when something was skipped or lost, and with 0 when nothing was."""
    assert run_in_pipes([*LOAD, str(sample / "damaged")]).code == 0
    assert run_in_pipes([*LOAD, str(sample / "damaged"), "--strict"]).code == 1
    assert run_in_pipes([*LOAD, sound, "--strict"]).code == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--batch-size", "0"], "--batch-size must"),
        (["--threads", "0"], "--threads must"),
        (["--decoder", "nosuch"], "--decoder must"),
        (["--on-error", "shrug"], "--on-error must"),
        (["--verify", "hope"], "--verify must"),
        (["--extensions", ".png"], "--extensions must"),
        (["--max-failures", "1.5"], "--max-failures must"),
        (["--limit", "0"], "--limit"),
        (["--json", "/no/such/folder/report.json"], "/no/such/folder"),
        (["--json", "report.txt"], "does not end in .json"),
        (["--shard-extensions", ","], "--shard-extensions: an empty list"),
        (
            ["--max-failures", "150%"],
            "--max-failures must be a count such as 10, or a part such as 1% or 0.01, up to 100%, got 150%",
        ),
        (["--max-failures", "-1%"], "--max-failures must be at least 0, got -1%"),
        (["--storage-option", "anon"], "'--storage-option': anon has no value: give anon=..."),
        (
            ["--storage-option", "hush"],
            "'--storage-option': give name=value, such as anon=true (what was given is",
        ),
        (
            ["--storage-option", "headers={"],
            "'--storage-option': the value of headers begins like JSON and is",
        ),
        (["--gpus-per-worker", "1.5"], "--gpus-per-worker must be a share of one GPU"),
        (["--executor", "ray", "--ray-address", ""], "--ray-address must not be empty"),
        (["--limit", "some"], "'--limit': give a whole number of at least 1, not 'some'"),
        (["--limit-shards", "0"], "'--limit-shards': give a whole number of at least 1, not '0'"),
        (["--threads", "1.5"], "'--threads': give a whole number, not '1.5'"),
        (["--gpus-per-worker", "half"], "'--gpus-per-worker': give a number, not 'half'"),
        (["--max-failures", "few"], "give a count (10) or a fraction (0.01 or 1%), not 'few'"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(
    sound: str, options: list[str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong option is named, without a traceback, before anything is read."""
    monkeypatch.setenv("COLUMNS", "200")
    ran = CliRunner().invoke(app, ["load", sound, *options])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert named in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "delivered" not in ran.stderr


def test_missing_input_exits_with_3() -> None:
    """A path that is not there is named in one line, and no ledger of nothing is shown."""
    ran = run_in_pipes([*LOAD, "/no/such/shards"])
    assert ran.code == 3
    assert ran.err.startswith("error: /no/such/shards")
    assert ran.err.count("\n") == 1


def test_an_error_that_stops_the_run_exits_with_4(sample: Path, tmp_path: Path) -> None:
    """With `--on-error raise` the ledger is shown and the report written before the error is told."""
    target = tmp_path / "report.json"
    ran = run_in_pipes([*LOAD, str(sample / "damaged"), "--on-error", "raise", "--json", str(target)])
    assert ran.code == 4
    assert ran.err.index("failed: ") < ran.err.index("error: ")
    assert "Traceback" not in ran.err
    assert json.loads(target.read_text())["outcome"] == "failed"


def test_debugging_shows_the_traceback(sample: Path) -> None:
    """TARLIGHT_DEBUG=1 adds the traceback and keeps the exit code."""
    ran = run_in_pipes([*LOAD, str(sample / "damaged"), "--on-error", "raise"], TARLIGHT_DEBUG="1")
    assert ran.code == 4
    assert "Traceback (most recent call last)" in ran.err


@pytest.mark.parametrize("typed", ["0", "1%", "0.010"])
def test_too_many_failures_stop_the_run(sample: Path, typed: str) -> None:
    """`--max-failures` stops a run with exit code 4, and says the limit as it was typed."""
    ran = run_in_pipes([*LOAD, str(sample / "damaged"), "--max-failures", typed])
    assert ran.code == 4
    assert f"more than --max-failures {typed};" in ran.err


def test_a_typed_fraction_travels_as_a_number() -> None:
    """A worker, which knows nothing of the command line, gets a plain float, and JSON a number."""
    typed = count_or_fraction("150%")
    assert (str(typed), f"{typed}", typed) == ("150%", "150%", 1.5)
    assert type(pickle.loads(pickle.dumps(typed))) is float
    assert json.dumps(typed) == "1.5"


def test_ctrl_c_stops_balances_and_exits_with_130(long_dataset: Path, tmp_path: Path) -> None:
    """Ctrl-C wipes the display, prints and writes the ledger of the stopped run, and exits with 130."""
    target = tmp_path / "report.json"
    ran = run_in_terminal([*LOAD, str(long_dataset), "--json", str(target)], interrupt_at="/4,000 shards")
    report = json.loads(target.read_text())
    assert ran.code == 130
    assert "stopped: " in without_colours(ran.err)
    assert "Traceback" not in ran.err
    assert (report["outcome"], report["is_balanced"]) == ("stopped", True)
    assert report["images_delivered"] < 16_000


def test_sigterm_stops_commits_and_exits_with_143(long_dataset: Path, tmp_path: Path) -> None:
    """SIGTERM ends a run as Ctrl-C does, with ledger and checkpoint; a second run delivers the rest."""
    checkpoint = ["--checkpoint", str(tmp_path / "c.json"), "--batch-size", "4"]
    ran = run_in_terminal(
        [*LOAD, str(long_dataset), *checkpoint], interrupt_at="/4,000 shards", interrupt=signal.SIGTERM
    )
    assert ran.code == 143
    assert "stopped: " in without_colours(ran.err)
    assert "Traceback" not in ran.err
    shown = without_colours(ran.err).rpartition("stopped: ")[2]
    kept = tmp_path / "c.json"
    if kept.exists():  # else nothing was consumed yet, on a busy machine
        before = json.loads(kept.read_text())["state"]["ledger"]["delivered"]
        assert 0 < before <= int(shown.split()[0].replace(",", ""))
    ran = run_in_pipes([*LOAD, str(long_dataset), *checkpoint])
    assert "finished: 16,000 of 16,000 images delivered" in ran.err


def test_sigterm_ends_what_ctrl_c_cannot(long_dataset: Path) -> None:
    """Where SIGINT is ignored, as shells have it in the background, SIGTERM ends the run nevertheless."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, *LOAD, str(long_dataset)], stderr=subprocess.DEVNULL)
    signal.signal(signal.SIGINT, before)
    while not _handles(child.pid, signal.SIGTERM):
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    child.terminate()
    assert child.wait(timeout=60) == 143


def _handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    mask = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(mask >> (number - 1) & 1)


def test_a_terminal_shows_progress_and_then_the_ledger(long_dataset: Path) -> None:
    """On a terminal the bar moves while images are loaded, towards the limit, and gives way to the ledger."""
    ran = run_in_terminal([*LOAD, str(long_dataset), "--limit", "1000"])
    during, _, after = without_colours(ran.err).partition("stopped: 1,000 of ")
    assert ran.code == 0
    assert during.count("images/s") > 1
    assert "every image and byte accounted for" in after


def test_a_reader_that_goes_away_is_no_crash(sound: str) -> None:
    """When nobody reads standard output any more the command ends with 4 and without a traceback."""
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, *LOAD, sound, "--quiet", "--json", "-"]
    ran = subprocess.run(command, check=False, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    assert (ran.returncode, ran.stderr) == (4, "")


def test_a_page_is_written_of_what_was_found_only(tmp_path: Path) -> None:
    """A run that finds no shards leaves an older page as it is, and makes no new one."""
    page = tmp_path / "page.html"
    ran = run_in_pipes([*LOAD, str(tmp_path / "nowhere"), "--report", str(page)])
    assert (ran.code, page.exists()) == (3, False)
    assert "a page of" not in ran.err


def test_a_target_that_fails_is_told_without_numbers() -> None:
    """A file that cannot be written after all is named with the reason, as other paths are."""
    ran = run_in_pipes(["-m", "tarlight", "sample", "/proc/tarlight"])
    assert (ran.code, ran.err) == (4, "error: /proc/tarlight: No such file or directory\n")


def test_without_colour_a_terminal_gets_plain_text(sound: str) -> None:
    """With NO_COLOR the ledger on a terminal has no escape sequence, and fits its width."""
    shown = run_in_terminal([*LOAD, sound], columns=60, NO_COLOR="1")
    table = shown.err[shown.err.index("finished") :]
    assert "\x1b" not in table
    assert max(map(len, table.splitlines())) <= 60


def test_errors_are_red_on_a_terminal_only() -> None:
    """The error line is red on a terminal, and plain with NO_COLOR or in a pipe."""
    missing = [*LOAD, "/no/such/shards"]
    assert "\x1b[31merror: " in run_in_terminal(missing).err
    assert "\x1b" not in run_in_terminal(missing, NO_COLOR="1").err
    assert "\x1b" not in run_in_pipes(missing).err


def test_no_path_can_act_on_the_terminal() -> None:
    """A path full of control characters is shown with escapes."""
    ran = run_in_terminal([*LOAD, "/no/\x1b[2J\x1b]0;owned\x07.tar"], NO_COLOR="1")
    assert ran.code == 3
    assert "\x1b" not in ran.err
    assert r"\x1b[2J" in ran.err


def test_json_never_overwrites_a_shard(sample: Path, tmp_path: Path) -> None:
    """`--json *.tar`, a link to a shard and a shard named like a report exit with 2, all unharmed."""
    shard = (sample / "00000.tar").read_bytes()
    for name in ("0.tar", "1.tar", "2.json"):
        (tmp_path / name).write_bytes(shard)
    (tmp_path / "link.json").symlink_to("0.tar")
    first, second, third = (str(tmp_path / name) for name in ("0.tar", "1.tar", "2.json"))
    for arguments in (
        [first, second],
        [str(tmp_path / "link.json"), second],
        [third, third],
        [third, str(tmp_path), "--shard-extensions", "json"],
    ):
        ran = run_in_pipes([*LOAD, "--json", *arguments])
        assert ran.code == 2, arguments
        assert "delivered" not in ran.err
    assert all((tmp_path / name).read_bytes() == shard for name in ("0.tar", "1.tar", "2.json"))


def test_a_report_may_be_written_again(sound: str, tmp_path: Path) -> None:
    """A report from an earlier run is replaced."""
    target = tmp_path / "report.json"
    for _ in range(2):
        assert run_in_pipes([*LOAD, sound, "--quiet", "--json", str(target)]).code == 0
    assert json.loads(target.read_text())["images_delivered"] == 12


def test_compressed_shards_are_noted_and_read_when_named(sample: Path, tmp_path: Path) -> None:
    """Shards passed over for their extension are told; `--shard-extensions` reads them too."""
    shard = (sample / "00000.tar").read_bytes()
    (tmp_path / "0.tar").write_bytes(shard)
    (tmp_path / "1.tar.gz").write_bytes(gzip.compress(shard))
    without = run_in_pipes([*LOAD, str(tmp_path)])
    assert "1 file was passed over: .tar.gz (1)" in without.err
    both = run_in_pipes([*LOAD, str(tmp_path), "--shard-extensions", ".tar,.tar.gz", "--json", "-"])
    report = json.loads(both.out)
    assert (report["shards"], report["images_delivered"], report["num_notes"]) == (2, 8, 0)


def test_a_closed_standard_output_is_told(sound: str) -> None:
    """`--json -` into a closed standard output is one line and exit code 4, before anything is loaded."""
    command = f"{shlex.join([sys.executable, *LOAD, sound, '--json', '-'])} >&-"
    ran = subprocess.run(["sh", "-c", command], check=False, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 4
    assert ran.stderr.startswith("error: --json -: standard output is closed")
    assert ran.stderr.count("\n") == 1


def test_cores_are_counted_where_the_system_knows_no_affinity(sound: str) -> None:
    """Without `os.sched_getaffinity`, which only Linux has, loading goes on all cores of the machine."""
    program = "import os; del os.sched_getaffinity\nfrom tarlight.cli import main\nmain()"
    assert run_in_pipes(["-c", program, "load", sound, "--quiet"]) == (0, "", "")


def test_the_help_says_what_fractions_and_strict_mean() -> None:
    """`--max-failures` tells when a part is looked at, `--strict` that notes do not count."""
    shown = run_in_pipes([*LOAD, "--help"], COLUMNS="400").out
    assert "looked at from the 100th image on, and once more at the end" in shown
    assert "broken fields) do not count" in shown


def test_the_help_says_what_ray_is_asked_for() -> None:
    """`--ray-address` tells of `local` too, and the share of a GPU that notes speak of is an option."""
    shown = " ".join(run_in_pipes([*LOAD, "--help"], COLUMNS="400").out.split())
    assert "The cluster: auto, host:port or ray://host:port; local for one of its own" in shown
    assert "--gpus-per-worker N Share of a GPU" in shown


def test_a_checkpoint_is_gone_on_from(sound: str, tmp_path: Path) -> None:
    """`--checkpoint FILE` keeps how far the run is; run again, it has nothing to do and reports the whole."""
    options = ("--checkpoint", str(tmp_path / "run.json"), "--json", "-", "--quiet")
    first, again = (json.loads(run_in_pipes([*LOAD, sound, *options]).out) for _ in range(2))
    assert json.loads((tmp_path / "run.json").read_text())["state"]["finished"] is True
    assert [note["kind"] for note in again["notes"]] == ["checkpoint"]
    assert (again["images_delivered"], again["shards"]) == (first["images_delivered"], first["shards"])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--checkpoint", "-"), 2),
        (("--checkpoint", "run.json", "--limit", "3"), 2),
        (("--checkpoint", "run.json", "--json", "./run.json"), 2),
        (("--checkpoint", "other.json"), 4),
    ],
)
def test_a_checkpoint_that_cannot_be(sound: str, tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    """A checkpoint that cannot be kept is a usage error; a file that is none stops the run and stays."""
    other = tmp_path / "other.json"
    other.write_text("{}")
    placed = [str(tmp_path / text) if text.endswith(".json") else text for text in options]
    ran = run_in_pipes([*LOAD, sound, *placed])
    assert (ran.code, other.read_text()) == (code, "{}")
    assert "checkpoint" in without_colours(ran.err).lower()


def test_a_checkpoint_of_something_else_is_wrong_usage(sample: Path, tmp_path: Path) -> None:
    """Other options or other shards than those of a checkpoint exit with 2, and say in what they differ."""
    kept = ("--checkpoint", str(tmp_path / "run.json"), "-q")
    first, second = str(sample / "00000.tar"), str(sample / "00001.tar")
    assert run_in_pipes([*LOAD, first, *kept]).code == 0
    options, shards = (
        run_in_pipes([*LOAD, first, "--fields", "txt", *kept]),
        run_in_pipes([*LOAD, second, *kept]),
    )
    assert (options.code, shards.code) == (2, 2)
    assert "--fields was not given and is txt" in options.err
    assert f"the last shard: {first} then, {second} now" in shards.err


def test_a_decoder_that_cannot_be_had_stops_the_run(sound: str) -> None:
    """A decoder that this machine cannot run is an error of the machine: 4, and what to ask for instead."""
    ran = run_in_pipes([*LOAD, sound, "--decoder", "nvimgcodec", "-q"], CUDA_VISIBLE_DEVICES="")
    assert ran.code == 4
    assert ran.err.startswith("error: --decoder nvimgcodec: ")
    assert "--decoder auto" in ran.err


def test_lists_may_be_given_in_parts(sound: str, tmp_path: Path) -> None:
    """`--fields txt --fields json,cls` asks for all three, as one list with commas does."""
    for fields in (["--fields", "txt", "--fields", "json,cls"], ["--fields", " txt, json,cls"]):
        ran = run_in_pipes([*LOAD, sound, *fields, "--json", "-"])
        report = json.loads(ran.out)
        assert report["ignored"] == {}
        assert [note["text"].split("'")[1] for note in report["notes"]] == ["cls"]


def test_verify_is_handed_to_the_reader(sound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--verify strict` reaches the reader, and loads what is sound."""
    made: list[str] = []
    check = ReaderOptions.__post_init__
    monkeypatch.setattr(
        ReaderOptions, "__post_init__", lambda options: (check(options), made.append(options.verify))
    )
    ran = CliRunner().invoke(app, ["load", sound, "--verify", "strict", "-q"])
    assert (ran.exit_code, made[0]) == (0, "strict")


@pytest.mark.parametrize(("delivered", "code"), [(0, 3), (1, 0)])
def test_a_run_that_could_read_nothing_exits_with_3(
    delivered: int, code: int, sound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing was delivered and reading failed, one line tells the first cause, and the code is 3."""
    ledger = Ledger()
    ledger.saw(delivered)
    ledger.deliver(delivered)
    for cause in ("a.tar: no answer", "b.tar: too busy"):
        ledger.lose(Loss(cause[:5], 0, 512, LossReason.READ_FAILED, cause))
    monkeypatch.setattr("tarlight.cli.app.load_dataset", lambda *_, **__: ledger.report("finished", 1.0))
    ran = CliRunner().invoke(app, ["load", sound, "-q"])
    told = "error: nothing could be read: a.tar: no answer\n" if code else ""
    assert (ran.exit_code, ran.stdout, ran.stderr) == (code, "", told)


@pytest.mark.parametrize("name", ["not_a_tar", "packed_xz"])
def test_a_file_that_is_no_tar_is_an_error(name: str, sample: Path) -> None:
    """Where nothing given is a shard, the code is 3 and the reason is told; beside shards it is a loss."""
    bad, good = str(sample / "damaged" / f"{name}.tar"), str(sample / "00000.tar")
    alone = run_in_pipes([*LOAD, bad, "-q"])
    assert alone.code == 3
    assert alone.err.startswith(f"error: nothing could be read: {bad}: ")
    assert run_in_pipes([*LOAD, good, bad, "-q"]).code == 0


def test_no_image_at_all_is_an_error(sound: str) -> None:
    """Shards in which nothing is an image end in exit code 3, and in what their members are."""
    ran = run_in_pipes([*LOAD, sound, "--extensions", ".jpeg", "--quiet"])
    assert ran.code == 3
    assert "no image was found: the members of these shards end in .jp" in ran.err
    assert "pass --extensions .jpg to read those" in ran.err


@pytest.mark.parametrize("command", ["load", "report"])
def test_images_of_other_formats_are_told(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where members are images that are not read here, the advice is none that is refused in turn."""
    write_tar(tmp_path / "a.tar", [("a.png", b"png"), ("b.webp", b"webp")])
    monkeypatch.chdir(tmp_path)
    ran = run_in_pipes(["-m", "tarlight", command, "a.tar", "-q"])
    assert ran.code == 3
    assert "end in .png, .webp; images are JPEG here" in ran.err
    assert "--extensions" not in ran.err


@pytest.mark.parametrize("other", [("--executor", "ray"), ("--checkpoint", "run.json")])
def test_an_option_is_named_as_it_is_typed(sound: str, tmp_path: Path, other: tuple[str, str]) -> None:
    """An error that begins with an option names it once, with two dashes."""
    ran = run_in_pipes([*LOAD, sound, "--limit", "3", *other])
    assert ran.code == 2
    assert ran.err.startswith("error: --limit ")
