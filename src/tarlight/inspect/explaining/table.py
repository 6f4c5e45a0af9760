"""An explanation as a table for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple, TextIO

from tarlight.inspect.explaining.verdict import BUDGET, PARSING, STORE_STAGE
from tarlight.ledger.times import DECODING, PARTITIONS, READING, ROOM, STORE, WORK
from tarlight.report.figure import count, digits, duration, num_bytes, plural
from tarlight.report.label import label
from tarlight.report.paint import Span, Spans, columns, line, write_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tarlight.inspect.explaining.run import Explanation
    from tarlight.inspect.explaining.verdict import Setting

_LEAST_SHOWN = 0.01
_FOR = {
    STORE: "store",
    ROOM: "room in the byte budget",
    PARTITIONS: "partitions",
    WORK: "images to decode",
    READING: "reading",
    DECODING: "decoding",
}
"""What is waited for, in words."""


class _Row(NamedTuple):
    name: str
    could: float
    """Images a second alone."""
    part: float
    """Of the time."""
    does: str
    waits: str


def print_explanation(found: Explanation, stream: TextIO, spell: Callable[[Setting], str] = str) -> None:
    """Write the table to `stream`: in colour on a terminal (unless `NO_COLOR` is set), else as plain text.

    `spell` says the setting to change in the words of who reads it.
    """
    encoding = stream.encoding or "ascii"
    write_lines(lay_out(found, width=columns(stream), encoding=encoding, spell=spell), stream)


def lay_out(
    found: Explanation, *, width: int, encoding: str = "utf-8", spell: Callable[[Setting], str] = str
) -> Iterator[Spans]:
    """Yield the lines of the table, at most `width` columns wide but for those of the verdict."""
    seen = found.observed
    rate = f"{digits(seen.images_s)} images/s"
    yield line(Span(rate, "bold"), f", {plural(seen.images, 'image')} in {duration(seen.seconds)}")
    yield ()
    head = f"{'stage':<20}  {'alone, images/s':>15}  {'of the time':<17}  waited for"
    yield line(Span(head[:width], "dim"))
    for row in _rows(found):
        yield _row_line(row, found.verdict.bottleneck, width, encoding)
    yield from (line(Span(text, "dim")) for text in textwrap.wrap(_measured(found), width))
    yield ()
    yield from _verdict_lines(found, encoding, spell)


def _rows(found: Explanation) -> Iterator[_Row]:
    seen, ceilings = found.observed, found.ceilings
    yield _Row(STORE_STAGE, ceilings.store_images_s, seen.store, "waited for", "")
    reader = {ROOM: seen.room, PARTITIONS: seen.waiting(READING, PARTITIONS)}
    yield _Row(PARSING, ceilings.parse_images_s, seen.busy(READING), "busy", _waits(reader))
    threads = found.num_threads
    idle = {WORK: seen.waiting(DECODING, WORK) / threads}
    ceiling = max(ceilings.decode_all_s, ceilings.decoder_s)
    yield _Row(DECODING, ceiling, seen.busy(DECODING, threads), "busy", _waits(idle))
    for name in seen.own_stages:
        spent = seen.times[name]
        alone = seen.images / spent.busy_s if spent.busy_s else 0.0
        waits = {what: seen.part(seconds) for what, seconds in spent.waits_s.items()}
        if seen.busy(name) < _LEAST_SHOWN and not waits:
            continue
        yield _Row(name, alone, seen.busy(name), "busy", _waits(waits))


def _waits(parts: dict[str, float]) -> str:
    shown = {what: part for what, part in parts.items() if part >= _LEAST_SHOWN}
    return ", ".join(f"{_FOR.get(what, what)} {part:.0%}" for what, part in shown.items())


def _row_line(row: _Row, bottleneck: str, width: int, encoding: str) -> Spans:
    style = "bold yellow" if row.name == bottleneck else ""
    name = f"{label(row.name, 20, encoding):<20}"
    text = f"  {count(row.could):>15}  {row.part:>4.0%} {row.does:<12}"
    return line(Span(name, style), Span(text, style), f"  {row.waits}"[: max(width - 59, 0)])


def _measured(found: Explanation) -> str:
    ceilings = found.ceilings
    return (
        f"alone: {num_bytes(ceilings.store_bytes_s)}/s from the store, cached or not as it lay; one thread "
        f"parsing; {ceilings.decoder} on {plural(ceilings.cores, 'core')} over "
        f"{plural(ceilings.images, 'image')} in RAM (libjpeg-turbo on one: {count(ceilings.decode_one_s)})"
    )


def _verdict_lines(found: Explanation, encoding: str, spell: Callable[[Setting], str]) -> Iterator[Spans]:
    verdict = found.verdict
    name = label(verdict.bottleneck, 40, encoding)
    what = "waited for" if verdict.bottleneck in {STORE_STAGE, BUDGET} else "busy"
    yield line("bottleneck  ", Span(name, "bold yellow"), f", {what} {verdict.share:.0%} of the time")
    if verdict.setting is None:
        yield line(f"change      nothing: {verdict.advice}")
        return
    yield line("change      ", Span(label(spell(verdict.setting), 100, encoding), "bold"))
    yield line(f"            {verdict.advice}")
    expected = f"{digits(verdict.expected_images_s)} images/s, {found.expected_gain:.2f} times as fast"
    yield line(f"expected    up to {expected}")
    if found.verified is not None:
        verified = f"{digits(found.verified.images_s)} images/s, {found.verified_gain:.2f} times as fast"
        yield line("verified    ", Span(verified, "green"))
