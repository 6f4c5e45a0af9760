"""What a member is for `check`: an image, a text to parse, any other file of a record, or none of these.

Strategy: the same rules as the reader's (C7), so that `check` and `load` see the same images. Answers are
remembered by the end of the name.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from tarlight.ledger import SkipReason
from tarlight.tar.name import Likeness, Tails, is_apple_double, last_extension
from tarlight.tar.records import is_renamed_image
from tarlight.tar.sidecar import TEXTS

if TYPE_CHECKING:
    from tarlight.tar import Member

_MAX_KNOWN = 4_096
_LINKS = frozenset(["symlink", "hardlink"])
_PARSED = frozenset([".json", *(f".{ending}" for ending in TEXTS)])


class Sort(IntEnum):
    """What a member is."""

    OTHER = 0
    """No part of any record: a folder, a device, a Mac's metadata, a name without extension."""
    IMAGE = 1
    PARSED = 2
    """A sidecar that is JSON or text."""
    SIDECAR = 3
    """Any other file."""
    LINK = 4
    """A link with the name of an image."""
    LOST = 5
    """An image whose name is lost."""


class Sorter:
    """Sorts members. For one thread."""

    def __init__(self, extensions: tuple[str, ...]) -> None:
        self._tails = Tails(extensions)
        self._length = self._tails.length
        self._image_field = extensions[0].removeprefix(".")
        self._wanted: dict[str, bool] = {}

    def wants(self, name: str) -> bool:
        """Whether the payload of a member is looked at."""
        if self._tails[name[-self._length :]] > Likeness.OTHER:
            return True
        tail = name[name.rfind(".") :]
        if (known := self._wanted.get(tail)) is None:
            known = tail.lower() in _PARSED
            if len(self._wanted) < _MAX_KNOWN:
                self._wanted[tail] = known
        return known

    def sort(self, member: Member) -> Sort:
        """What a member is."""
        name = member.name
        likeness = self._tails[name[-self._length :]]
        if member.kind != "file":
            is_link = likeness is Likeness.IMAGE and member.kind in _LINKS
            return Sort.LINK if is_link and not is_apple_double(name) else Sort.OTHER
        if member.flaw is SkipReason.NAME_LOST:
            return Sort.LOST
        is_apple = is_apple_double(name)
        if likeness is Likeness.IMAGE and not is_apple:
            return Sort.IMAGE
        if member.is_long and is_renamed_image(member, is_apple=is_apple, likeness=likeness):
            return Sort.LOST
        if is_apple:
            return Sort.OTHER
        return Sort.PARSED if last_extension(name) in _PARSED else Sort.SIDECAR

    def normal_field(self, field: str, *, is_image: bool) -> str:
        """Return a field in lower case, with one extension for all kinds of images."""
        if not is_image:
            return field.lower()
        rest, dot, _ = field.lower().rpartition(".")
        return f"{rest}{dot}{self._image_field}"

    def has_image(self, fields: tuple[str, ...]) -> bool:
        """Whether one of these (normal) fields is an image."""
        return any(field.rpartition(".")[2] == self._image_field for field in fields)
