"""A sample of what was skipped and lost, with a look at those images of which anything can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tarlight.decode import Caps, Decoded, Encoded, Refusal, TurboDecoder, read_facts
from tarlight.errors import TarlightError
from tarlight.inspect.surveying.sample import FairSample
from tarlight.inspect.surveying.thumbnail import SMALL_SIDE, make_thumbnail, thumbnail_of_png
from tarlight.ledger import Loss, SkipReason
from tarlight.report.survey import Problem
from tarlight.storage import open_store
from tarlight.storage.route import location
from tarlight.tar.header import BLOCK, decode_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from tarlight.ledger import Skip
    from tarlight.report.survey import Thumbnail

A_REASON = 9
"""Problems of each reason that are shown; there are 18 reasons, so 162 at most."""
MAX_IMAGE_BYTES = 32 << 20
"""Larger images are not read a second time for their thumbnail."""

_VISIBLE: Final = frozenset(
    [SkipReason.NOT_JPEG, SkipReason.TRUNCATED, SkipReason.CORRUPT, SkipReason.DUPLICATE_KEY]
)
"""Reasons for which there may be something to see. What is over a limit is not decoded, here neither."""
_CAPS = Caps(max_pixels=40_000_000, max_scans=20)
_DECODER = TurboDecoder(deliver_damaged=True)


class ProblemSample:
    """A fair sample of each reason. For one thread."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._samples: dict[str, FairSample[Skip | Loss]] = {}

    def skip(self, entry: Skip) -> None:
        """An image that was skipped."""
        self._put(entry, f"{entry.shard}/{entry.member}@{entry.offset}")

    def lose(self, entry: Loss) -> None:
        """Bytes that were lost."""
        self._put(entry, f"{entry.shard}@{entry.start}")

    def problems(self, storage_options: Mapping[str, Any] | None = None) -> Iterator[Problem]:
        """Yield the sample, reason by reason; images are read again for their thumbnails."""
        for sample in self._samples.values():
            for entry in sample.things():
                yield _problem(entry, storage_options)

    def _put(self, entry: Skip | Loss, name: str) -> None:
        reason = entry.reason.value
        sample = self._samples.get(reason)
        if sample is None:
            sample = self._samples[reason] = FairSample(A_REASON, self._seed)
        rank = sample.rank(name)
        if sample.wants(rank):
            sample.put(rank, entry)


def sample_problems(skips: Iterable[Skip], losses: Iterable[Loss], seed: int) -> ProblemSample:
    """Return a sample of these entries of a ledger."""
    sample = ProblemSample(seed)
    for skip in skips:
        sample.skip(skip)
    for loss in losses:
        sample.lose(loss)
    return sample


def _problem(entry: Skip | Loss, storage_options: Mapping[str, Any] | None) -> Problem:
    reason, shard, detail = entry.reason.value, entry.shard, entry.detail
    if isinstance(entry, Loss):
        return Problem(reason, "", shard, entry.start, detail, entry.end - entry.start)
    if entry.reason not in _VISIBLE:
        return Problem(reason, entry.key, shard, entry.offset, detail)
    try:
        thumbnail = _look_at(_read_again(entry, storage_options))
    except TarlightError as error:
        detail = f"{detail} (no picture: it could not be read again: {error})"
        thumbnail = None
    return Problem(reason, entry.key, shard, entry.offset, detail, thumbnail=thumbnail)


def _read_again(skip: Skip, storage_options: Mapping[str, Any] | None) -> bytes:
    """Return the encoded bytes of a skipped image; none where its header does not stand before it."""
    store = open_store(skip.shard, storage_options)
    shard = store.stat(location(skip.shard))
    if skip.offset < BLOCK or shard.size is None or shard.size < skip.offset:
        return b""
    header = decode_header(store.read(shard, skip.offset - BLOCK, BLOCK))
    if header is None:  # a gzip shard, whose offsets count inflated bytes
        return b""
    size = min(header.size, shard.size - skip.offset)
    return store.read(shard, skip.offset, size) if size <= MAX_IMAGE_BYTES else b""


def _look_at(data: bytes) -> Thumbnail | None:
    """Return whatever can be seen in the bytes of an image that was skipped."""
    if data.startswith(b"\x89PNG"):
        return thumbnail_of_png(data)
    facts = read_facts(data, _CAPS)
    if isinstance(facts, Refusal):
        return None
    (outcome,) = _DECODER.decode([Encoded(data, facts)])
    return make_thumbnail(outcome.pixels, SMALL_SIDE) if isinstance(outcome, Decoded) else None
