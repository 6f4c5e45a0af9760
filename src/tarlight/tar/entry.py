"""From a member's header, and what came before it, to a `Member` without its payload.

Strategy: passes the header and the maps that belong to it, and puts them into the account. Looks ahead as
`size` does. Never raises for the content of a shard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.ledger import SkipReason
from tarlight.tar.header import BLOCK, KINDS, decode_header
from tarlight.tar.longname import decode_name
from tarlight.tar.member import Member
from tarlight.tar.size import NO_DATA_KINDS, carries_nothing, settle_size

if TYPE_CHECKING:
    from tarlight.ledger import ShardAccount
    from tarlight.tar.extension import Naming
    from tarlight.tar.header import Header
    from tarlight.tar.window import Window

_SPARSE_GOES_ON = 504


def enter(window: Window, account: ShardAccount, header: Header, naming: Naming) -> tuple[Member, bool]:
    """Pass a member's header; returns the member, and whether its size is to be believed."""
    account.header += window.skip(BLOCK)
    if header.flag == b"S":
        account.header += _pass_sparse_map(window, is_extended=header.is_extended)
    kind = "sparse" if naming.is_sparse else _kind(header)
    size = settle_size(window, header.size, naming.size)
    if kind in NO_DATA_KINDS and size and carries_nothing(window):
        size = 0
    declared = (naming.size or header.size) if size is None else size
    flaw = SkipReason.NAME_LOST if naming.trouble and kind == "file" else None
    name = decode_name(naming.name)
    member = Member(name, window.offset, declared, kind, None, flaw, naming.trouble, naming.is_long)
    return member, size is not None


def _pass_sparse_map(window: Window, *, is_extended: bool) -> int:
    """Pass the rest of an old GNU sparse map; it ends at the latest at the next sound header."""
    start = window.offset
    while is_extended:
        block = window.peek(BLOCK).tobytes()
        if len(block) < BLOCK or decode_header(block) is not None:
            break
        window.skip(BLOCK)
        is_extended = block[_SPARSE_GOES_ON] != 0
    return window.offset - start


def _kind(header: Header) -> str:
    """Kind of a member; version 7 marks a directory by the slash after its name only."""
    if header.flag == b"\0" and header.name.endswith(b"/"):
        return "directory"
    return KINDS.get(header.flag, "file")
