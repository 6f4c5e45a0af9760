"""The ledger as a table: aligned text anywhere, in colour on a terminal.

`format_ledger` lays a report out; `print_ledger` chooses the width and the colours that a stream can show.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import TYPE_CHECKING, NamedTuple, TextIO

from tarlight.report.label import shorten
from tarlight.report.row import Row, Tone, headline, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.ledger import Report

_WIDTH = 110
"""Columns where no terminal tells its own."""
_NARROWEST = 40
_INDENT = "  "
_GAP = "  "
_STYLES: dict[Tone, str] = {"plain": "", "good": "green", "warn": "yellow", "bad": "bold red"}


class Line(NamedTuple):
    """One line of the laid-out table, in the parts that get a style of their own."""

    name: str
    amount: str = ""
    remark: str = ""
    tone: Tone = "plain"

    def __str__(self) -> str:
        return (self.name + self.amount + self.remark).rstrip()


def is_terminal(stream: TextIO | None) -> bool:
    """True when `stream` shows its text on a terminal that understands cursor movements; None is closed."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "") not in {"dumb", "unknown"}


def format_ledger(report: Report, *, width: int = _WIDTH, encoding: str = "utf-8") -> str:
    """Return the table as text, at most `width` columns wide; ends without a newline."""
    return "\n".join(map(str, lay_out(report, width=width, encoding=encoding)))


def print_ledger(report: Report, stream: TextIO) -> None:
    """Write the table to `stream`: in colour on a terminal (unless `NO_COLOR` is set), else as plain text."""
    encoding = stream.encoding or "ascii"
    if not is_terminal(stream):
        stream.write(format_ledger(report, encoding=encoding) + "\n")
        stream.flush()
        return
    if os.environ.get("NO_COLOR"):
        stream.write(format_ledger(report, width=_columns(stream), encoding=encoding) + "\n")
        stream.flush()
        return
    _print_in_colour(list(lay_out(report, width=_columns(stream), encoding=encoding)), stream)


def lay_out(report: Report, *, width: int, encoding: str = "utf-8") -> Iterator[Line]:
    """Yield the lines of the table, at most `width` columns wide (but never less than 40)."""
    width = max(width, _NARROWEST)
    head = headline(report)
    for text in textwrap.wrap(head.name, width):
        yield Line(text, tone=head.tone)
    body = list(rows(report, encoding))
    amount_width = max(len(row.amount) for row in body)
    longest = max(len(_INDENT) * row.depth + len(row.name) for row in body)
    name_width = min(longest, width // 2, width - len(_GAP) - amount_width)
    for row in body:
        yield from _row_lines(row, name_width, amount_width, width)


def _row_lines(row: Row, name_width: int, amount_width: int, width: int) -> Iterator[Line]:
    indent = _INDENT * row.depth
    name = f"{indent + shorten(row.name, name_width - len(indent)):<{name_width}}"
    amount = f"{_GAP}{row.amount:>{amount_width}}"
    fits = len(name) + len(amount) + len(_GAP) + len(row.remark) <= width
    yield Line(name, amount, _GAP + row.remark if fits else "", row.tone)
    for text in row.details if fits or not row.remark else (row.remark, *row.details):
        yield from _detail_lines(text, _INDENT * (row.depth + 2), width)


def _detail_lines(text: str, indent: str, width: int) -> Iterator[Line]:
    hanging = indent + _INDENT
    for line in textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False
    ):
        yield Line("", "", line)


def _columns(stream: TextIO) -> int:
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:  # a terminal that is none of the operating system's, for example an editor's
        columns = 0
    return min(columns or shutil.get_terminal_size((_WIDTH, 24)).columns, _WIDTH)


def _print_in_colour(lines: list[Line], stream: TextIO) -> None:
    from rich.console import Console  # noqa: PLC0415 (rich is for terminals only)
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=stream, force_terminal=True, highlight=False)
    for line in lines:
        style = _STYLES[line.tone]
        heading = "" if line.name.startswith(_INDENT) else "bold"
        text = Text.assemble((line.name, f"{heading} {style}"), (line.amount, style), (line.remark, "dim"))
        console.print(text, soft_wrap=True)
