"""The words and numbers of a page: its headline, what was run, how fast, and what was noted."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from tarlight.report.figure import count, digits, duration, num_bytes, plural, rate
from tarlight.report.label import shorten
from tarlight.report.page.chart import percent, share
from tarlight.report.page.markup import Markup, element, shown_place
from tarlight.report.row import ACCOUNTED, unsized_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tarlight.ledger import Note, Report
    from tarlight.report.survey import Survey

_SOURCES = 8
_NOTE_KINDS = 12
_LOOKED_AT = 10_000
_TEXT = 240


def headline(survey: Survey) -> Markup:
    """Return the sentence, the bar of the books, and the figures under it."""
    report = survey.report
    return Markup(element("p", _sentence(report), class_="lead") + _books(report) + _figures(survey))


def _sentence(report: Report) -> str:
    gone = [f"{count(report.num_skipped)} skipped"] if report.num_skipped else []
    gone += [f"{count(report.num_filtered)} filtered"] if report.num_filtered else []
    gone += [f"{count(report.undelivered)} on their way when it stopped"] if report.undelivered else []
    places = len(report.losses)
    lost = f"{num_bytes(report.bytes_lost)} lost in {plural(places, 'place')}" if places else "nothing lost"
    if unsized := unsized_text(report):
        lost = f"{lost}, {unsized} among them"
    delivered = f"{count(report.images_delivered)} delivered"
    return (
        f"{plural(report.images_seen, 'image')} seen in {plural(report.shards, 'shard')}: "
        f"{', '.join([delivered, *gone])}, {lost}."
    )


def _parts(report: Report) -> list[tuple[str, int]]:
    return [
        ("delivered", report.images_delivered),
        ("skipped", report.num_skipped),
        ("filtered", report.num_filtered),
        ("undelivered", report.undelivered),
    ]


def _books(report: Report) -> Markup:
    """Return a bar of all images, by what became of them, with the verdict on the books."""
    parts = [(name, number) for name, number in _parts(report) if number]
    total, start, boxes = sum(number for _, number in parts), 0.0, []
    for name, number in parts:
        width = max(number / total, 0.004)
        boxes.append(
            element(
                "rect",
                class_=name,
                x=percent(min(start, 0.996)),
                width=percent(width),
                y=0,
                height=14,
                data_tip=f"{count(number)} {name} ({share(number, total)})",
            )
        )
        start += number / total
    legend = [
        element("li", element("span", class_=f"swatch {name}"), element("b", count(number)), f" {name}")
        for name, number in parts
    ]
    verdict = _verdict(report)
    bar = element("svg", *boxes, class_="books", height=14, aria_hidden="true")
    return element(
        "div", bar, element("ul", *legend, verdict, class_="legend", role="list"), class_="account"
    )


def _verdict(report: Report) -> Markup:
    if report.is_balanced:
        unsized = unsized_text(report)
        text = f"every image seen is accounted for; {unsized} lost" if unsized else ACCOUNTED
        return element("li", f"✓ {text}", class_="verdict")
    return element("li", "the books do not balance", class_="verdict bad")


def _figures(survey: Survey) -> Markup:
    report = survey.report
    entries = [
        ("images", count(report.images_delivered), "delivered"),
        ("shards", count(report.shards - report.shards_withheld), "read to their end"),
        ("data", num_bytes(report.bytes_read), "read"),
        ("pixels", _pixels(report.pixels), "decoded"),
        ("problems", count(sum(survey.problem_counts.values())), "skipped or lost"),
        ("speed", digits(rate(report.images_delivered, report.seconds)), "images a second"),
    ]
    boxes = [
        element("div", element("dt", name), element("dd", element("b", value), element("span", remark)))
        for name, value, remark in entries
    ]
    return element("dl", *boxes, class_="figures")


def _pixels(number: float) -> str:
    return f"{digits(number / 1e9)} Gpix" if number >= 1e9 else f"{digits(number / 1e6)} Mpix"  # noqa: PLR2004


def run_section(survey: Survey) -> Markup:
    """Return what was run, with which decoder, at what speed."""
    report, facts = survey.report, survey.facts
    rows: list[tuple[str, str]] = [("outcome", report.outcome), ("date", f"{survey.date} UTC")]
    rows += [("read", text) for text in _sources(facts.sources)]
    rows += [
        ("decoded by", _by_count(report.decoders) or "nothing"),
        *([("fallbacks", _by_count(report.fallbacks))] if report.fallbacks else []),
        ("time", duration(report.seconds)),
        ("speed", _speed(report)),
        *((name.replace("_", " "), value) for name, value in facts.settings.items()),
        *([("other members", _by_count(report.ignored))] if report.ignored else []),
        ("tarlight", survey.version),
    ]
    entries = [
        element("div", element("dt", name), element("dd", element("bdi", text))) for name, text in rows
    ]
    return Markup(element("dl", *entries, class_="facts-list") + _notes(report))


def _speed(report: Report) -> str:
    seconds = report.seconds
    return (
        f"{digits(rate(report.images_delivered, seconds))} images/s, "
        f"{digits(rate(report.bytes_read, seconds) / 1e6)} MB/s read, "
        f"{digits(rate(report.pixels, seconds) / 1e6)} Mpix/s decoded"
    )


def _sources(sources: tuple[str, ...]) -> Iterator[str]:
    for source in sources[:_SOURCES]:
        yield shown_place(source)
    if len(sources) > _SOURCES:
        yield f"and {len(sources) - _SOURCES:,} more"


def _by_count(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{shorten(name, 60) or '(no name)'}: {count(number)}" for name, number in ordered[:_NOTE_KINDS]]
    if len(ordered) > _NOTE_KINDS:
        parts.append(f"{len(ordered) - _NOTE_KINDS} kinds more")
    return ", ".join(parts)


def _notes(report: Report) -> Markup:
    if not len(report.notes):
        return Markup("")
    kinds: dict[str, list[Note]] = {}
    for note in islice(report.notes, _LOOKED_AT):
        kinds.setdefault(note.kind or "note", []).append(note)
    entries = [
        element(
            "li",
            element("b", f"{kind.replace('_', ' ')}, {count(len(notes))}: "),
            element("bdi", _note(notes[0])),
        )
        for kind, notes in list(kinds.items())[:_NOTE_KINDS]
    ]
    return Markup(
        element("h3", f"Noted ({count(len(report.notes))})")
        + element("p", "What cost no image, with one example of each kind.", class_="hint")
        + element("ul", *entries, class_="notes", role="list")
    )


def _note(note: Note) -> str:
    where = f"{shown_place(note.shard)}: " if note.shard else ""
    return shorten(where + note.text, _TEXT)
