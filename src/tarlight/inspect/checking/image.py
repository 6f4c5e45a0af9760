"""Is an image good? Two depths of the same look: by its headers, or by decoding it as well.

Strategy: headers are judged at once. What passes goes, in full depth, to threads that decode groups of
images; their verdicts are taken in the order in which the images came, so the answer does not depend on
timing.
Nothing raises for the content of an image.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tarlight.decode import Caps, Encoded, JpegFacts, Refusal, read_facts, select_decoder
from tarlight.ledger import SkipReason
from tarlight.memory import keep_freed_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tarlight.decode import Decoder

GROUP_IMAGES = 64
GROUP_BYTES = 4 << 20
"""Images, and bytes of their pixels, that go to a thread together."""
MAX_BYTES = 256 << 20
"""Bytes of pixels and encoded images that wait or are being decoded; a larger image goes alone."""
PIXEL_COPIES = 5
"""How often the pixels of an image are held while it is decoded, at most."""

_END = b"\xff\xd9"
_CAPS = Caps()


class Sight(NamedTuple):
    """An image that was seen."""

    shard: int
    """Index of its shard."""
    path: str
    """Path of its shard."""
    member: str
    offset: int
    """First byte of its payload."""


class Judge(Protocol):
    """Says which images are bad."""

    def look(self, sight: Sight, data: bytes) -> None:
        """Judge one image, now or later."""

    def finish(self) -> None:
        """Judge all that wait."""

    def close(self) -> None:
        """Let go of threads; what waits stays unjudged."""


class FastJudge:
    """Looks at headers only, and whether an end marker is there. For one thread."""

    def __init__(self, tell: Callable[[Sight, Refusal], None]) -> None:
        self._tell = tell

    def look(self, sight: Sight, data: bytes) -> None:
        """Judge one image now."""
        facts = read_facts(data, _CAPS)
        if isinstance(facts, Refusal):
            self._tell(sight, facts)
        elif data.rfind(_END, facts.scan_start) < 0:
            self._tell(sight, Refusal(SkipReason.TRUNCATED, f"no end marker (EOI) in {len(data):,} bytes"))

    def finish(self) -> None:
        """Do nothing: everything is judged at once."""

    def close(self) -> None:
        """Do nothing: there are no threads."""


@dataclass(slots=True)
class _Group:
    sights: list[Sight] = field(default_factory=list)
    images: list[Encoded] = field(default_factory=list)
    pixel_bytes: int = 0
    num_bytes: int = 0

    def add(self, sight: Sight, data: bytes, facts: JpegFacts) -> None:
        self.sights.append(sight)
        self.images.append(Encoded(data, facts))
        self.pixel_bytes += facts.num_bytes
        self.num_bytes += len(data) + PIXEL_COPIES * facts.num_bytes

    @property
    def is_full(self) -> bool:
        return len(self.images) >= GROUP_IMAGES or self.pixel_bytes >= GROUP_BYTES


class FullJudge:
    """Decodes every image whose headers are good. For one thread, which hands groups to others."""

    def __init__(self, tell: Callable[[Sight, Refusal], None], num_threads: int) -> None:
        self._tell = tell
        self._decoder = select_decoder("turbo", exif_orientation=False)
        keep_freed_blocks()
        self._pool = ThreadPoolExecutor(num_threads, thread_name_prefix="tarlight-check")
        self._group = _Group()
        self._waiting: deque[tuple[_Group, Future[list[Refusal | None]]]] = deque()
        self._num_bytes = 0

    def look(self, sight: Sight, data: bytes) -> None:
        """Judge one image: its headers now, its data soon."""
        facts = read_facts(data, _CAPS)
        if isinstance(facts, Refusal):
            self._tell(sight, facts)
            return
        self._group.add(sight, data, facts)
        if self._group.is_full:
            self._submit()

    def finish(self) -> None:
        """Judge all that wait."""
        if self._group.images:
            self._submit()
        while self._waiting:
            self._take()

    def close(self) -> None:
        """End the threads, after the images that they are at."""
        self._pool.shutdown(cancel_futures=True)

    def _submit(self) -> None:
        group, self._group = self._group, _Group()
        while self._waiting and self._num_bytes + group.num_bytes > MAX_BYTES:
            self._take()
        self._waiting.append((group, self._pool.submit(_decode, self._decoder, group.images)))
        self._num_bytes += group.num_bytes

    def _take(self) -> None:
        group, future = self._waiting[0]
        verdicts = future.result()  # Ctrl-C strikes here, and then the group is not lost
        self._waiting.popleft()
        for sight, refusal in zip(group.sights, verdicts, strict=True):
            if refusal is not None:
                self._tell(sight, refusal)
        self._num_bytes -= group.num_bytes


def _decode(decoder: Decoder, images: list[Encoded]) -> list[Refusal | None]:
    """Decode one after the other, so that the pixels of only one are held."""
    verdicts: list[Refusal | None] = []
    for image in images:
        (outcome,) = decoder.decode([image])
        verdicts.append(outcome if isinstance(outcome, Refusal) else None)
    return verdicts
