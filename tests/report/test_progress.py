"""The progress of a run, in a real terminal and without one."""

from __future__ import annotations

import os
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest

from tarlight.events import BatchDelivered, PartitionsPlanned, RunEnded, RunStarted
from tarlight.ledger import Ledger
from tarlight.report.progress import make_listener
from tests.report.books import rich_books
from tests.terminal import run_in_pipes, run_in_terminal, without_colours

if TYPE_CHECKING:
    from pathlib import Path

_RUN = """
import sys, time
from tarlight.events import *
from tarlight.report.progress import make_listener
from tests.report.books import rich_books

started = time.monotonic()
books = rich_books()
listen = make_listener(lambda: books.report("running", time.monotonic() - started))
outcome = "finished"
listen(RunStarted("lo[red]ad\\x1b[2J"))
listen(PartitionsPlanned(2, 2, 500_000_000))
try:
    {body}
except KeyboardInterrupt:
    outcome = "stopped"
listen(RunEnded(outcome))
"""


def _program(body: str) -> list[str]:
    return ["-c", _RUN.replace("{body}", textwrap.indent(textwrap.dedent(body), "    ").strip())]


def test_a_terminal_shows_a_bar_and_then_the_ledger() -> None:
    """A terminal shows a bar with part, shards, rates and troubles, and in the end the table instead."""
    ran = run_in_terminal(_program("time.sleep(1.2)"))
    during, _, after = without_colours(ran.err).partition("finished: ")
    assert ran.code == 0
    for shown in (
        "lo[red]ad",
        "77%",
        "1/2 shards",
        "12,330 images",
        "images/s",
        "MB/s",
        "Mpix/s",
        "2 skipped",
    ):
        assert shown in during
    assert "512 B lost" in during
    assert "every image and byte accounted for" in after


def test_the_display_leaves_nothing_behind() -> None:
    """Before the ledger the bar is wiped and the cursor shown; no name can clear the screen."""
    shown = run_in_terminal(_program("time.sleep(0.8)")).err
    before = shown[: shown.index("finished: ")]
    assert before.rstrip("\x1b[0123456789;m").endswith(("\x1b[2K", "\x1b[?25h"))
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "\x1b[2J" not in shown


def test_the_cursor_is_never_hidden_for_long() -> None:
    """While the bar is drawn the cursor stays visible, so that even a killed program leaves it so."""
    shown = run_in_terminal(_program("time.sleep(0.8); import os; os.kill(os.getpid(), 9)"))
    assert shown.code == -9
    assert "1/2 shards" in shown.err
    assert shown.err.rindex("\x1b[?25h") > shown.err.rindex("\x1b[?25l")


def test_ctrl_c_leaves_the_terminal_clean() -> None:
    """After Ctrl-C the bar is wiped and the ledger says that the run was stopped."""
    ran = run_in_terminal(_program("time.sleep(60)"), interrupt_at="1/2 shards")
    assert ran.code == 0
    assert "stopped: 12,330 of 12,345 images" in without_colours(ran.err)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_the_display_fits_the_terminal(columns: int) -> None:
    """No line drawn is wider than the terminal, and wide terminals are not filled for its own sake."""
    shown = without_colours(run_in_terminal(_program("time.sleep(0.8)"), columns=columns).err)
    widths = [len(line) for line in shown.replace("\r", "\n").split("\n")]
    assert max(widths) <= min(columns, 110)


def test_a_terminal_without_colours_gets_none() -> None:
    """With NO_COLOR the display and the table set no colour."""
    shown = run_in_terminal(_program("time.sleep(0.8)"), NO_COLOR="1").err
    assert "finished: " in shown
    assert not [code for code in ("\x1b[32m", "\x1b[33m", "\x1b[31m", "38;5;") if code in shown]


def test_a_terminal_without_utf8_gets_ascii() -> None:
    """A terminal in ASCII gets a bar and a table of ASCII characters."""
    shown = run_in_terminal(_program("time.sleep(0.8)"), PYTHONIOENCODING="ascii").err
    assert "finished: " in shown
    assert shown.isascii()


def test_what_a_program_prints_stays_in_its_file(tmp_path: Path) -> None:
    """A standard output that is a file gets what the program prints, while the bar is on the terminal."""
    body = "time.sleep(0.8); print('my own line'); time.sleep(0.4)"
    with (tmp_path / "out").open("wb") as out:
        shown = run_in_terminal(_program(body), stdout=out.fileno())
    assert (tmp_path / "out").read_text() == "my own line\n"
    assert "my own line" not in shown.err


def test_what_a_program_prints_appears_above_the_bar() -> None:
    """Lines that a program prints on the same terminal are all there, each on a line of its own."""
    body = "for n in range(5): time.sleep(0.25); print('own line', n)"
    shown = without_colours(run_in_terminal(_program(body)).err).replace("\r", "\n")
    assert [line for line in shown.split("\n") if line.startswith("own line")] == [
        f"own line {n}" for n in range(5)
    ]


def test_without_a_terminal_there_are_plain_lines() -> None:
    """Without a terminal stderr gets a line after two seconds and then the table; stdout gets nothing."""
    ran = run_in_pipes(_program("time.sleep(2.6)"))
    first, second = ran.err.splitlines()[:2]
    assert ran.code == 0
    assert ran.out == ""
    assert first.startswith(r"lo[red]ad\x1b[2J: 1/2 shards, 12,330 images, ")
    assert second.startswith("finished: ")
    assert "\x1b" not in ran.err


def test_a_dumb_terminal_gets_plain_lines() -> None:
    """A terminal that understands no cursor movements gets no escape sequence."""
    ran = run_in_terminal(_program("time.sleep(0.8)"), TERM="dumb")
    assert "finished: " in ran.err
    assert "\x1b[" not in ran.err


def test_a_second_run_at_the_same_time_leaves_the_bar_alone() -> None:
    """Two runs at once on one terminal give one bar; both print their ledgers."""
    body = """
    other = make_listener(lambda: books.report("running", 1.0))
    time.sleep(0.5)
    other(RunStarted("other"))
    time.sleep(0.5)
    other(RunEnded("finished"))
    """
    shown = without_colours(run_in_terminal(_program(body)).err)
    assert shown.count("finished: ") == 2
    assert "other" not in shown


def test_nobody_reading_stderr_is_no_failure() -> None:
    """A run goes on to its end when whatever read its stderr has gone, or there never was a stderr."""
    command = "import os; r, w = os.pipe(); os.dup2(w, 2); os.close(r); os.close(w)\n"
    code = command + _program("time.sleep(2.3)")[1] + "\nos._exit(outcome == 'finished' and 7)"
    assert run_in_pipes(["-c", code]).code == 7
    closed = "import sys; sys.stderr = None\n" + _program("pass")[1]
    assert run_in_pipes(["-c", closed]).code == 0


def test_a_short_run_does_not_pay_for_rich() -> None:
    """A run that is over in an instant, and one without a terminal, never import the live display."""
    body = "pass"
    check = "\nassert 'rich.live' not in sys.modules and 'rich.progress_bar' not in sys.modules"
    assert run_in_terminal(["-c", _program(body)[1] + check]).code == 0
    assert run_in_pipes(["-c", _program(body)[1] + "\nassert 'rich' not in sys.modules"]).code == 0


def test_a_run_that_fails_before_it_reads_shows_no_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    """A failure before the shards are known prints nothing: the error says it all."""
    listen = make_listener(lambda: Ledger().report("running", 0.0))
    listen(RunStarted("load"))
    listen(RunEnded("failed"))
    assert capsys.readouterr() == ("", "")


def test_a_run_that_never_began_shows_no_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    """A stream that is closed before its first batch was asked for prints nothing."""
    make_listener(lambda: Ledger().report("running", 0.0))(RunEnded("stopped"))
    assert capsys.readouterr() == ("", "")


def test_no_thread_is_left_after_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """When `RunEnded` has been handled the display's thread is gone and the ledger is printed."""
    before = threading.active_count()
    books = rich_books()
    listen = make_listener(lambda: books.report("running", 0.0))
    for event in (RunStarted("load"), PartitionsPlanned(1, 1, 1), BatchDelivered(5), RunEnded("finished")):
        listen(event)
    assert threading.active_count() == before
    assert "finished: 12,330 of 12,345 images" in capsys.readouterr().err


def test_the_display_asks_for_few_reports() -> None:
    """However many batches come, the report is asked for a few times a second at most."""
    asked: list[int] = []
    books = rich_books()

    def report() -> object:
        asked.append(1)
        return books.report("running", 0.0)

    listen = make_listener(report)
    listen(RunStarted("load"))
    for _ in range(100_000):
        listen(BatchDelivered(1))
    listen(RunEnded("failed"))
    assert len(asked) <= 20


def test_the_environment_of_these_tests_has_no_terminal_of_its_own() -> None:
    """The helper gives a program a terminal of its own: its size is the one asked for, not ours."""
    assert (
        "73" in run_in_terminal(["-c", "import os; print(os.get_terminal_size(2).columns)"], columns=73).err
    )
    assert os.environ.get("TARLIGHT_DEBUG") != "1"


def test_a_terminal_shows_what_is_prepared_below_the_bar() -> None:
    """While something is prepared, a terminal says so in a line of its own, and nothing of images."""
    ran = run_in_terminal(_program('listen(Preparing("placing [b]workers")); time.sleep(1.2)'))
    during, _, _ = without_colours(ran.err).partition("finished: ")
    assert "placing [b]workers" in during
    assert "1/2 shards" not in during
