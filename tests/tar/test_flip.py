"""One changed byte costs at most one image, in every dialect.

The exceptions that the contract names are counted here: bytes of a long name beyond the part that the header
repeats have no second copy, so a change there may rename that one member (`renamed`), or turn `.jpg` into
`.jpe` or `.jps`, real extensions of JPEG files that are not asked for (`retyped`).
"""

from __future__ import annotations

import random

import pytest

from tests.soak import repetitions
from tests.tar.flip import Verdict, flip, judge
from tests.tar.shards import DIALECTS, Shard, four_records

RETYPED = {".jpe", ".jps"}


@pytest.fixture(scope="module", params=sorted(DIALECTS))
def shard(request) -> Shard:
    return four_records(request.param)


def check(shard: Shard, offset: int, verdict: Verdict) -> str:
    """Assert what one flip may do; returns the exception it needed, if any."""
    where = f"byte {offset}: {verdict}"
    retyped = RETYPED & verdict.ignored.keys()
    assert len(verdict.missing) <= 1, where
    assert not verdict.changed, where
    assert set(verdict.renamed) <= set(verdict.missing), where
    is_named = (
        any(start <= offset < end for start, end in verdict.losses) or sum(verdict.skipped.values()) == 1
    )
    assert not verdict.missing or verdict.renamed or retyped or is_named, where
    jpegs = {kind for kind in verdict.ignored if kind not in RETYPED and kind.startswith((".j", ".J"))}
    assert not jpegs, where
    return "renamed" if verdict.renamed else "retyped" if retyped else ""


def test_a_flip_outside_the_payloads_costs_at_most_one_image(shard: Shard) -> None:
    """Every byte of every header, long name, padding and end mark may change without a second image lost."""
    chooser = random.Random(11)
    used = []
    for offset in shard.frame:
        for _ in range(repetitions(1, 12)):
            value = (shard.data[offset] + chooser.randrange(1, 256)) % 256
            used.append((offset, check(shard, offset, judge(shard, flip(shard, offset, value)))))
    renamed = {offset for offset, exception in used if exception == "renamed"}
    long_names = sum(len(name.encode()) for name in shard.images if len(name.encode()) > 100 or "ö" in name)
    assert len(renamed) <= long_names
    assert sum(exception == "retyped" for _, exception in used) <= len(used) // 1000


def test_no_flip_in_a_ustar_shard_needs_an_exception() -> None:
    """Where every name is under a checksum, no change renames or retypes anything."""
    shard = four_records("ustar")
    verdicts = [(offset, judge(shard, flip(shard, offset, shard.data[offset] ^ 1))) for offset in shard.frame]
    assert not any(check(shard, offset, verdict) for offset, verdict in verdicts)


def test_a_flip_in_a_payload_changes_that_payload_only(shard: Shard) -> None:
    """The parser delivers a changed payload as it is, and everything else untouched."""
    chooser = random.Random(12)
    inside = [offset for payload in shard.payloads for offset in payload]
    for offset in chooser.choices(inside, k=repetitions(200, 4000)):
        verdict = judge(shard, flip(shard, offset, shard.data[offset] ^ (1 << chooser.randrange(8))))
        assert verdict.missing == verdict.changed
        assert len(verdict.missing) <= 1
        assert not verdict.skipped
        assert not verdict.losses


def test_a_lost_block_costs_the_images_it_touches_and_no_name_is_guessed(shard: Shard) -> None:
    """With a whole block overwritten, what is delivered still has its true name and bytes."""
    chooser = random.Random(13)
    for start in range(0, len(shard.data), 512):
        noise = chooser.randbytes(512)
        verdict = judge(shard, shard.data[:start] + noise + shard.data[start + 512 :])
        assert not verdict.renamed, (start, verdict)
        assert len(verdict.missing) <= 1, (start, verdict)
