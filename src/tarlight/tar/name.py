"""What a member's name means: its key, its field, whether it is an image (C7).

Strategy: text in, text out. Names are labels and never paths to open; nothing here touches a file system and
nothing raises.

Source: the WebDataset convention, where the members of one record share the path up to the first dot after
the last slash.
"""

from __future__ import annotations

from enum import IntEnum

APPLE_DOUBLE = "appledouble"
NO_EXTENSION = "(none)"
LONG_EXTENSION = "(long)"

MAX_EXTENSION = 32
"""Longer ones are counted together: they are text with a dot in it."""

_MAX_TAILS = 4096

_ALSO_JPEGS = frozenset([".jpe", ".jps"])
"""Real extensions of JPEG files one letter away from `.jpg`: such a name is not taken for damaged.

`.jpf`, `.jpx`, `.jp2` or `.jng` are not among them, since no such file begins as a JPEG does.
"""


class Likeness(IntEnum):
    """How much the end of a name is like an image's."""

    OTHER = 0
    NEAR = 1
    """One character away from an image's, and no extension of its own."""
    IMAGE = 2


class Tails(dict[str, Likeness]):
    """The ends of names -> what they are; remembers what it has seen, up to a bound."""

    def __init__(self, extensions: tuple[str, ...]) -> None:
        super().__init__()
        self._extensions = tuple(extension.lower() for extension in extensions)
        self.length = max(map(len, self._extensions))
        """How many characters of a name's end decide."""

    def __missing__(self, tail: str) -> Likeness:
        likeness = self._judge(tail.lower())
        if len(self) < _MAX_TAILS:
            self[tail] = likeness
        return likeness

    def _judge(self, tail: str) -> Likeness:
        if tail.endswith(self._extensions):
            return Likeness.IMAGE
        if last_extension(tail) in _ALSO_JPEGS:
            return Likeness.OTHER
        near = any(_differ_by_one(tail[-len(extension) :], extension) for extension in self._extensions)
        return Likeness.NEAR if near else Likeness.OTHER


def split_name(name: str) -> tuple[str, str]:
    """Key and field of a member: `./a/000031.seg.json` -> (`a/000031`, `seg.json`)."""
    name = name.removeprefix("./")
    dot = name.find(".", name.rfind("/") + 1)
    return (name, "") if dot < 0 else (name[:dot], name[dot + 1 :])


def make_image_id(key: str, field: str) -> str:
    """The key for a bare extension, else key, dot and the field without its extension."""
    rest, dot, _ = field.rpartition(".")
    return f"{key}.{rest}" if dot else key


def last_extension(name: str) -> str:
    """The last extension, lowercased and with its dot, as members are counted by."""
    dot = name.rfind(".", name.rfind("/") + 1)
    if dot < 0:
        return NO_EXTENSION
    return name[dot:].lower() if len(name) - dot <= MAX_EXTENSION else LONG_EXTENSION


def is_apple_double(name: str) -> bool:
    """Whether a member holds what macOS keeps beside a file."""
    if "._" not in name and "__MACOSX/" not in name:
        return False
    return name.startswith("._", name.rfind("/") + 1) or "/__MACOSX/" in f"/{name}"


def _differ_by_one(one: str, other: str) -> bool:
    return len(one) == len(other) and sum(map(str.__ne__, one, other)) == 1
