"""An encoded image on its way to a decoder.

Strategy: a plain value, made once an image; mutable, since its fields come after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tarlight.ledger import SkipReason


@dataclass(slots=True)
class ImageRecord:
    """One image of a shard, still encoded."""

    key: str
    """Key of its record; for a lost name, that of the header's own, possibly shortened name."""
    image_id: str
    """The key, with the rest of the field when that is no bare extension (C7)."""
    member: str
    """Name of the member."""
    offset: int
    """First byte of the payload in the (inflated) shard."""
    size: int
    """Bytes of the payload, as declared."""
    data: bytes | None
    """The payload, a copy of its own; None when there is a flaw."""
    flaw: SkipReason | None = None
    """NAME_LOST, TRUNCATED, TOO_LARGE or EMPTY: it is to be skipped; None for a sound image."""
    detail: str = ""
    """What is wrong with it, for people."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Sidecars of the record that were asked for; images of one record share the values."""
    field_bytes: int = 0
    """About what its fields take in memory; on the first image of a record only, since they share them."""
    inflated: bool = False
    """Whether it came out of a gzip shard, where it cannot be read again by its offset."""
    span: int = 0
    """Bytes of the (inflated) shard from the image or loss before it to its end; 0 where it has a flaw."""
