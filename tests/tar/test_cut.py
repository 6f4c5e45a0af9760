"""A shard that is cut anywhere gives every image before the cut."""

from __future__ import annotations

import random

import pytest

from tarlight.ledger import LossReason, SkipReason
from tests.soak import repetitions
from tests.tar.shards import DIALECTS, Shard, four_records, members, notes_by_kind, records


@pytest.fixture(scope="module", params=sorted(DIALECTS))
def shard(request) -> Shard:
    return four_records(request.param)


def cuts(shard: Shard) -> list[int]:
    """Every block border, and random places between them."""
    chooser = random.Random(21)
    return [
        *range(0, len(shard.data), 512),
        *chooser.choices(range(len(shard.data)), k=repetitions(100, 3000)),
    ]


def test_every_image_before_the_cut_is_delivered(shard: Shard) -> None:
    """An image whose last byte is before the cut comes, with its bytes, and none other does."""
    ends = {name: payload.stop for (name, _), payload in zip(shard.entries, shard.payloads, strict=True)}
    for cut in cuts(shard):
        images, report = records(shard.data[:cut])
        whole = {name: data for name, data in shard.images.items() if ends[name] <= cut}
        assert {image.member: image.data for image in images if image.flaw is None} == whole
        assert not report.unbalanced_shards


def test_a_cut_is_in_the_ledger(shard: Shard) -> None:
    """A cut inside a header, a long name or a payload is a loss up to the end; one on a border is a note."""
    for cut in cuts(shard):
        images, report = records(shard.data[:cut])
        losses = list(report.losses)
        inside = [payload for payload in shard.payloads if payload.start <= cut < payload.stop]
        assert len(losses) <= 1
        if inside:
            assert (losses[0].start, losses[0].end) == (inside[0].start, cut)
            assert losses[0].reason is LossReason.TRUNCATED_SHARD
        elif not losses and cut < len(shard.data) - 1024:
            assert notes_by_kind(report).keys() & {"missing_end", "empty"}
        flaws = [image.flaw for image in images if image.flaw is not None]
        assert set(flaws) <= {SkipReason.TRUNCATED, SkipReason.NAME_LOST}
        assert len(flaws) <= 1


def test_without_a_known_size_a_cut_reads_the_same(shard: Shard) -> None:
    """Knowing the size of a cut shard beforehand changes neither members nor damage."""
    for cut in cuts(shard):
        known, known_damage, _ = members(shard.data[:cut])
        unknown, unknown_damage, _ = members(shard.data[:cut], size=None)
        assert [member[:4] + member[5:6] for member in known] == [m[:4] + m[5:6] for m in unknown]
        assert known_damage == unknown_damage
