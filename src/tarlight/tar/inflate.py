"""gzip: from compressed chunks to inflated ones, as far as the stream is sound.

Strategy: an `Inflater` is iterated for inflated chunks and never raises for the content of the stream. When
it ends early, `failure` says why. Everything before a corrupt byte comes out: the step that failed is
repeated byte by byte from a copy of the state before it. Memory is bounded by the step, time by the ratio.
The chunks that come out depend on the compressed bytes only, not on how they were cut.

Source: RFC 1952. Raw deflate with a hand-read header and trailer, since zlib itself throws away good output
when the checksum behind it is wrong.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from tarlight.ledger import LossReason
from tarlight.tar.sniff import is_gzip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.tar.notebook import Notebook
    from tarlight.tar.window import Window

STEP_IN = 64 << 10
STEP_OUT = 256 << 10
"""Compressed and inflated bytes of one step: small enough for a bomb, large enough to keep zlib busy."""
FREE_BYTES = 64 << 20
"""Inflated bytes from which on the ratio counts (C1)."""
MAX_RATIO = 200
"""Photographs inflate 1.01-fold, JSON 20-fold; deflate itself stops at 1032-fold (C1)."""

_FIXED_HEADER = 10
_TRAILER = 8
_FEXTRA, _FNAME, _FCOMMENT, _FHCRC = 4, 8, 16, 2


class Inflater:
    """Inflates a gzip stream of any number of members."""

    def __init__(self, window: Window, notebook: Notebook) -> None:
        self._window = window
        self._notebook = notebook
        self._inflated = 0
        self.failure: tuple[LossReason, str] | None = None
        """Why the stream could not be inflated to its end; None when it could."""

    @property
    def consumed(self) -> int:
        """Compressed bytes used up so far."""
        return self._window.offset

    def __iter__(self) -> Iterator[bytes]:
        num_members = 0
        while self._goes_on(num_members):
            num_members += 1
            if not self._pass_header():
                self._fail(f"bad or short gzip header before compressed byte {self.consumed}")
                return
            yield from self._inflate_member()
            if self.failure:
                return
        if num_members > 1:
            self._notebook.add("gzip_members", f"a gzip stream of {num_members} members; all were read")

    def _goes_on(self, num_members: int) -> bool:
        """Whether another gzip member follows; what else follows is passed and noted."""
        if num_members == 0 or is_gzip(self._window.peek(3).tobytes()):
            return True
        start = self.consumed
        rest = sum(len(piece) for piece in self._window.drain() if piece.tobytes().strip(b"\0"))
        if rest:
            size = self.consumed - start
            self._notebook.add(
                "trailing", f"{size} bytes after the gzip stream, from compressed byte {start}"
            )
        return False

    def _inflate_member(self) -> Iterator[bytes]:
        crc = size = 0
        for piece in self._deflated():
            crc = zlib.crc32(piece, crc)
            size += len(piece)
            yield piece
        if not self.failure:
            self._check_trailer(crc, size)

    def _deflated(self) -> Iterator[bytes]:
        """The inflated pieces of one deflate stream, up to its end or its first corrupt byte."""
        engine = zlib.decompressobj(-zlib.MAX_WBITS)
        full = False
        while not engine.eof:
            block = self._window.peek(STEP_IN).tobytes()
            if not block and not full:
                self._fail(f"the gzip stream ends early, at compressed byte {self.consumed}")
                return
            before = engine.copy()
            try:
                piece = engine.decompress(block, STEP_OUT)
            except zlib.error as error:
                yield self._rescue(before, block)
                self._fail(f"corrupt gzip stream at compressed byte {self.consumed} ({error})")
                return
            left = engine.unused_data if engine.eof else engine.unconsumed_tail
            self._window.skip(len(block) - len(left))
            full = len(piece) == STEP_OUT
            self._inflated += len(piece)
            yield piece
            if self._is_bomb():
                return

    def _rescue(self, engine: zlib._Decompress, block: bytes) -> bytes:
        """What comes out of `block` before its corrupt byte; passes the bytes before that one."""
        pieces = []
        for value in block:
            try:
                pieces.append(engine.decompress(bytes([value])))
            except zlib.error:
                break
            self._window.skip(1)
        return b"".join(pieces)

    def _is_bomb(self) -> bool:
        if self._inflated <= FREE_BYTES or self._inflated <= MAX_RATIO * self.consumed:
            return False
        text = f"{self._inflated} bytes out of {self.consumed} compressed ones: more than {MAX_RATIO}-fold"
        self._fail(text, LossReason.INFLATES_TOO_MUCH)
        return True

    def _fail(self, detail: str, reason: LossReason = LossReason.GZIP_ERROR) -> None:
        self.failure = (reason, detail)

    def _check_trailer(self, crc: int, size: int) -> None:
        trailer = self._window.take(_TRAILER).tobytes()
        if len(trailer) < _TRAILER:
            self._notebook.add("gzip_crc", f"the gzip trailer is cut at compressed byte {self.consumed}")
        elif trailer != crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little"):
            self._notebook.add("gzip_crc", f"wrong gzip checksum before compressed byte {self.consumed}")

    def _pass_header(self) -> bool:
        """Pass the header of one gzip member; False when it is bad or short."""
        window = self._window
        fixed = window.take(_FIXED_HEADER).tobytes()
        if len(fixed) < _FIXED_HEADER or not is_gzip(fixed):
            return False
        flags = fixed[3]
        if flags & _FEXTRA:
            window.skip(int.from_bytes(window.take(2), "little"))
        is_whole = all(self._pass_text() for flag in (_FNAME, _FCOMMENT) if flags & flag)
        return is_whole and (not flags & _FHCRC or window.skip(2) == 2)  # noqa: PLR2004 (both bytes of a CRC-16)

    def _pass_text(self) -> bool:
        """Pass a text and the NUL behind it; False when there is none."""
        while block := self._window.peek(STEP_IN).tobytes():
            end = block.find(b"\0")
            self._window.skip(len(block) if end < 0 else end + 1)
            if end >= 0:
                return True
        return False
