"""Long names: are they the names that were written?

Strategy: the bytes of a PAX or GNU long name have no checksum, but the header that follows repeats the
start of the name under its own. The two are compared here. Writers shorten differently, so a name that is
wholly different is taken for the writer's way (libarchive drops the middle of a path); one that differs in
a byte or two is taken for damaged. Returns verdicts, never raises.

How writers fill the header's own name field, seen in their sources: GNU tar the first 100 bytes; Python's
tarfile the first 100 after replacing each non-ASCII character by `?`; Go the first 100 after dropping them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.tar.header import Header

_NUL_RUN = 3
"""Some writers fill a long name up with NULs; two could be one flipped byte and the terminator."""
_FEW_BYTES = 2


def parse_long_name(payload: bytes) -> bytes | None:
    """The name in a GNU `L` payload; None unless one NUL closes it (or at least three fill it up)."""
    name = payload.rstrip(b"\0")
    num_nuls = len(payload) - len(name)
    if not name or b"\0" in name or not (num_nuls == 1 or num_nuls >= _NUL_RUN):
        return None
    return name


def is_doubtful(name: bytes, header: Header, *, must_be_utf8: bool) -> bool:
    """Whether a long name cannot be what was written, judged by the header it belongs to."""
    own = header.path
    if name.isascii() and name.startswith(own):
        return False
    if must_be_utf8 and not _is_utf8(name):
        return not name.startswith(own)
    distances = [_distance(shown[: len(own)], own) for shown in _renderings(name)]
    nearest = min((distance for distance in distances if distance is not None), default=None)
    return nearest is not None and 0 < nearest <= _FEW_BYTES and 2 * nearest < len(own)


def starts_name(text: bytes, own: bytes) -> bool:
    """Whether `own`, a full name field, is the start of the long name `text`."""
    return any(shown.startswith(own) for shown in _renderings(text))


def decode_name(name: bytes) -> str:
    """A name as text: UTF-8, with undecodable bytes as surrogate escapes."""
    return name.decode("utf-8", "surrogateescape")


def _renderings(name: bytes) -> Iterator[bytes]:
    yield name
    if not name.isascii():
        text = decode_name(name)
        yield text.encode("ascii", "replace")
        yield text.encode("ascii", "ignore")


def _distance(one: bytes, other: bytes) -> int | None:
    """How many bytes differ; None when the lengths do."""
    return sum(map(int.__ne__, one, other)) if len(one) == len(other) else None


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
