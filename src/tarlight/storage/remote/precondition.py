"""Which version of an object a request is for: as the client library tells it, and as it is asked for."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tarlight.storage.remote.wire import ObjectFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODIFIED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")


def facts_of(meta: Mapping[str, Any]) -> ObjectFacts:
    """Return what the client library says of an object."""
    etag = meta["e_tag"] or ""
    modified: datetime | None = meta["last_modified"]
    if not etag and modified is not None and modified.timestamp() > 0:  # 0 stands for a missing header
        etag = modified.isoformat()
    return ObjectFacts(meta["path"], meta["size"], bare(etag), meta["version"] or "")


def bare(etag: str) -> str:
    """Return an ETag without its quotes; a weak one as it is."""
    return etag[1:-1] if etag.startswith('"') else etag


def read_condition(etag: str) -> dict[str, Any]:
    """Return the precondition for an ETag; a weak one never matches, and is only compared afterwards."""
    if not etag or etag.startswith("W/"):
        return {}
    if _MODIFIED.fullmatch(etag):
        return {"if_unmodified_since": datetime.fromisoformat(etag)}
    return {"if_match": f'"{etag}"'}


def write_condition(over: ObjectFacts | None, kind: str) -> Any:
    """Return the mode of a write that replaces an object, or makes one; None where the store has none.

    Args:
        over: what is to be replaced; None for nothing.
        kind: `s3`, `gs` or `az`.
    """
    if over is None:
        return "create"
    if kind == "gs":
        return {"version": over.generation} if over.generation else None
    if not over.etag or over.etag.startswith("W/"):
        return None
    return {"e_tag": f'"{over.etag}"'}


def is_same(one: ObjectFacts | None, other: ObjectFacts | None) -> bool:
    """Whether two answers tell of the same version, or both of nothing."""
    if one is None or other is None:
        return one is other
    return (one.size, one.etag) == (other.size, other.etag)
