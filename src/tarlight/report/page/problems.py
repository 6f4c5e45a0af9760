"""What was skipped and lost: a sample of each reason, to be filtered by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.ledger import LossReason, SkipReason
from tarlight.report.figure import count, num_bytes, plural
from tarlight.report.label import shorten
from tarlight.report.page.gallery import enlargeable
from tarlight.report.page.markup import Markup, common_folder, element, flowing, shown_name, shown_place
from tarlight.report.row import LOSS_HINTS, SKIP_HINTS

if TYPE_CHECKING:
    from tarlight.report.survey import Problem, Survey

HINTS = {reason.value: hint for hints in (SKIP_HINTS, LOSS_HINTS) for reason, hint in hints.items()}
"""Reason -> a few words."""
_DETAIL = 300
_ORDER = [reason.value for kind in (LossReason, SkipReason) for reason in kind]


def problem_section(survey: Survey) -> Markup:
    """Return the problems with their filter, or one sentence where there are none."""
    counts = survey.problem_counts
    if not counts:
        return element("p", "Nothing was skipped and nothing was lost.", class_="empty good")
    ordered = sorted(counts, key=lambda reason: (-counts[reason], _ORDER.index(reason)))
    total, shown = sum(counts.values()), len(survey.problems)
    status = element(
        "p", _status(shown, total), role="status", id="problem-status", class_="status", data_total=total
    )
    listed = sorted(survey.problems, key=lambda one: (ordered.index(one.reason), one.thumbnail is None))
    folder = common_folder(problem.shard for problem in listed)
    cards = [_card(problem, folder) for problem in listed]
    listing = element("ul", *cards, class_="problems", id="problems", role="list")
    return Markup(_filter(ordered, counts, total) + status + listing)


def _status(shown: int, total: int) -> str:
    return f"Showing {shown:,} of {plural(total, 'problem')}" + ("" if shown == total else ", a fair sample")


def _filter(reasons: list[str], counts: dict[str, int], total: int) -> Markup:
    buttons = [_chip("", "All", total, is_pressed=True)]
    buttons += [
        _chip(reason, reason.replace("_", " "), counts[reason], is_pressed=False) for reason in reasons
    ]
    return element("div", *buttons, class_="chips", role="group", aria_label="Filter problems by reason")


def _chip(reason: str, label: str, number: int, *, is_pressed: bool) -> Markup:
    return element(
        "button",
        f"{label} ",
        element("span", count(number), class_="number"),
        type="button",
        class_="chip",
        data_reason=reason,
        data_count=number,
        aria_pressed="true" if is_pressed else "false",
    )


def _card(problem: Problem, folder: str) -> Markup:
    words = problem.reason.replace("_", " ")
    kind = "skip" if problem.num_bytes is None else "loss"
    place = f"{shown_place(problem.shard.removeprefix(folder))}, byte {problem.offset:,}"
    if problem.num_bytes is not None:
        place = f"{place}, {num_bytes(problem.num_bytes)}"
    name = shown_name(problem.key) or "(bytes of a shard)"
    detail = shorten(flowing(problem.detail), _DETAIL) or HINTS[problem.reason]
    return element(
        "li",
        _look(problem, name, words, place, detail),
        element(
            "div",
            element(
                "p", element("span", words, class_=f"badge {kind}"), " ", HINTS[problem.reason], class_="hint"
            ),
            element("h3", element("bdi", name), class_="key"),
            element("p", element("bdi", detail), class_="detail") if problem.detail else "",
            element("p", element("bdi", place), class_="place"),
            class_="about",
        ),
        class_="problem",
        data_reason=problem.reason,
    )


def _look(problem: Problem, name: str, words: str, place: str, detail: str) -> Markup:
    if problem.thumbnail is None:
        mark = "no bytes" if problem.reason == SkipReason.EMPTY else "no picture"
        return element(
            "div", mark if problem.num_bytes is None else "bytes", class_="blank", aria_hidden="true"
        )
    alt = f"What can be seen of {name}"
    return enlargeable(problem.thumbnail, name, words, place, detail, alt=alt)
