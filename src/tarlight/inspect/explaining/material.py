"""Some of the dataset's bytes and images in RAM, to measure ceilings on; and how fast the store gave them."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tarlight.decode import Caps, Encoded, Refusal, read_facts
from tarlight.errors import InputError, InputMissingError, ShardChangedError, ShardReadError
from tarlight.ledger import Ledger, Loss
from tarlight.storage import Plan, Reading
from tarlight.tar import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tarlight.stages.image.io.option import ReaderOptions

KEPT_BYTES = 64 << 20
"""Shards are kept up to here."""
_WARM_UP = 4
"""Chunks that there must be for the first one not to count."""
_AT_ONCE = 512
"""Shards that are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard that may be read."""

    path: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Material:
    """What was read of some shards."""

    shards: tuple[tuple[str, tuple[bytes, ...]], ...]
    """Path and chunks of each that was kept; the last one may be a beginning only."""
    num_bytes: int
    """What was read after the first chunk, whose wait is that of a beginning."""
    seconds: float
    """In which that was read."""

    @property
    def bytes_s(self) -> float:
        """Bytes a second."""
        return self.num_bytes / self.seconds if self.seconds else 0.0


def read_some(shards: Sequence[Shard], options: ReaderOptions, plan: Plan, seconds: float) -> Material:
    """Read shards one after the other, as the reader does, and do nothing with them but keep the first.

    A shard that cannot be read is left where it fails: the run will say so.

    Args:
        shards: which; in this order.
        options: the reader's.
        plan: how many requests at once.
        seconds: for about how long.

    Raises:
        InputError: nothing was read, and some of them are missing or denied; tells of the first.
    """
    reading = Reading(options.storage_options, plan)
    kept, num_bytes, began = [], 0, time.monotonic()
    warm_up: list[tuple[float, int]] = []
    some, refused = shards[:_AT_ONCE], None
    try:
        for shard in some:
            reading.expect(shard.path, shard.size)
        for shard in some:
            chunks: list[bytes] = []
            kept.append((str(shard.path), chunks))
            try:
                for chunk in _chunks_of(reading, shard):
                    num_bytes += len(chunk)
                    if len(warm_up) < _WARM_UP:
                        warm_up.append((time.monotonic(), num_bytes))
                    if num_bytes <= KEPT_BYTES:
                        chunks.append(bytes(chunk))
                    if time.monotonic() - began >= seconds:
                        break
            except InputError as error:
                refused = refused or error
            if num_bytes and time.monotonic() - began >= seconds:
                break
    finally:
        reading.close()
    whole = tuple((path, tuple(chunks)) for path, chunks in kept if chunks)
    if refused is not None and not whole:
        raise refused
    began, before = warm_up[0] if len(warm_up) == _WARM_UP else (began, 0)
    return Material(whole, num_bytes - before, time.monotonic() - began)


def _chunks_of(reading: Reading, shard: Shard) -> Iterator[bytes]:
    with (
        suppress(ShardReadError, ShardChangedError),
        closing(reading.open(shard.path, shard.size).chunks()) as chunks,
    ):
        yield from chunks


def parse(material: Material, options: ReaderOptions) -> list[Encoded]:
    """Do all that the reader thread does with bytes: find the images, and read their headers."""
    caps, images = Caps(options.max_pixels, options.max_scans), []
    for path, chunks in material.shards:
        records = read_records(
            chunks,
            shard=path,
            size=None,
            ledger=Ledger(),
            extensions=options.extensions,
            fields=options.fields,
            max_member_bytes=options.max_member_bytes,
        )
        for record in records:
            if isinstance(record, Loss) or record.flaw is not None:
                continue
            data = record.data or b""
            facts = read_facts(data, caps)
            if not isinstance(facts, Refusal):
                images.append(Encoded(data, facts))
    return images


def require_images(images: Sequence[Encoded], material: Material) -> None:
    """Raise where there is nothing to measure with."""
    if not images:
        where = material.shards[0][0] if material.shards else "the dataset"
        raise InputMissingError(
            f"{where}: no image that could be decoded in the {material.num_bytes:,} bytes that were read "
            "there; look at it with `tarlight check`"
        )
