"""Width x height of all images, as a map of counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tarlight.report.figure import count, plural
from tarlight.report.page.chart import BELOW, percent, plot, share, table_of, ticks_below
from tarlight.report.page.markup import Markup, element, join
from tarlight.report.page.scale import Axis, log_ticks
from tarlight.report.survey import CELLS_AN_OCTAVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Cells = Mapping[tuple[int, int], int]

HEIGHT = 492
"""Pixels from the axis to the top of the drawing."""
LEVELS = 6
"""Shades; each stands for an equal step of the logarithm of the count."""
_MOST_CELLS = 36
"""Columns, or rows, above which neighbours are put together."""
_LISTED = 40
"""Rows of the table."""
_TITLE = "Width and height"


def size_map(shapes: Cells) -> Markup:
    """Return a figure of images by width and height: heading, summary, drawing, table."""
    if not shapes:
        empty = element("p", "No image was delivered.", class_="empty")
        heading = element("h3", _TITLE)
        return element("figure", element("figcaption", heading), empty, class_="plot tall")
    merged, step = _merged(shapes)
    total, most = sum(shapes.values()), max(merged.values())
    (column, row), top = max(merged.items(), key=lambda item: item[1])
    summary = f"most often {_cell_label(column, row, step)}: {share(top, total)} of the images"
    below = [_legend(most), _table(merged, step)]
    drawing = _drawing(merged, step, most)
    return plot(_TITLE, summary, drawing, below, height=HEIGHT + BELOW, more="tall")


def _merged(shapes: Cells) -> tuple[dict[tuple[int, int], int], int]:
    """Put neighbouring cells together until there are few enough; the step is in finest cells."""
    columns = [column for column, _ in shapes]
    rows = [row for _, row in shapes]
    span = max(max(columns) - min(columns), max(rows) - min(rows)) + 1
    step = 1
    while span / step > _MOST_CELLS:
        step *= 2
    merged: dict[tuple[int, int], int] = {}
    for (column, row), number in shapes.items():
        cell = column // step, row // step
        merged[cell] = merged.get(cell, 0) + number
    return merged, step


def _drawing(cells: Cells, step: int, most: int) -> Iterator[Markup]:
    across = _axis([column for column, _ in cells], step)
    up = _axis([row for _, row in cells], step)
    for tick in up.ticks:
        y = HEIGHT * (1 - up.place(tick))
        yield element("line", class_="grid", x1="0", x2="100%", y1=y, y2=y)
        yield element("text", f"{tick:,.0f}", class_="tick end", x=-8, y=y + 4)
    yield element("line", class_="base", x1="0", x2="100%", y1=HEIGHT, y2=HEIGHT)
    yield from ticks_below(across, HEIGHT, lambda value: f"{value:,.0f}")
    for (column, row), number in sorted(cells.items()):
        tip = f"{_cell_label(column, row, step)}: {plural(number, 'image')}"
        sides = _sides(across, column, step), _sides(up, row, step)
        yield _cell(*sides, level=_level(number, most), tip=tip)
    yield from _diagonal(across, up)
    yield element("text", "width in pixels", class_="axis middle", x="50%", y=HEIGHT + 40)
    yield element("text", "height", class_="axis end", x=-8, y=-14)


def _axis(places: list[int], step: int) -> Axis:
    start, end = _edge(min(places) - 1, step), _edge(max(places) + 2, step)
    return Axis(start, end, is_log=True, ticks=log_ticks(start, end))


def _edge(place: int, step: int) -> float:
    return float(2.0 ** (place * step / CELLS_AN_OCTAVE))


def _sides(axis: Axis, place: int, step: int) -> tuple[float, float]:
    return axis.place(_edge(place, step)), axis.place(_edge(place + 1, step))


def _cell(across: tuple[float, float], up: tuple[float, float], *, level: int, tip: str) -> Markup:
    return element(
        "rect",
        class_=f"cell shade{level}",
        x=percent(across[0]),
        width=percent(across[1] - across[0]),
        y=HEIGHT * (1 - up[1]),
        height=HEIGHT * (up[1] - up[0]),
        data_tip=tip,
    )


def _diagonal(across: Axis, up: Axis) -> Iterator[Markup]:
    """A line where images are square, as far as it lies in the drawing."""
    low, high = max(across.start, up.start), min(across.end, up.end)
    if low >= high:
        return
    yield element(
        "line",
        class_="square",
        x1=percent(across.place(low)),
        y1=HEIGHT * (1 - up.place(low)),
        x2=percent(across.place(high)),
        y2=HEIGHT * (1 - up.place(high)),
    )
    x, y = percent(across.place(high)), HEIGHT * (1 - up.place(high))
    yield element("text", "square", class_="tick end", x=x, y=max(y, 0) + 12, dx=-18)


def _level(number: int, most: int) -> int:
    if most == 1:
        return LEVELS
    return 1 + min(int(LEVELS * math.log(number) / math.log(most)), LEVELS - 1)


def _side(place: int, step: int) -> str:
    low, high = math.ceil(_edge(place, step) - 1e-9), math.ceil(_edge(place + 1, step) - 1e-9) - 1
    return f"{low:,}" if high <= low else f"{low:,} to {high:,}"


def _cell_label(column: int, row: int, step: int) -> str:
    return f"{_side(column, step)} x {_side(row, step)} pixels"


def _legend(most: int) -> Markup:
    shades = [element("span", class_=f"swatch shade{level}") for level in range(1, LEVELS + 1)]
    return element("p", "1 image ", *shades, f" {count(most)}", class_="legend")


def _table(cells: Cells, step: int) -> Markup:
    head = element(
        "tr",
        element("th", "width", scope="col"),
        element("th", "height", scope="col"),
        element("th", "images", scope="col"),
    )
    ordered = sorted(cells.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        element(
            "tr",
            element("td", _side(column, step)),
            element("td", _side(row, step)),
            element("td", count(number)),
        )
        for (column, row), number in ordered[:_LISTED]
    ]
    rest = ordered[_LISTED:]
    if rest:
        others = sum(number for _, number in rest)
        rows.append(element("tr", element("td", "others", colspan=2), element("td", count(others))))
    return table_of(_TITLE, join(head, *rows))
