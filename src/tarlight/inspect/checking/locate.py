"""A second look at a record: which name stands where its key was found?

Strategy: a plain shard is asked for the one range at which the record begins; a gzip shard is inflated up to
there.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tarlight.inspect.checking.record import digest_of
from tarlight.tar import Member, iter_members
from tarlight.tar.name import split_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tarlight.storage import ShardStat, Store

_RANGE_BYTES = 16 << 10
"""Room for a header, its PAX or GNU headers, and a long name."""


def locate(store: Store, shard: ShardStat, start: int, digest: bytes) -> Member | None:
    """Return the first member from byte `start` on whose key has this digest, its payload left out.

    None where there is none any more. Raises what the store raises.
    """
    if shard.size is not None and start < shard.size:
        data = store.read(shard, start, min(_RANGE_BYTES, shard.size - start))
        found = _first([data], start, digest)
        if found is not None:
            return found
    with closing(store.chunks(shard)) as chunks:
        stream = iter_members(chunks, shard=shard.path, size=shard.size, wanted=_nothing)
        for item in stream:
            if isinstance(item, Member) and item.offset > start and _has(item, digest):
                return item
    return None


def _first(chunks: Iterable[bytes], start: int, digest: bytes) -> Member | None:
    item = next(iter_members(chunks, wanted=_nothing), None)
    if isinstance(item, Member) and _has(item, digest):
        return item._replace(offset=item.offset + start)
    return None


def _has(member: Member, digest: bytes) -> bool:
    return digest_of(split_name(member.name)[0]) == digest


def _nothing(_name: str) -> bool:
    return False
