"""Names out of shards are harmless when they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.report.label import label, printable, shorten

names = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
encodings = st.sampled_from(["utf-8", "ascii", "latin-1", "cp437"])


@given(names, encodings)
def test_nothing_shown_can_act_on_a_terminal(name: str, encoding: str) -> None:
    """Whatever a name holds, every character shown is printable and exists in the terminal's encoding."""
    shown = printable(name, encoding)
    assert shown.isprintable()
    assert shown.encode(encoding).decode(encoding) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=60))
def test_printable_names_are_shown_as_they_are(name: str) -> None:
    """Letters, digits, punctuation and symbols of any script stay what they are."""
    assert printable(name) == name


@given(names, st.integers(8, 100))
def test_a_label_is_never_longer_than_asked_for(name: str, width: int) -> None:
    """A label has at most the width that was asked for, escapes included."""
    assert len(label(name, width)) <= width


@given(st.text(min_size=40), st.integers(8, 39))
def test_the_middle_is_left_out(name: str, width: int) -> None:
    """A shortened name fills the width and keeps its beginning and its end, the end being longer."""
    kept = width - len("...")
    splits = ((name[:head], name[len(name) - (kept - head) :]) for head in range(kept // 2 + 1))
    assert shorten(name, width) in {f"{head}...{tail}" for head, tail in splits}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("x\u202egpj.exe", r"x\u202egpj.exe"),
        ("bytes \udcff\udc80", r"bytes \xff\x80"),
        ("\ud800", r"\ud800"),
        ("line\nbreak\ttab", r"line\x0abreak\x09tab"),
        ("\U000e0041", r"\U000e0041"),
        ("[red]markup[/red]", "[red]markup[/red]"),
    ],
)
def test_escapes_say_what_was_there(name: str, shown: str) -> None:
    """Control, format and undecodable characters are shown as the escapes that programmers know."""
    assert printable(name) == shown


def test_a_name_of_megabytes_is_cut_before_it_is_worked_on() -> None:
    """A label of a name of 50 MB of control characters is made from a few characters of it."""
    shown = label("\x1b" * 50_000_000, 40)
    assert len(shown) == 40
