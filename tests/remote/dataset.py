"""Shards in stores, and what tarlight makes of them."""

from __future__ import annotations

import io
import random
import tarfile
import zlib
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tarlight.pipeline import Pipeline
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.stages.image.io.image_reader import ImageReaderStage
from tests.reader.dataset import jpeg

if TYPE_CHECKING:
    from tarlight.ledger import Report

MIB = 1 << 20
QUICK = {
    "retry_config": {
        "max_retries": 3,
        "backoff": {
            "init_backoff": timedelta(milliseconds=1),
            "max_backoff": timedelta(milliseconds=4),
        },
    }
}
"""Options that repeat as often as by default nearly, and wait next to nothing."""


class Loaded(NamedTuple):
    """What came out of a run."""

    images: list[tuple[str, int]]
    """Id and checksum of the pixels of each image, in order."""
    report: Report

    @property
    def books(self) -> dict[str, Any]:
        """What the ledger says but for places and times, which differ from store to store."""
        told = self.report.to_dict()
        return {name: told[name] for name in _BOOKS}


_BOOKS = (
    "outcome",
    "images_seen",
    "images_delivered",
    "images_skipped",
    "images_filtered",
    "undelivered",
    "ignored",
    "bytes_lost",
    "decoders",
    "fallbacks",
    "bytes_read",
)


def pipeline(paths: Any, storage_options: dict[str, Any] | None = None, **options: Any) -> Pipeline:
    """The documented pipeline over stores, silent."""
    reader = ImageReaderStage(
        **{"num_threads": 2, "verbose": False, "storage_options": storage_options, **options}
    )
    return Pipeline("test", stages=[FilePartitioningStage(paths, storage_options=storage_options), reader])


def load(paths: Any, storage_options: dict[str, Any] | None = None, **options: Any) -> Loaded:
    """Stream everything."""
    with pipeline(paths, storage_options, **options).stream() as stream:
        images = [(image.image_id, zlib.crc32(image.image_data)) for batch in stream for image in batch.data]
    assert stream.report.is_balanced
    return Loaded(images, stream.report)


@cache
def shard(records: int = 5, *, ballast: int = 0, seed: int = 0) -> bytes:
    """A shard of small pictures, each followed by `ballast` bytes that no server can compress."""
    chance = random.Random(seed)
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for index in range(records):
            members = [(f"{index:06d}.jpg", jpeg(seed * 100 + index))]
            if ballast:
                members.append((f"{index:06d}.bin", chance.randbytes(ballast)))
            for name, data in members:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def small() -> bytes:
    """A shard that one request fetches."""
    return shard(5)


def big() -> bytes:
    """A shard of four ranges: 144 pictures spread over 36 MiB."""
    return shard(144, ballast=MIB // 4)
