"""The parser: chunks in, members and damage out.

Strategy: one generator. Its hot loop reads the common case, a regular file whose header and payload lie in
the chunk at hand, straight from the chunk; anything else it leaves to the `Walker`, one step at a time.
Both give the same result for the same bytes, however they are cut into chunks. No I/O, and no errors of its
own: what the iterable of chunks raises passes through.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tarlight.ledger import LossReason, Note, ShardAccount
from tarlight.tar.header import BLOCK, FIELDS, decode_header, known_sums
from tarlight.tar.inflate import Inflater
from tarlight.tar.member import Damage, Member
from tarlight.tar.notebook import Notebook
from tarlight.tar.pax import is_harmless
from tarlight.tar.sniff import SNIFF_BYTES, is_gzip, name_compression
from tarlight.tar.walker import Walker
from tarlight.tar.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from tarlight.tar.member import Chunk

MAX_MEMBER_BYTES = 256 << 20
"""Larger than any JPEG that a camera or scanner makes; bounds what one member can take in memory."""

_REGULAR = b"0"
_PAX = b"x"
_TERMINATORS = b"\0 "


class TarStream(Iterator[Member | Damage]):
    """The members and the damage of one shard, in tar order. Not thread-safe.

    `account` and `notes` are complete once the stream is exhausted. Then, for any input, the columns of the
    account add up to `account.size`. For a gzip shard they count inflated bytes: a loss whose inflated length
    nobody can know covers the inflated bytes at hand (none, between two members), and its detail gives the
    compressed offset.
    """

    def __init__(
        self,
        chunks: Iterable[Chunk],
        *,
        shard: str,
        size: int | None,
        wanted: Callable[[str], bool] | None,
        max_member_bytes: int,
    ) -> None:
        self.account = ShardAccount(shard=shard)
        """Where every byte went."""
        self.is_inflated = False
        """Whether the shard is gzip; known once the first item was asked for."""
        self._notebook = Notebook(shard)
        self._window = Window(chunks)
        self._size = size
        self._wanted = wanted
        self._max_member_bytes = max_member_bytes
        self._items = self._run()

    @property
    def notes(self) -> list[Note]:
        """What else was noticed; at most 101 notes of each kind."""
        return self._notebook.notes

    def __iter__(self) -> Iterator[Member | Damage]:  # noqa: PYI034 (a loop then runs on the bare generator)
        return self._items

    def __next__(self) -> Member | Damage:
        return next(self._items)

    def close(self) -> None:
        """Stop reading. The chunks are the caller's to close."""
        self._items.close()

    def _run(self) -> Generator[Member | Damage, None, None]:
        start = self._window.peek(SNIFF_BYTES).tobytes()
        is_tar = len(start) == BLOCK and decode_header(start) is not None
        if not is_tar and (compression := name_compression(start)):
            yield self._refuse(compression)
        else:
            self.is_inflated = not is_tar and is_gzip(start)
            walker = self._walker()
            yield from self._walk(walker)
            self.account.size = walker.window.offset
        self._notebook.close()

    def _refuse(self, compression: str) -> Damage:
        """Write off a shard in a compression that is not read."""
        size = self._size if self._size is not None else self._window.skip(1 << 62)
        self.account.size = self.account.lost = size
        detail = f"{compression} is not read; recompress as gzip, or store the tar uncompressed"
        return Damage(self.account.shard, 0, size, LossReason.UNSUPPORTED_COMPRESSION, "", "", detail)

    def _walker(self) -> Walker:
        inflater = Inflater(self._window, self._notebook) if self.is_inflated else None
        return Walker(
            self._window if inflater is None else Window(inflater),
            self.account,
            self._notebook,
            size=self._size if inflater is None else None,
            wanted=self._wanted,
            max_member_bytes=self._max_member_bytes,
            inflater=inflater,
        )

    def _walk(self, walker: Walker) -> Iterator[Member | Damage]:
        """The hot loop, and a step of the walker whenever it does not apply."""
        while not walker.has_ended:
            yield from self._pass_plain(walker)
            yield from walker.step()
            while not walker.is_idle and not walker.has_ended:
                yield from walker.step()

    def _pass_plain(self, walker: Walker) -> Iterator[Member]:
        """Read plain members for as long as they come whole from the chunk at hand."""
        window, wanted, limit_bytes = walker.window, self._wanted, self._max_member_bytes
        unpack, adler32, sums, make = FIELDS.unpack_from, zlib.adler32, known_sums, tuple.__new__
        view, pos, limit, base = window.view, window.pos, window.limit, window.base
        start, count, payload, extended, follows_pax, name = pos, 0, 0, 0, False, ""
        while pos + BLOCK <= limit:
            raw, octal, terminator, checksum, flag, prefix = unpack(view, pos)
            if (
                adler32(view[pos : pos + BLOCK]) & 0xFFFF != sums.get(checksum)
                or prefix
                or terminator not in _TERMINATORS
                or not octal.isdigit()
            ):
                break
            try:
                size = int(octal, 8)
                text = raw.partition(b"\0")[0].decode()
            except ValueError:
                break
            first = pos + BLOCK
            stop = first + size
            end = stop + (-size & 511)
            if end > limit or size > limit_bytes:
                break
            if flag != _REGULAR:
                if flag != _PAX or follows_pax or not is_harmless(view[first:stop]):
                    break
                extended, follows_pax, pos = extended + end - pos, True, end
                continue
            follows_pax, name = False, text
            data = view[first:stop] if wanted is None or wanted(name) else None
            count += 1
            payload += size
            pos = end
            yield make(Member, (name, base + first, size, "file", data, None, "", False))
        window.pos = pos
        headers = BLOCK * count + extended
        self._book(headers, payload, padding=pos - start - headers - payload)
        walker.count(headers, count, name)

    def _book(self, headers: int, payload: int, *, padding: int) -> None:
        """Put bytes into their columns."""
        self.account.header += headers
        self.account.payload += payload
        self.account.padding += padding


def iter_members(
    chunks: Iterable[Chunk],
    *,
    shard: str = "",
    size: int | None = None,
    wanted: Callable[[str], bool] | None = None,
    max_member_bytes: int = MAX_MEMBER_BYTES,
) -> TarStream:
    """Read a tar, plain or gzip, from chunks of bytes.

    Args:
        chunks: the bytes of the shard in order, cut anywhere. They must not change later: payloads are views.
        shard: path or URL, for damage and notes only.
        size: bytes in all chunks together, when known. With it, a size field that goes beyond the end is
            recognised at once and the headers after it are found; without it, such a member takes the rest.
        wanted: gets a member's name and says whether its payload is wanted; None wants all. Other payloads
            are passed over in constant memory.
        max_member_bytes: larger payloads are passed over, and the member has the flaw TOO_LARGE.

    Returns:
        An iterator of `Member` and `Damage` in tar order, with the shard's account and notes.
    """
    return TarStream(chunks, shard=shard, size=size, wanted=wanted, max_member_bytes=max_member_bytes)
