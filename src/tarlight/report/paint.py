"""Lines of text in styles, for tables that are more than the ledger's; and how wide text is on a terminal.

Strategy: a line is a row of spans; on a stream that is no terminal, or with `NO_COLOR`, only their texts are
written. Texts come in printable: whoever makes a span has put names through `label`.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple, TextIO

from tarlight.report.table import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 110
"""Columns where no terminal tells its own."""
NARROWEST = 40
WIDEST = 140
"""Longer lines are hard to read."""

_GAP = "..."
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


class Span(NamedTuple):
    """Text in one style."""

    text: str
    style: str = ""
    """Words such as `bold red`; empty for plain."""


Spans = tuple[Span, ...]


def line(*parts: Span | str) -> Spans:
    """Put a line together; plain texts stand for themselves."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def write_lines(lines: Iterable[Sequence[Span]], stream: TextIO) -> None:
    """Write lines to `stream`, in colour where it is a terminal that may have it."""
    in_colour = is_terminal(stream) and not os.environ.get("NO_COLOR")
    for spans in lines:
        text = "".join(_painted(span) if in_colour else span.text for span in spans)
        stream.write(text.rstrip() + "\n")
    stream.flush()


def columns(stream: TextIO) -> int:
    """Columns to lay out for: the terminal's, within reason, or `WIDTH` where there is none."""
    if not is_terminal(stream):
        return WIDTH
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except OSError:  # a terminal that is none of the operating system's
        found = 0
    return max(NARROWEST, min(found or shutil.get_terminal_size((WIDTH, 24)).columns, WIDEST))


def cells(text: str) -> int:
    """Columns that `text` takes on a terminal; East Asian characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 (rich is for terminals only)

    return cell_len(text)


def fit(text: str, width: int) -> str:
    """Return `text` in exactly `width` columns: its end cut off, or filled with spaces."""
    taken = cells(text)
    if taken > width:
        gap = _GAP[:width]
        text = text[:width]
        while cells(text) > width - len(gap):
            text = text[:-1]
        text += gap
        taken = cells(text)
    return text + " " * (width - taken)


def _painted(span: Span) -> str:
    codes = ";".join(_CODES[word] for word in span.style.split())
    return f"\x1b[{codes}m{span.text}\x1b[0m" if codes and span.text else span.text
