"""Which field of a record is its caption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = ("txt", "caption", "text")
"""Fields that are captions, as img2dataset and WebDataset write them; and the same names inside a json."""


def find_caption(metadata: Mapping[str, Any]) -> str | None:
    """Return the caption among the fields of a record, with white space around it taken off; None without."""
    found = _text_in(metadata)
    if found is None and isinstance(facts := metadata.get("json"), dict):
        found = _text_in(facts)
    return None if found is None else found.strip()


def _text_in(fields: Mapping[str, Any]) -> str | None:
    return next((text for name in _FIELDS if isinstance(text := fields.get(name), str)), None)
