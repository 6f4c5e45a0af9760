"""HTML that cannot be broken by what is in it.

Strategy: elements are built, never pasted. Text becomes markup in one place, `escape`, so whatever comes out
of a shard is text on the page; what nobody should see raw (controls, bidirectional overrides, lone
surrogates) becomes an escape in the words of `tarlight.report.label`.
"""

from __future__ import annotations

import html
import posixpath
import re
from typing import TYPE_CHECKING

from tarlight.report.label import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID = frozenset(["br", "circle", "img", "line", "meta", "path", "rect"])
"""Elements without content. SVG's are closed in their tag, which HTML allows for both kinds."""
_SPACE = re.compile(r"\s+")
_NAME = re.compile(r"[a-z][a-zA-Z0-9-]*")
_AUTHORITY = re.compile(r"(?<=://)[^/@]*@")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return text as HTML that shows it, in element content and in quoted attributes."""
    return Markup(html.escape(printable(text), quote=True))


def flowing(text: str) -> str:
    """Return a caption as one paragraph: runs of white space are one space."""
    return _SPACE.sub(" ", text).strip()


def shown_name(name: str) -> str:
    """Return a key in at most 80 characters: a hostile one could have a million."""
    return shorten(name, 80)


def shown_place(shard: str, rest: str = "") -> str:
    """Return the path of a shard, with what follows it, in at most 300 characters and without secrets."""
    return shorten(without_secrets(shard), 240) + shorten(rest, 60)


def without_secrets(path: str) -> str:
    """Return a URL without user, password and query, which may hold credentials; paths stay as they are."""
    if "://" not in path:
        return path
    return _AUTHORITY.sub("", re.split(r"[?#]", path, maxsplit=1)[0])


def common_folder(paths: Iterable[str]) -> str:
    """Return what all these paths begin with, up to the last slash; empty where they share none."""
    folder = posixpath.dirname(posixpath.commonprefix([without_secrets(path) for path in paths]))
    return folder.rstrip("/") + "/" if folder.strip("/") else ""


def element(name: str, /, *content: str, **attributes: str | float | bool | None) -> Markup:
    """Return an element: `Markup` goes in as it is, other text is escaped.

    Attributes are given as keywords: `class_` is `class`, other underscores are hyphens; None and False leave
    one out, True gives it without a value.
    """
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID and not content:
        return Markup(f"<{opening}/>")
    inside = "".join(part if isinstance(part, Markup) else escape(part) for part in content)
    return Markup(f"<{opening}>{inside}</{name}>")


def join(*parts: str) -> Markup:
    """Return several pieces as one."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001 (a value like any other)
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {name}="{escape(text)}"'
