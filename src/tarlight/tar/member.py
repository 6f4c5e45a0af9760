"""What the parser yields: members, and damage between them.

Strategy: plain values, cheap to make by the million. They know nothing of windows, records or ledgers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tarlight.ledger import LossReason, SkipReason

Chunk = bytes | bytearray | memoryview
"""What a store yields. A chunk must not change after it was handed over: payloads are views into it."""


class Member(NamedTuple):
    """One entry of a tar."""

    name: str
    """A label, never a path to open: UTF-8, with undecodable bytes as surrogate escapes."""
    offset: int
    """First byte of the payload, counted from the start of the (inflated) shard."""
    size: int
    """Bytes of the payload, as declared."""
    kind: str
    """`file`, `directory`, `symlink`, `hardlink`, `sparse`, `fifo`, `character_device`, ..."""
    data: memoryview | bytes | None
    """The payload, a view into the chunk if it lies in one; None when unwanted, no file, or flawed."""
    flaw: SkipReason | None
    """NAME_LOST, TRUNCATED or TOO_LARGE; None for a sound member."""
    detail: str
    """What is wrong with it, for people."""
    is_long: bool
    """True when the name came from a PAX or GNU header, whose bytes no checksum protects."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A range of bytes that could not be read as members."""

    shard: str
    """Path or URL of the shard."""
    start: int
    """First lost byte in the (inflated) shard."""
    end: int
    """One past the last lost byte."""
    reason: LossReason
    """One of the closed list."""
    after: str
    """Name of the last member before the damage; empty when there is none."""
    before: str
    """Name of the first member after the damage; empty when there is none."""
    detail: str = ""
    """What was found, for people."""
