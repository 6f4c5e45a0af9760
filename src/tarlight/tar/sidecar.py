"""The fields beside an image: captions, classes, metadata.

Strategy: gets the bytes of a sidecar and the name of its field, returns a value or raises ValueError with the
reason, for people. Nothing else is raised, whatever the bytes are.
"""

from __future__ import annotations

import json
from typing import Any

MAX_FIELD_BYTES = 16 << 20
"""A larger sidecar is not attached: captions have kilobytes, and parsed JSON takes ten times its bytes."""

TEXTS = frozenset(["txt", "text", "cls", "caption", "csv", "tsv", "html", "xml", "md"])
"""Fields that are text in UTF-8."""


def decode_field(field: str, data: bytes) -> Any:
    """The value of a sidecar: JSON parsed, text decoded as UTF-8, anything else as bytes.

    Raises:
        ValueError: the sidecar is broken.
    """
    ending = field.rpartition(".")[2]
    try:
        if ending == "json":
            # What begins like this is UTF-8 (RFC 8259); saying so spares json a guess, a third of its time.
            return json.loads(data.decode() if data[:1] == b"{" and data[1:2] != b"\0" else data)
        return data.decode() if ending in TEXTS else data
    except (ValueError, RecursionError) as error:
        raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"no UTF-8 at byte {error.start:,}"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON at line {error.lineno:,}, column {error.colno:,} ({error.msg})"
    return "JSON nested too deeply" if isinstance(error, RecursionError) else "JSON with too long a number"
