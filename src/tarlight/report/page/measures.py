"""The plots of a page: which quantities, in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.report.page.chart import Measure, bar_chart
from tarlight.report.page.heat import size_map
from tarlight.report.page.markup import Markup, element

if TYPE_CHECKING:
    from tarlight.report.page.scale import Axis
    from tarlight.report.survey import Survey

_RATIOS = (
    *((1, 1), (3, 2), (2, 3), (2, 1), (1, 2), (4, 3), (3, 4), (16, 9), (9, 16), (3, 1), (1, 3)),
    *((5, 1), (1, 5), (10, 1), (1, 10), (5, 4), (4, 5), (100, 1), (1, 100)),
)
"""Aspect ratios that have a name, the best known first."""
_CLEARANCE = 0.09
"""Part of an axis between two labels."""


def plots(survey: Survey) -> Markup:
    """Return all plots of a survey."""
    figures = [size_map(survey.shapes), *(bar_chart(measure) for measure in _measures(survey))]
    return element("div", *figures, class_="plots")


def _measures(survey: Survey) -> list[Measure]:
    return [
        Measure(
            "Aspect ratio",
            "width : height",
            survey.aspect,
            _three_digits,
            ticks=_ratio_ticks,
            tick_label=_ratio_label,
        ),
        Measure("Megapixels", "million pixels", survey.megapixels, _three_digits, unit=" Mpix"),
        Measure("File size", "bytes of the encoded image", survey.num_bytes, _bytes, tick_label=_bytes),
        Measure("Compression", "bytes for each pixel", survey.density, _three_digits, unit=" B/pixel"),
        Measure(
            "Luminance",
            "mean luma, 0 is black and 255 is white",
            survey.luminance,
            lambda value: f"{value:.0f}",
            bounds=(0.0, 256.0),
            ticks=lambda _: (0.0, 64.0, 128.0, 192.0, 255.0),
        ),
        Measure(
            "Caption length",
            "characters",
            survey.captions,
            lambda value: f"{value:,.0f}",
            unit=" characters",
            noun="caption",
            whole=True,
        ),
    ]


def _ratio_ticks(axis: Axis) -> tuple[float, ...]:
    """Return the best known ratios inside an axis that have room for a label; round values without two."""
    chosen: list[float] = []
    for wide, high in _RATIOS:
        ratio = wide / high
        place = axis.place(ratio)
        if axis.start <= ratio <= axis.end and all(
            abs(place - axis.place(other)) > _CLEARANCE for other in chosen
        ):
            chosen.append(ratio)
    return tuple(sorted(chosen)) if len(chosen) > 1 else axis.ticks


def _ratio_label(value: float) -> str:
    names = {wide / high: f"{wide}:{high}" for wide, high in _RATIOS}
    return names.get(value, _three_digits(value))


def _three_digits(value: float) -> str:
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"  # noqa: PLR2004 (no 1e+03)


def _bytes(value: float) -> str:
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= size * 0.9995:
            return f"{value / size:,.3g} {unit}"
    return f"{value:.0f} B"
