"""Findings as a table for people: grouped by kind, most harmful first, each with an example and what to do.

Every text that came out of a shard goes through `label`.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, TextIO

from tarlight.inspect.checking.kind import Kind, Severity
from tarlight.report.figure import count, duration, num_bytes, plural
from tarlight.report.label import label, printable
from tarlight.report.paint import Span, Spans, columns, line, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.inspect.checking.finding import Finding, Findings

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_TITLES = {
    Severity.ERROR: ("Errors", "what a run does not deliver"),
    Severity.WARNING: ("Warnings", "delivered, but hardly as it was meant"),
    Severity.NOTE: ("Notes", "odd, and harmless as they stand"),
}
_INDENT = 4
_LONGEST_DETAIL = 600


def print_findings(findings: Findings, stream: TextIO, *, num_examples: int = 1) -> None:
    """Write the table to `stream`: in colour on a terminal (unless `NO_COLOR` is set), else as plain text."""
    encoding = stream.encoding or "ascii"
    lines = lay_out(findings, width=columns(stream), num_examples=num_examples, encoding=encoding)
    write_lines(lines, stream)


def lay_out(
    findings: Findings, *, width: int, num_examples: int = 1, encoding: str = "utf-8"
) -> Iterator[Spans]:
    """Yield the lines of the table, at most `width` columns wide."""
    yield from _head(findings, width)
    for note in findings.notes:
        yield from _wrapped(label(note, _LONGEST_DETAIL, encoding), width, "", "dim")
    for severity in Severity:
        kinds = [kind for kind in findings.counts if kind.severity is severity]
        if kinds:
            title, meaning = _TITLES[severity]
            yield ()
            fits = len(title) + 2 + len(meaning) <= width
            remark = Span(f"  {meaning}" if fits else "", "dim")
            yield line(Span(title, f"bold {_STYLES[severity]}"), remark)
        for kind in kinds:
            yield ()
            yield from _group(findings, kind, width, num_examples, encoding)


def _head(findings: Findings, width: int) -> Iterator[Spans]:
    by_severity = [
        plural(number, severity.value) for severity in Severity if (number := findings.count(severity))
    ]
    style = "bold green"
    if by_severity:
        worst = next(severity for severity in Severity if findings.count(severity))
        style = f"bold {_STYLES[worst]}"
    found = ", ".join(by_severity) or "nothing found"
    if findings.outcome == "finished":
        sound = "" if by_severity else "sound: "
        yield from _wrapped(f"{sound}{found} in {plural(findings.shards, 'shard')}", width, "", style)
    else:
        part = f"{count(findings.shards)} of {plural(findings.planned_shards, 'shard')}"
        yield from _wrapped(f"{findings.outcome}: only {part} checked", width, "", "bold yellow")
        yield from _wrapped(f"{found} so far", width, "", style)
        yield from _wrapped("keys, sidecars and numbering were not compared", width, "", "")
    depth = "all decoded" if findings.depth == "full" else "headers only"
    amounts = f"{plural(findings.records, 'record')}, {plural(findings.images, 'image')} ({depth})"
    took = f"{num_bytes(findings.bytes_read)} in {duration(findings.seconds)}"
    yield from _wrapped(f"{amounts}, {took}", width, "", "dim")


def _group(findings: Findings, kind: Kind, width: int, num_examples: int, encoding: str) -> Iterator[Spans]:
    number = count(findings.counts[kind])
    head = f"  {kind.value}  {number}"
    meaning = f"  {kind.meaning}"
    fits = len(head) + len(meaning) <= width
    name = Span(f"  {kind.value}", f"bold {_STYLES[kind.severity]}")
    yield line(name, Span(f"  {number}", "bold"), meaning if fits else "")
    if not fits:
        yield from _wrapped(kind.meaning, width, " " * _INDENT, "")
    examples = findings.of(kind)[:num_examples]
    for finding in examples:
        yield from _example(finding, width, encoding)
    if findings.counts[kind] > len(examples) > 1:
        yield line(Span(f"{' ' * _INDENT}and {count(findings.counts[kind] - len(examples))} more", "dim"))
    for advice in dict.fromkeys(finding.advice or kind.advice for finding in findings.of(kind)):
        yield from _wrapped(f"-> {advice}", width, " " * _INDENT, "dim")


def _example(finding: Finding, width: int, encoding: str) -> Iterator[Spans]:
    room = width - _INDENT
    place = _place(finding)
    shard_room = room - len(place) if room - len(place) >= room // 2 else room
    shard = label(finding.shard, shard_room, encoding)
    if len(shard) + len(place) <= room:
        yield line(" " * _INDENT, shard, Span(place, "dim"))
    else:
        yield line(" " * _INDENT, shard)
        yield line(Span(" " * (_INDENT + 2) + place.removeprefix(", "), "dim"))
    what = []
    if finding.member:
        what.append(label(finding.member, 2 * width, encoding))
    if finding.detail:
        what.append(printable(finding.detail, encoding)[:_LONGEST_DETAIL])
    yield from _wrapped(": ".join(what), width, " " * (_INDENT + 2), "")


def _place(finding: Finding) -> str:
    if finding.offset is None:
        return ""
    if finding.end is None:
        return f", byte {finding.offset:,}"
    return f", bytes {finding.offset:,} to {finding.end:,}"


def _wrapped(text: str, width: int, indent: str, style: str) -> Iterator[Spans]:
    hanging = indent + ("   " if text.startswith("-> ") else "")
    for part in textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False
    ):
        yield line(Span(part, style))
