"""The slow path of the parser: everything that is not a plain small file inside one chunk.

Strategy: a `Walker` stands at a block border of a window and `step` deals with the one thing that is there:
an end mark, an extension header, a member, damage, the end of the data. It yields what it found, puts every
byte it passes into one column of the account, and never raises for the content of a shard. It looks ahead
by bounded amounts only and calls nothing recursively.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.ledger import LossReason, SkipReason
from tarlight.tar.entry import enter
from tarlight.tar.extension import MAX_PAYLOAD, Pending
from tarlight.tar.header import (
    BLOCK,
    EXTENSION_FLAGS,
    NAMING_FLAGS,
    ZERO_BLOCK,
    Header,
    decode_header,
    has_magic,
    padding,
)
from tarlight.tar.losses import Losses
from tarlight.tar.resync import hides_name, scan
from tarlight.tar.sniff import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tarlight.ledger import ShardAccount
    from tarlight.tar.inflate import Inflater
    from tarlight.tar.member import Damage, Member
    from tarlight.tar.notebook import Notebook
    from tarlight.tar.window import Window

_ZEROS_AT_ONCE = 64 << 10


class Walker:
    """Walks over a shard, one thing a step."""

    def __init__(
        self,
        window: Window,
        account: ShardAccount,
        notebook: Notebook,
        *,
        size: int | None,
        wanted: Callable[[str], bool] | None,
        max_member_bytes: int,
        inflater: Inflater | None = None,
    ) -> None:
        self.window = window
        self.account = account
        self.has_ended = False
        """Nothing more will come."""
        self.num_headers = 0
        """Sound headers so far."""
        self.num_members = 0
        """Members so far."""
        self._notebook = notebook
        self._size = size
        self._wanted = wanted
        self._max_member_bytes = max_member_bytes
        self._losses = Losses(account, inflater)
        self._pending = Pending()
        self._end_bytes = 0

    def count(self, header_bytes: int, members: int, last_name: str) -> None:
        """Take note of the plain members that the hot loop has read, and their headers."""
        self.num_headers += header_bytes // BLOCK
        self.num_members += members
        self._losses.last_name = last_name or self._losses.last_name

    @property
    def is_idle(self) -> bool:
        """Whether the next member owes nothing to what came before it."""
        return self._pending.is_empty and self._losses.is_empty and not self._end_bytes

    def step(self) -> Iterator[Member | Damage]:
        """Deal with the one thing at the window."""
        block = self.window.peek(BLOCK).tobytes()
        if len(block) < BLOCK:
            yield from self._stop(block)
        elif block == ZERO_BLOCK:
            self._pass_zeros()
        elif (header := decode_header(block)) is not None:
            self._leave_end_mark()
            self.num_headers += 1
            yield from self._extend(header) if header.flag in EXTENSION_FLAGS else self._enter(header)
        elif self._end_bytes and not has_magic(block):
            yield from self._pass_trailing()
        else:
            yield from self._resync(block, self.window.offset)

    # End marks and what comes after them

    def _pass_zeros(self) -> None:
        """Pass whole zero blocks."""
        self._pending = Pending()
        while chunk := self.window.peek(_ZEROS_AT_ONCE).tobytes():
            zeros = (len(chunk) - len(chunk.lstrip(b"\0"))) // BLOCK * BLOCK
            self.account.end += self.window.skip(zeros)
            self._end_bytes += zeros
            if zeros < len(chunk):
                return

    def _leave_end_mark(self) -> None:
        """A sound header comes: if it comes after an end mark, say so."""
        if not self._end_bytes or not self.num_headers:
            self._end_bytes = 0
            return
        if self._end_bytes == BLOCK:
            self._notebook.add("zero_block", f"a single zero block before byte {self.window.offset}; read on")
        else:
            text = f"another archive begins at byte {self.window.offset}, after an end mark; read on"
            self._notebook.add("concatenated", text)
        self._end_bytes = 0

    def _pass_trailing(self) -> Iterator[Damage]:
        """Pass what follows an end mark and is no header: harmless, unless headers follow it."""
        start = self.window.offset
        found, num_zeros, _ = scan(self.window, stop_at_magic=True)
        stop = self.window.offset - num_zeros
        if not found and not self.num_headers:
            yield from self._give_up()
        elif not found:
            self._note_trailing(start, stop)
            self.account.end += num_zeros
        elif decode_header(block := self.window.peek(BLOCK).tobytes()) is None:
            yield from self._resync(block, start)
        else:
            self._end_bytes = 0
            yield from self._lose(start, "unreadable bytes after an end mark")

    def _note_trailing(self, start: int, stop: int) -> None:
        self.account.trailing += stop - start
        self._notebook.add("trailing", f"{stop - start} bytes after the end mark, from byte {start}")

    def _stop(self, tail: bytes) -> Iterator[Damage]:
        """Deal with the end of the data and the less than 512 bytes before it."""
        start = self.window.offset
        self.window.skip(len(tail))
        self.has_ended = True
        if not tail.strip(b"\0"):
            self.account.end += len(tail)
        elif not self.num_headers:
            yield from self._give_up(describe(tail))
        elif self._end_bytes:
            self._note_trailing(start, start + len(tail))
        else:
            yield from self._lose_cut(start, "the shard ends inside a header")
        yield from self._losses.add_failure(self.window.offset)
        yield from self._losses.release("")
        self._note_end()

    def _note_end(self) -> None:
        if self._losses.is_cut:
            return
        if not self.num_members and not self.account.lost:
            self._notebook.add("empty", f"an archive without members ({self.window.offset} bytes)")
        elif self.num_members and not self._end_bytes:
            self._notebook.add("missing_end", "no end mark; the shard may have been cut between members")

    # Damage

    def _resync(self, damaged: bytes, start: int) -> Iterator[Damage]:
        """Pass everything from a bad header (which is at the window) to the next sound one."""
        self.window.skip(BLOCK)
        found, num_zeros, passed = scan(self.window)
        self._end_bytes = 0
        if found:
            names_next = hides_name(damaged, passed, self.window.peek(BLOCK).tobytes())
            self._await("a damaged header before it held its name" if names_next else "")
            yield from self._lose(start, "a damaged header")
        elif not self.num_headers and not has_magic(damaged):
            yield from self._give_up(describe(damaged))
        else:
            self._await("")
            self.account.end += num_zeros
            self._end_bytes = num_zeros
            self._losses.is_cut = not num_zeros
            yield from self._lose(start, "a damaged header, and none after it", num_zeros)

    def _await(self, trouble: str) -> None:
        """Forget what was known about the next member; `trouble` says why its name is lost, if it is."""
        self._pending = Pending(trouble)

    def _lose(self, start: int, detail: str, num_kept: int = 0) -> Iterator[Damage]:
        """Write off everything from `start` to the window, apart from the last `num_kept` bytes."""
        end = self.window.offset - num_kept
        yield from self._losses.add(start, end, LossReason.BAD_HEADER, detail)

    def _lose_cut(self, start: int, detail: str) -> Iterator[Damage]:
        yield from self._losses.add_cut(start, self.window.offset, detail)

    def _give_up(self, detail: str = "no tar header") -> Iterator[Damage]:
        yield from self._losses.add_everything(self.window.offset, detail)

    # Headers and members

    def _extend(self, header: Header) -> Iterator[Damage]:
        """Read an extension header and its payload."""
        window, start = self.window, self.window.offset
        whole = window.peek(BLOCK + min(header.size, MAX_PAYLOAD))
        if header.size > MAX_PAYLOAD or len(whole) < BLOCK + header.size:
            yield from self._overextend(header)
            return
        payload = whole[BLOCK:].tobytes()
        passed = window.skip(BLOCK + header.size + padding(header.size))
        if self._pending.add(header.flag, payload):
            self.account.header += passed
        else:
            yield from self._lose(start, "too many extension headers in a row")

    def _overextend(self, header: Header) -> Iterator[Damage]:
        """An extension header that is too large, or goes on beyond the end: read on at the next header."""
        start = self.window.offset
        self.window.skip(BLOCK)
        if scan(self.window).is_found:
            self._await("an oversized header before it held its name" if header.flag in NAMING_FLAGS else "")
            yield from self._lose(start, "an extension header with a wrong size")
        else:
            yield from self._lose_cut(start, "the shard ends inside an extension header")

    def _enter(self, header: Header) -> Iterator[Member | Damage]:
        """Read a member."""
        naming = self._pending.settle(header)
        self._await("")
        member, is_believed = enter(self.window, self.account, header, naming)
        if not is_believed or (self._size is not None and member.offset + member.size > self._size):
            yield from self._overrun(member)
            return
        member = self._read_payload(member)
        present = self.window.offset - member.offset
        if present < member.size:
            yield from self._cut_short(member, f"{present} of {member.size} bytes are there")
            yield from self._lose_cut(member.offset, "the shard ends inside a member")
            return
        self.account.payload += present
        self.account.padding += self.window.skip(padding(present))
        if not self._losses.is_empty:
            yield from self._losses.release(member.name)
        self._count(member)
        yield member

    def _read_payload(self, member: Member) -> Member:
        """Pass a payload, and keep it if it is wanted."""
        if member.flaw is None and member.kind == "file" and self._wants(member.name):
            return self._take(member)
        self.window.skip(member.size)
        return member

    def _take(self, member: Member) -> Member:
        """Read a payload that is wanted, unless it is too large."""
        if member.size > self._max_member_bytes:
            self.window.skip(member.size)
            detail = f"{member.size} bytes, more than max_member_bytes={self._max_member_bytes}"
            return member._replace(flaw=SkipReason.TOO_LARGE, detail=detail)
        return member._replace(data=self.window.take(member.size))

    def _overrun(self, member: Member) -> Iterator[Member | Damage]:
        """A payload that goes on beyond the end, or over the next header: read on at that header."""
        yield from self._cut_short(
            member, f"its {member.size} bytes go beyond the end or over the next header"
        )
        found, _, _ = scan(self.window)
        if found:
            yield from self._lose(member.offset, "a size that is wrong")
        else:
            yield from self._lose_cut(member.offset, "the shard ends inside a member")

    def _cut_short(self, member: Member, detail: str) -> Iterator[Member | Damage]:
        if member.kind == "file" and member.flaw is not SkipReason.NAME_LOST:
            member = member._replace(flaw=SkipReason.TRUNCATED, detail=detail)
        yield from self._losses.release(member.name)
        self._count(member)
        yield member._replace(data=None)

    def _count(self, member: Member) -> None:
        self._losses.last_name = member.name
        self.num_members += 1

    def _wants(self, name: str) -> bool:
        return self._wanted is None or self._wanted(name)
