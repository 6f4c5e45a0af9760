"""What one changed byte does to a shard: the verdict that the properties are about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tarlight.ledger import SkipReason
from tests.tar.shards import Shard, records


@dataclass
class Verdict:
    """How a damaged shard was read, beside the sound one."""

    missing: list[str]
    """Images of the sound shard that were not delivered as they were."""
    changed: list[str]
    """Images delivered under their name with other bytes."""
    renamed: list[str]
    """Images delivered with their bytes under another name."""
    skipped: Counter[SkipReason]
    """Images seen and flawed."""
    ignored: dict[str, int]
    losses: list[tuple[int, int]] = field(default_factory=list)


def flip(shard: Shard, offset: int, value: int) -> bytes:
    """The shard with one byte replaced by another value."""
    assert shard.data[offset] != value
    return shard.data[:offset] + bytes([value]) + shard.data[offset + 1 :]


def judge(shard: Shard, damaged: bytes) -> Verdict:
    """Read a damaged shard and say what became of each image."""
    images, report = records(damaged)
    assert not report.unbalanced_shards
    assert report.images_seen == len(images)
    delivered = {image.member: image.data for image in images if image.flaw is None}
    sound = shard.images
    by_payload = {data: name for name, data in sound.items()}
    strange = {name: data for name, data in delivered.items() if name not in sound}
    return Verdict(
        missing=[name for name, data in sound.items() if delivered.get(name) != data],
        changed=[name for name, data in delivered.items() if name in sound and data != sound[name]],
        renamed=[by_payload[data] for data in strange.values() if data in by_payload]
        + [f"invented: {name}" for name, data in strange.items() if data not in by_payload],
        skipped=Counter(image.flaw for image in images if image.flaw is not None),
        ignored=report.ignored,
        losses=[(loss.start, loss.end) for loss in report.losses],
    )
