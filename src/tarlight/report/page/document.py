"""The page as a whole: sections, style, script, and the policy that keeps everything else out.

The page may load nothing from anywhere. Its one style sheet and its one script are named by their hashes in a
Content-Security-Policy, so that nothing that came in with a caption could run.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from tarlight.report.figure import count, plural
from tarlight.report.page.facts import headline, run_section
from tarlight.report.page.gallery import contact_sheet
from tarlight.report.page.markup import Markup, element, escape, join
from tarlight.report.page.measures import plots
from tarlight.report.page.problems import problem_section
from tarlight.report.page.shards import shard_section

if TYPE_CHECKING:
    from tarlight.report.survey import Survey


def render_page(survey: Survey) -> str:
    """Return a survey as one HTML page, which needs nothing else: a pure function of the survey."""
    style, script = _part("page.css"), _part("page.js")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    return Template(_part("page.html")).substitute(
        policy=policy,
        title=escape(f"{survey.facts.title} | tarlight report"),
        style=style,
        header=_header(survey),
        main=join(*_sections(survey)),
        version=escape(survey.version),
        script=script,
    )


def _header(survey: Survey) -> Markup:
    title = element("h1", element("bdi", survey.facts.title))
    ending = "" if survey.report.outcome == "finished" else f". The run {survey.report.outcome}"
    stamp = element("p", f"Read by tarlight {survey.version}, {survey.date} UTC{ending}", class_="stamp")
    return join(title, stamp, headline(survey))


def _sections(survey: Survey) -> list[Markup]:
    sample, delivered = len(survey.pictures), survey.report.images_delivered
    shown = (
        "All of them."
        if sample == delivered
        else f"A fair sample of {count(sample)} out of {count(delivered)}."
    )
    return [
        _section("pictures", "Pictures", shown, contact_sheet(survey)),
        _section("measures", "Measures", f"Of all {plural(delivered, 'image')} delivered.", plots(survey)),
        _section("problems", "Problems", "What was skipped or lost, and why.", problem_section(survey)),
        _section("shards", "Shards", _about_shards(survey), shard_section(survey)),
        _section("run", "Run", "What was run, with which decoder, at what speed.", run_section(survey)),
    ]


def _about_shards(survey: Survey) -> str:
    text = "Each bar is a file, from its first byte to its last."
    if survey.folded.shards:
        text += (
            f" Shown are the {count(len(survey.shards))} in which most went wrong, in the order of reading."
        )
    return text


def _section(name: str, title: str, about: str, content: Markup) -> Markup:
    heading = element("h2", title, id=f"{name}-title")
    return element(
        "section",
        element("div", heading, element("p", about), class_="section-head"),
        content,
        id=f"section-{name}",
        aria_labelledby=f"{name}-title",
    )


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


@cache
def _part(name: str) -> str:
    return files("tarlight.report.page").joinpath(name).read_text(encoding="utf-8")
