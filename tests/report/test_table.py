"""The ledger as a table."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.ledger import Ledger, Loss, LossReason, Skip, SkipReason
from tarlight.report.row import LOSS_HINTS, SKIP_HINTS
from tarlight.report.table import format_ledger, print_ledger
from tarlight.stages.image.io.watch import note_unseen_fields
from tests.report.books import LONG_SHARD, hostile_books, rich_books


def _row(table: str, name: str) -> str:
    return next(
        line
        for line in table.splitlines()
        if line.split("  ")[0].strip() == name or line.strip().startswith(name)
    )


def test_every_figure_of_the_report_is_in_the_table() -> None:
    """Counts, reasons, places, decoders, fallbacks, notes and rates are all shown, thousands separated."""
    table = format_ledger(rich_books().report("stopped", 10.0))
    for name, amount in {
        "images seen": "12,345",
        "delivered": "12,330",
        "skipped": "2",
        "corrupt": "1",
        "filtered": "10",
        "drop_small": "10",
        "undelivered": "3",
        "members ignored": "24,693",
        "(no name)": "3",
        "bytes read": "384,123,456",
        "bad_header": "512",
        "turbo": "12,340",
        "turbo: 4:1:0 sampling": "3",
        "trailing": "1",
        "images/s": "1,233",
        "MB/s": "38.4",
        "Mpix/s": "247",
        "seconds": "10.00",
        "balanced": "yes",
    }.items():
        assert _row(table, name).removeprefix(_row(table, name).split(name)[0] + name).split()[0] == amount, (
            name
        )
    assert table.startswith(
        "stopped: 12,330 of 12,345 images delivered, 1 place lost (512 bytes), 1 shard in 10.0 s\n"
    )


def test_skips_and_losses_are_shown_with_an_example_and_its_place() -> None:
    """Each reason comes with one key and its shard, each loss with its shard and byte range."""
    table = format_ledger(rich_books().report("finished", 1.0))
    assert "e.g. 000123 in 00000.tar: 12 extraneous bytes" in table
    assert "bytes 12,800 to 13,312: after a/000031.jpg" in table


@pytest.mark.parametrize("width", [40, 80, 110])
def test_sentences_of_notes_and_losses_are_whole(width: int) -> None:
    """What a note or a loss says, up to its advice, can be read at any width, of every unseen field."""
    ledger, kinds = Ledger(), Counter({f".kind{number}": 9 for number in range(9)})
    kinds[f".{'x' * 5000}"] = 99
    ledger.ignore(kinds)
    note_unseen_fields(["caption_of_it", "kin"], ledger, ledger)
    ledger.lose(Loss("a.tar", 0, 512, LossReason.READ_FAILED, " ".join(map(str, range(60)))))
    words = " ".join(format_ledger(ledger.report("finished", 1.0), width=width).split())
    for note in ledger.report("finished", 1.0).notes:
        assert note.text in words
    assert f"bytes 0 to 512: {' '.join(map(str, range(60)))}" in words
    assert "no delivered image had the field 'kin'" in words


def test_long_paths_are_shortened_in_the_middle() -> None:
    """A long shard path keeps its end, which tells shards apart."""
    table = format_ledger(rich_books().report("finished", 1.0))
    assert LONG_SHARD not in table
    assert "train/00003.tar" in table


def test_a_loss_whose_cause_names_the_shard_again_shows_the_cause() -> None:
    """The shard that an error begins with is not repeated, so that all of its cause has room."""
    ledger, cause = (
        Ledger(),
        "the server closed the connection after 3 attempts; check the network, then run again",
    )
    ledger.lose(Loss(LONG_SHARD, 0, 512, LossReason.READ_FAILED, f"{LONG_SHARD}: {cause}"))
    table = " ".join(format_ledger(ledger.report("finished", 1.0)).split())
    assert f"bytes 0 to 512: {cause}" in table


def test_every_reason_has_a_hint() -> None:
    """Each reason of the closed lists is explained."""
    assert SKIP_HINTS.keys() == set(SkipReason)
    assert LOSS_HINTS.keys() == set(LossReason)


@given(st.integers(40, 200), st.sampled_from(["utf-8", "ascii"]))
def test_no_name_can_act_on_the_terminal(width: int, encoding: str) -> None:
    """With names full of control characters every line of the table is printable text."""
    table = format_ledger(hostile_books().report("finished", 1.0), width=width, encoding=encoding)
    assert all(line.isprintable() for line in table.splitlines())
    assert "[bold" in table
    table.encode(encoding)


@given(st.integers(40, 200))
def test_the_table_fits_its_width(width: int) -> None:
    """No line is wider than the terminal."""
    for books in (rich_books(10**12), hostile_books(), Ledger()):
        table = format_ledger(books.report("finished", 1.0), width=width)
        assert max(map(len, table.splitlines())) <= width


def test_amounts_are_aligned_at_their_right_end() -> None:
    """All amounts end in the same column."""
    lines = format_ledger(rich_books().report("finished", 1.0)).splitlines()[1:]
    ends = {
        line.rindex(amount) + len(amount)
        for amount in ("12,345", "384,123,456")
        for line in lines
        if amount in line
    }
    assert len(ends) == 1


def test_books_that_do_not_balance_are_called_so() -> None:
    """A report with a missing image says NO, how many are missing, and that it is a bug."""
    ledger = Ledger()
    ledger.saw(3)
    ledger.deliver(1)
    table = format_ledger(ledger.report("finished", 1.0))
    assert "NO" in _row(table, "balanced")
    assert "2 images unaccounted for" in table
    assert "bug" in table


def test_many_losses_are_cut_short_and_counted() -> None:
    """Only the first losses are listed; the rest is counted."""
    ledger = Ledger()
    for number in range(1_000):
        ledger.lose(Loss(f"{number}.tar", 0, 512, LossReason.NOT_A_TAR))
    table = format_ledger(ledger.report("finished", 1.0))
    assert "995 more" in table
    assert len(table.splitlines()) < 40


def test_examples_are_looked_for_among_the_kept_skips_only() -> None:
    """A reason that first occurs after the entries in memory is shown without an example."""
    ledger = Ledger()
    ledger.saw(10_001)
    for number in range(10_000):
        ledger.skip(Skip(str(number), "0.tar", "", 0, SkipReason.EMPTY))
    ledger.skip(Skip("late", "0.tar", "", 0, SkipReason.CORRUPT))
    table = format_ledger(ledger.report("finished", 1.0))
    assert "corrupt" in table
    assert "late" not in table


def test_an_empty_run_has_a_table() -> None:
    """A run without shards is shown, with zeros."""
    assert "0 of 0 images delivered" in format_ledger(Ledger().report("finished", 0.0))


def test_without_a_terminal_the_table_is_plain_text() -> None:
    """A stream that is no terminal gets the table without any escape sequence, ended by a newline."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    report = rich_books().report("finished", 1.0)
    print_ledger(report, stream)
    stream.seek(0)
    assert stream.read() == format_ledger(report, encoding="ascii") + "\n"


@pytest.mark.parametrize("width", [1, 20])
def test_a_terminal_narrower_than_sense_gets_40_columns(width: int) -> None:
    """Below 40 columns the table is laid out for 40."""
    report = rich_books().report("finished", 1.0)
    assert format_ledger(report, width=width) == format_ledger(report, width=40)


def test_the_headline_tells_lost_bytes() -> None:
    """A run that delivered every image and lost bytes says so in its first line; a sound one does not."""
    ledger = Ledger()
    ledger.saw(1)
    ledger.deliver(1)
    assert "lost" not in format_ledger(ledger.report("finished", 1.0)).splitlines()[0]
    for end in (1_024, 45_568):
        ledger.lose(Loss("0.tar", 512, end, LossReason.BAD_HEADER))
    head = format_ledger(ledger.report("finished", 1.0)).splitlines()[0]
    assert head == "finished: 1 of 1 image delivered, 2 places lost (45,568 bytes), 0 shards in 1.00 s"
