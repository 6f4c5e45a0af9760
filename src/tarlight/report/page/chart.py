"""Bar charts as SVG that grows with the page while its text keeps its size.

Across, everything is in percent of the drawing, down in pixels; so one drawing serves a phone and a
wide screen.
Colours come from the page's style sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tarlight.report.figure import count, plural
from tarlight.report.page.markup import Markup, element, join
from tarlight.report.page.scale import Axis, Histogram, count_axis, histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tarlight.report.survey import Distribution

HEIGHT = 170
"""Pixels from the axis to the top of the drawing."""
BELOW = 44
"""Pixels below the axis, for its labels and title."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity, and how it is shown."""

    title: str
    """The heading."""
    axis_title: str
    """What is on the axis, with its unit."""
    shown: Distribution
    """The values."""
    label: Callable[[float], str]
    """A value as text."""
    unit: str = ""
    """What follows the last value of a text."""
    noun: str = "image"
    """What is counted."""
    whole: bool = False
    """Whether values are whole numbers."""
    bounds: tuple[float, float] | None = None
    """Both ends of the axis, where they are given."""
    ticks: Callable[[Axis], tuple[float, ...]] | None = None
    """Ticks of its own, for example the usual aspect ratios."""
    tick_label: Callable[[float], str] | None = None
    """Labels of the ticks, where they are more than a number."""


def bar_chart(measure: Measure) -> Markup:
    """Return a figure: heading, summary, drawing, and the same numbers as a table."""
    if not measure.shown.points:
        empty = element("p", f"No {measure.noun}s have one.", class_="empty")
        heading = element("h3", measure.title)
        return element("figure", element("figcaption", heading), empty, class_="plot")
    bars = histogram(measure.shown, whole=measure.whole, bounds=measure.bounds)
    summary = _summary(measure)
    below = [_table(measure, bars)]
    return plot(measure.title, summary, _drawing(measure, bars), below, height=HEIGHT + BELOW)


def plot(
    title: str,
    summary: str,
    drawing: Iterable[Markup],
    below: Iterable[Markup],
    *,
    height: int,
    more: str = "",
) -> Markup:
    """Return the figure of a drawing, `height` pixels high: heading, summary, drawing, what is below."""
    chart = element(
        "svg", *drawing, class_="chart", height=height, role="img", aria_label=f"{title}: {summary}"
    )
    return element(
        "figure",
        element("figcaption", element("h3", title), element("p", summary, class_="summary")),
        element("div", chart, class_="frame"),
        *below,
        class_=f"plot {more}".strip(),
    )


def grid_lines(axis: Axis, height: int) -> Iterator[Markup]:
    """Yield horizontal lines with their labels at the left, for an axis that goes up."""
    for tick in axis.ticks:
        y = height - axis.place(tick) * height
        yield element("line", class_="grid" if tick else "base", x1="0", x2="100%", y1=y, y2=y)
        yield element("text", _short(tick), class_="tick end", x=-8, y=y + 4)


def ticks_below(axis: Axis, height: int, label: Callable[[float], str]) -> Iterator[Markup]:
    """Yield the ticks of an axis that goes right, with their labels."""
    for tick in axis.ticks:
        x = percent(axis.place(tick))
        yield element("line", class_="base", x1=x, x2=x, y1=height, y2=height + 5)
        yield element("text", label(tick), class_="tick middle", x=x, y=height + 19)


def percent(part: float) -> str:
    """0.25 -> `25%`."""
    return f"{part * 100:.3f}".rstrip("0").rstrip(".") + "%"


def share(part: int, whole: int) -> str:
    """Return a part of a whole, as people write it: `12 %`, `0.4 %`, `under 0.1 %`."""
    value = 100 * part / whole if whole else 0.0
    if 0 < value < 0.1:  # noqa: PLR2004 (it would be shown as 0.0)
        return "under 0.1 %"
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"  # noqa: PLR2004 (three digits)


def _drawing(measure: Measure, bars: Histogram) -> Iterator[Markup]:
    axis = bars.axis
    if measure.ticks is not None:
        axis = Axis(axis.start, axis.end, axis.is_log, measure.ticks(axis))
    upward = count_axis(max(bars.counts))
    yield from grid_lines(upward, HEIGHT)
    yield from ticks_below(axis, HEIGHT, measure.tick_label or _plain)
    median = percent(axis.place(measure.shown.quantile(0.5)))
    for number, amount in enumerate(bars.counts):
        if amount:
            yield from _bar(measure, bars, number, upward.place(amount) * HEIGHT)
    yield element("line", class_="median", x1=median, x2=median, y1=0, y2=HEIGHT)
    yield element("text", measure.axis_title, class_="axis middle", x="50%", y=HEIGHT + 40)
    yield element("text", f"{measure.noun}s", class_="axis end", x=-8, y=-14)


def _bar(measure: Measure, bars: Histogram, number: int, height: float) -> Iterator[Markup]:
    left, right = (bars.axis.place(edge) for edge in bars.edges[number : number + 2])
    across = {"x": percent(left), "width": percent(right - left)}
    height = max(height, 1.5)
    yield element("rect", class_="bar", y=HEIGHT - height, height=height, **across)
    tip = f"{_range(measure, bars, number)}: {_amount(measure, bars.counts[number])}"
    yield element("rect", class_="hit", y=0, height=HEIGHT, data_tip=tip, **across)


def _range(measure: Measure, bars: Histogram, number: int) -> str:
    low, high = bars.edges[number : number + 2]
    if measure.whole:
        high -= 1
    label = measure.label
    return (f"{label(low)} to {label(high)}" if high > low else label(low)) + measure.unit


def _amount(measure: Measure, amount: int) -> str:
    return f"{plural(amount, measure.noun)} ({share(amount, measure.shown.count)})"


def _summary(measure: Measure) -> str:
    shown, label, unit = measure.shown, measure.label, measure.unit
    if shown.minimum == shown.maximum:
        return f"always {label(shown.minimum)}{unit}"
    low, median, high = (label(shown.quantile(part)) for part in (0.05, 0.5, 0.95))
    whole = f"{label(shown.minimum)} to {label(shown.maximum)} in all"
    return f"median {median}{unit}; nine in ten {low} to {high}; {whole}"


def _table(measure: Measure, bars: Histogram) -> Markup:
    head = element(
        "tr", element("th", measure.axis_title, scope="col"), element("th", f"{measure.noun}s", scope="col")
    )
    rows = [
        element("tr", element("td", _range(measure, bars, number)), element("td", count(amount)))
        for number, amount in enumerate(bars.counts)
        if amount
    ]
    return table_of(measure.title, join(head, *rows))


def table_of(title: str, rows: Markup) -> Markup:
    """Return the numbers of a drawing as a table that can be opened."""
    hidden = element("span", f" of {title.lower()}", class_="unseen")
    inside = element(
        "div", element("table", rows), class_="scroll", tabindex=0, role="group", aria_label=title
    )
    return element("details", element("summary", "Numbers", hidden), inside)


def _plain(number: float) -> str:
    return f"{number:,.6g}"


def _short(number: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            return f"{number / (1e3 if unit == 'k' else size):,.4g}{unit}"
    return f"{number:,.4g}"
