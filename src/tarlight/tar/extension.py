"""What the extension headers before a member say about it.

Strategy: collects them, one after the other, without recursion, and settles the member's name in the end. It
sees headers and payloads only, never the stream. A bad payload makes the name lost; it never raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tarlight.tar.longname import is_doubtful, parse_long_name
from tarlight.tar.pax import PaxFacts, parse_pax

if TYPE_CHECKING:
    from tarlight.tar.header import Header

MAX_IN_A_ROW = 16
"""Extension headers before one member. Real archives have at most four."""
MAX_PAYLOAD = 1 << 20
"""Bytes of one extension header's payload. Linux limits a path to 4096."""

_NOTHING = PaxFacts(is_sound=True)


class Naming(NamedTuple):
    """What is known about a member once its own header has been read."""

    name: bytes
    """Its name; the header's own when `trouble` says that the long one is lost."""
    is_long: bool
    """Whether the name came from an extension header."""
    trouble: str
    """Why the name is lost; empty when it is not."""
    size: int | None
    """The size that a PAX header gives; None without one, or when it is not to be trusted."""
    is_sparse: bool
    """Whether a PAX header says that the payload is a sparse file."""


class Pending:
    """The extension headers since the last member."""

    __slots__ = ("_facts", "_long_name", "_num_headers", "_trouble")

    def __init__(self, trouble: str = "") -> None:
        self._facts = _NOTHING
        self._long_name = b""
        self._num_headers = 0
        self._trouble = trouble

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known that concerns the next member."""
        return not self._num_headers and not self._trouble

    def add(self, flag: bytes, payload: bytes) -> bool:
        """Read one extension header; False when there are too many in a row and it was not read."""
        self._num_headers += 1
        if self._num_headers > MAX_IN_A_ROW:
            self._trouble = "too many extension headers in a row before it"
            return False
        if flag == b"L":
            self._read_long_name(payload)
        elif flag in (b"x", b"X"):
            self._read_pax(payload)
        return True

    def settle(self, header: Header) -> Naming:
        """Join what is pending with the member's own header."""
        long = self._facts.path or self._long_name
        trouble = self._trouble
        if long and not trouble and is_doubtful(long, header, must_be_utf8=self._expects_utf8):
            trouble = "the long name before it does not agree with the header's own"
        name = long if long and not trouble else header.path
        size = None if self._trouble else self._facts.size
        return Naming(name, bool(long), trouble, size, self._facts.is_sparse)

    @property
    def _expects_utf8(self) -> bool:
        return bool(self._facts.path) and not self._facts.is_binary

    def _read_long_name(self, payload: bytes) -> None:
        name = parse_long_name(payload)
        if name is None:
            self._trouble = "the GNU long name before it is damaged"
        self._long_name = name or b""

    def _read_pax(self, payload: bytes) -> None:
        facts = parse_pax(payload)
        if not facts.is_sound:
            self._trouble = "the PAX header before it is damaged"
        self._facts = self._facts.merge(facts)
