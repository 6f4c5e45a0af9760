"""The contact sheet, and the dialog that enlarges a picture."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from tarlight.report.figure import count, num_bytes
from tarlight.report.page.markup import Markup, element, flowing, shown_name, shown_place

if TYPE_CHECKING:
    from tarlight.report.survey import Picture, Survey, Thumbnail

FIRST = 28
"""Pictures that are shown at once; a button shows the others."""


def contact_sheet(survey: Survey) -> Markup:
    """Return the pictures as a list, with a button for those beyond the first."""
    pictures = survey.pictures
    if not pictures:
        return element("p", "No image was delivered.", class_="empty")
    sheet = element("ul", *map(_tile, pictures), class_="sheet", id="sheet", role="list", data_first=FIRST)
    if len(pictures) <= FIRST:
        return sheet
    return Markup(sheet + more_button("sheet", f"Show all {count(len(pictures))} pictures"))


def more_button(target: str, label: str) -> Markup:
    """Return a button that shows what lies beyond the first entries of a list."""
    button = element(
        "button", label, type="button", class_="more", data_more=target, aria_controls=target, hidden=True
    )
    return element("p", button, class_="centred")


def enlargeable(thumbnail: Thumbnail, name: str, facts: str, place: str, text: str, *, alt: str) -> Markup:
    """Return a thumbnail as a button that opens the dialog."""
    return element(
        "button",
        image(thumbnail, alt),
        type="button",
        class_="tile",
        aria_haspopup="dialog",
        data_name=name,
        data_facts=facts,
        data_place=place,
        data_text=text,
    )


def image(thumbnail: Thumbnail, alt: str) -> Markup:
    """Return a thumbnail with its bytes inside the page."""
    source = Markup("data:image/jpeg;base64," + b64encode(thumbnail.jpeg).decode())
    return element(
        "img",
        src=source,
        alt=alt,
        width=thumbnail.width,
        height=thumbnail.height,
        loading="lazy",
        decoding="async",
    )


def _tile(picture: Picture) -> Markup:
    size = f"{picture.width:,} x {picture.height:,}"
    facts = f"{size}, {num_bytes(picture.num_bytes)}" if picture.num_bytes else size
    place = shown_place(picture.shard, f"/{picture.member}") if picture.shard else ""
    caption, key = flowing(picture.caption), shown_name(picture.key)
    button = enlargeable(picture.thumbnail, key, facts, place, caption, alt=f"Picture {key}")
    label = element(
        "figcaption",
        element("bdi", key, class_="key"),
        element("span", facts, class_="facts"),
        element("bdi", caption, class_="caption") if caption else "",
    )
    return element("li", element("figure", button, label))
