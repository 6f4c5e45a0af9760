"""The payload of a PAX extended header: records of the form `LENGTH KEY=VALUE` and a newline.

Strategy: gets the whole payload, returns `PaxFacts`, never raises. No checksum protects these bytes, so
everything about them is checked: each length, each `=`, each final newline, and that the records fill the
payload exactly. What one flipped byte could hide is looked for: a key that is almost `path` or `size`, and a
record that hides inside another one's value. In such a case the facts are not `is_sound`.

Source: POSIX.1-2001, pax Extended Header.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LENGTH_DIGITS = 7
"""A payload has at most 1 MiB, so no length needs more."""
_SIZE_DIGITS = 19

_NEAR = {
    key: frozenset(
        key[:place] + bytes([value]) + key[place + 1 :] for place in range(len(key)) for value in range(256)
    )
    - {key}
    for key in (b"path=", b"size=")
}
"""Every start of a record that one changed byte makes of these two."""

_HARMLESS = re.compile(
    rb"([1-9][0-9]{0,3}) (?:[acm]time|[gu]id|[gu]name|comment|(?:SCHILY|LIBARCHIVE)\.[A-Za-z.]+)=[^\n]*\n"
)
"""A record whose key cannot be a changed `path` or `size`, with a value that can hide no other record."""

_NAMED = re.compile(rb"(?:\A|\n)[0-9]{1,7} (?:path|size)=")


class PaxFacts(NamedTuple):
    """What a PAX header says about the next member, as far as it concerns a reader."""

    is_sound: bool
    """False when a byte of the payload must be wrong."""
    path: bytes = b""
    """The member's name; empty when the header does not give one."""
    size: int | None = None
    """Bytes of the member's payload."""
    is_sparse: bool = False
    """The payload is a sparse file's map and data."""
    is_binary: bool = False
    """Names are bytes of no known encoding."""

    def merge(self, later: PaxFacts) -> PaxFacts:
        """The facts of two headers in a row, where the later one wins."""
        return PaxFacts(
            self.is_sound and later.is_sound,
            later.path or self.path,
            self.size if later.size is None else later.size,
            self.is_sparse or later.is_sparse,
            self.is_binary or later.is_binary,
        )


DAMAGED = PaxFacts(is_sound=False)


def parse_pax(payload: bytes) -> PaxFacts:
    """Read the payload of an extended header."""
    records = split_records(payload)
    if records is None or (payload and not records) or _hides_a_name(payload, records):
        return DAMAGED
    values = dict(record.split(b"=", 1) for record in records)
    path, size = values.get(b"GNU.sparse.name") or values.get(b"path", b""), values.get(b"size", b"")
    if b"\0" in path or (size and not _is_size(size)):
        return DAMAGED
    return PaxFacts(
        is_sound=True,
        path=path,
        size=int(size) if size else None,
        is_sparse=any(key.startswith(b"GNU.sparse.") for key in values),
        is_binary=values.get(b"hdrcharset") == b"BINARY",
    )


def is_harmless(payload: memoryview) -> bool:
    """Whether a payload is sound and says nothing that concerns a reader: times, owners, and the like.

    Python's tarfile writes such a header before every file that was added from disk, for its exact time.
    """
    start, end = 0, len(payload)
    while start < end:
        record = _HARMLESS.match(payload, start)
        if record is None or int(record[1]) != record.end() - start:
            return False
        start = record.end()
    return True


def split_records(payload: bytes) -> list[bytes] | None:
    """The `KEY=VALUE` of every record, in order; None when the payload is not exactly records.

    Zeros after the last record are taken for padding.
    """
    records: list[bytes] = []
    start, end = 0, len(payload)
    while start < end:
        if payload[start] == 0:
            return None if payload.count(0, start) < end - start else records
        stop = _record_end(payload, start)
        if stop is None:
            return None
        records.append(payload[payload.index(b" ", start) + 1 : stop - 1])
        start = stop
    return records


def _record_end(payload: bytes, start: int) -> int | None:
    """Where the record at `start` ends, or None when it is malformed."""
    space = payload.find(b" ", start, start + _LENGTH_DIGITS + 1)
    digits = payload[start:space]
    if space < 0 or not digits.isdigit():
        return None
    stop = start + int(digits)
    if not space + 2 < stop <= len(payload) or payload[stop - 1] != ord("\n"):
        return None
    return stop if payload.find(b"=", space + 2, stop - 1) > 0 else None


def _hides_a_name(payload: bytes, records: list[bytes]) -> bool:
    """Whether a `path` or `size` record was there before a byte of it, or before it, was changed."""
    starts = [record[:5] for record in records]
    if len(_NAMED.findall(payload)) != starts.count(b"path=") + starts.count(b"size="):
        return True
    return any(key not in starts and not near.isdisjoint(starts) for key, near in _NEAR.items())


def _is_size(digits: bytes) -> bool:
    return digits.isdigit() and len(digits) <= _SIZE_DIGITS
