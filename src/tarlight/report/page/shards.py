"""One row a shard, with a strip that shows where in the file images were delivered, skipped and lost."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tarlight.report.figure import count, num_bytes, plural
from tarlight.report.label import shorten
from tarlight.report.page.gallery import more_button
from tarlight.report.page.markup import Markup, common_folder, element, shown_place, without_secrets
from tarlight.report.survey import DELIVERED, LOST, SKIPPED

if TYPE_CHECKING:
    from tarlight.report.survey import Fold, ShardRow, Survey

FIRST = 24
"""Rows that are shown at once; a button shows the others."""
_KINDS = ((DELIVERED, "delivered"), (SKIPPED, "skipped"), (LOST, "lost"))
_WIDTH = 1000
"""Units across a strip, whatever its size on the page."""
_NAME = 60


def shard_section(survey: Survey) -> Markup:
    """Return the legend, the rows, and a sentence about the shards that have none."""
    shards = survey.shards
    if not shards:
        return element("p", "No shard was read.", class_="empty")
    folder = common_folder(row.path for row in shards)
    rows = [_row(row, folder) for row in shards]
    parts = [
        _legend(),
        element("ul", *rows, class_="shards", id="shards", role="list", data_first=FIRST),
    ]
    if len(shards) > FIRST:
        parts.append(more_button("shards", f"Show all {count(len(shards))} rows"))
    if survey.folded.shards:
        parts.append(_others(survey.folded))
    return Markup("".join(parts))


def _legend() -> Markup:
    entries = [
        element("li", element("span", class_=f"swatch {name}"), label)
        for name, label in (
            ("delivered", "images delivered"),
            ("skipped", "images skipped"),
            ("lost", "bytes lost"),
            ("rest", "neither"),
        )
    ]
    return element("ul", *entries, class_="legend", role="list")


def _row(row: ShardRow, folder: str) -> Markup:
    path = without_secrets(row.path)
    name = shorten(path.removeprefix(folder), _NAME)
    return element(
        "li",
        element("bdi", name, class_="key", title=shown_place(path)),
        _strip(row),
        element("p", *_counts(row), class_="counts"),
        class_="shard" if row.is_sound else "shard troubled",
    )


def _counts(row: ShardRow) -> list[Markup]:
    parts = [element("span", f"{count(row.delivered)} delivered", class_="delivered")]
    if row.skipped:
        parts.append(element("span", f"{count(row.skipped)} skipped", class_="skipped"))
    if row.bytes_lost:
        parts.append(element("span", f"{num_bytes(row.bytes_lost)} lost", class_="lost"))
    elif row.has_losses:
        parts.append(element("span", "lost, nobody knows how much", class_="lost"))
    parts.append(element("span", num_bytes(row.size), class_="size"))
    return parts


def _strip(row: ShardRow) -> Markup:
    """Return the strip: a path for each kind, with one box for each run of cells."""
    paths = [element("path", class_=name, d=boxes) for bit, name in _KINDS if (boxes := _boxes(row, bit))]
    return element(
        "svg",
        *paths,
        class_="strip",
        viewBox=f"0 0 {_WIDTH} 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _boxes(row: ShardRow, bit: int) -> str:
    boxes, cell = [], 0
    for has_it, run in groupby(row.cells, key=lambda bits: bool(bits & bit)):
        length = len(list(run))
        if has_it:
            left, right = (
                round(min(place * row.cell_bytes / row.size, 1) * _WIDTH) for place in (cell, cell + length)
            )
            boxes.append(f"M{left} 0H{max(right, left + 2)}V10H{left}z")
        cell += length
    return "".join(boxes)


def _others(folded: Fold) -> Markup:
    parts = [f"{count(folded.delivered)} images delivered"]
    if folded.skipped:
        parts.append(f"{count(folded.skipped)} skipped")
    if folded.bytes_lost:
        parts.append(f"{num_bytes(folded.bytes_lost)} lost")
    sound = "" if folded.skipped or folded.bytes_lost else ", all sound"
    text = f"And {plural(folded.shards, 'more shard')}{sound}: {', '.join(parts)}."
    return element("p", text, class_="folded")
