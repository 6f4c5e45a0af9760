"""Groups become batches, in tar order, and every image that does not make it gets its entry in the ledger."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from tarlight.decode import Refusal
from tarlight.ledger import Loss, LossReason, Note, Skip, SkipReason
from tarlight.ledger.times import DECODING, READING
from tarlight.stages.image.io.batch_id import batch_id
from tarlight.stages.image.io.bookmark import Bookmark
from tarlight.stages.image.io.candidate import RGB, Group, ReadEnd, ReadFailure, ShardEnd
from tarlight.stages.image.io.failure import Failures
from tarlight.stages.image.io.watch import note_unseen_fields
from tarlight.storage import ShardSource
from tarlight.tasks import ImageBatch, ImageObject, put_section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.decode import Decoded
    from tarlight.stages.base import StageContext
    from tarlight.stages.image.io.candidate import Candidate, Item
    from tarlight.stages.image.io.option import ReaderOptions
    from tarlight.stages.image.io.read_ahead import ReadAhead
    from tarlight.storage import ShardStat
    from tarlight.tar import ImageRecord
    from tarlight.tasks import FileGroupTask

FEEDS = 2
"""Partitions pulled for each group that is taken: more than one, so that the line before the reader grows and
a remote store can begin with shards of one group each before they are read."""

LONG_NAME = 32
"""Names longer than this are remembered by their digest, so that a million of them take bounded memory."""


class Assembler:
    """Puts images into batches. For one thread."""

    def __init__(
        self, tasks: Iterator[FileGroupTask], ahead: ReadAhead, options: ReaderOptions, context: StageContext
    ) -> None:
        self._tasks = tasks
        self._has_tasks = True
        self._ahead = ahead
        self._options = options
        self._context = context
        self._bookmark = Bookmark(context.ledger)
        self._ledger = self._bookmark.books
        self._images: list[ImageObject] = []
        self._num_bytes = 0
        self._num_pixels = 0
        self._num_unchecked = 0
        self._group: Group | None = None
        self._task: FileGroupTask | None = None
        self._batch_id = ""
        self._names: set[str | bytes] = set()
        self._first_id = self._last_id = ""
        self._failures = Failures(options, context.course.resumed)
        self._fields_unseen = set(options.fields) - context.course.resumed.fields
        self._num_noted = 0
        self._is_whole = True
        self._decoders: Counter[str] = Counter()
        self._fallbacks: Counter[str] = Counter()

    def batches(self) -> Iterator[ImageBatch]:
        """Yield batches until everything has been read.

        Raises:
            ImageError, TarError: `on_error="raise"`, at the first bad image or damage.
            TooManyFailuresError: more than `max_failures`.
            Exception: whatever ended the reader thread.
        """
        decoder = self._ahead.decoder
        self._ledger.choose(f"{decoder.name} ({decoder.reason})")
        while self._take_group():
            yield from self._empty_group()
        yield from self._cut()
        self.note_decoder()
        if not self._options.is_part:
            self._note_unseen_fields()
            self._failures.check_at_end()
        self._context.trail.arrive(self._bookmark.cut())

    def note_decoder(self) -> None:
        """Note, once, what the decoder has to say of the run."""
        for text in self._ahead.decoder.notes[self._num_noted :]:
            self._ledger.note(Note("", text, "decoder"))
            self._num_noted += 1

    @property
    def num_waiting(self) -> int:
        """Images in hand: in the batch that is being filled and in the current group."""
        return len(self._images) + (0 if self._group is None else self._group.num_waiting)

    def _take_group(self) -> bool:
        """Wait for the next group; False when there are no more."""
        for _ in range(FEEDS):
            if self._ahead.num_tasks < self._options.tasks_ahead:
                self._feed()
        while True:
            item = self._wait()
            if isinstance(item, ReadFailure):
                raise item.error
            if isinstance(item, ReadEnd):
                return False
            if isinstance(item, Group):
                self._group = item
            self._ahead.line.take()
            if isinstance(item, Group):
                return True
            if isinstance(item, ShardEnd):
                self._end_shard(item)
            else:
                self._feed()

    def _end_shard(self, end: ShardEnd) -> None:
        if end.withheld is None:
            self._bookmark.end_shard(end)
            self._failures.count_shard()
        else:
            self._is_whole = False
            self._bookmark.withhold(end, end.withheld)
            self._failures.count_loss(end.withheld)

    def _wait(self) -> Item:
        """Wait for what is first in the line, and until it is decoded."""
        stages = self._context.times.stages
        with stages.waiting_for(READING), self._context.waiting():
            item = self._ahead.line.wait()
        if isinstance(item, Group) and item.done is not None:
            with stages.waiting_for(DECODING), self._context.waiting():
                item.done.result()
        return item

    def _feed(self) -> None:
        """Pull one more partition for the reader; stages before it work in this thread."""
        if self._has_tasks:
            task = next(self._tasks, None)
            self._has_tasks = task is not None
            self._ahead.feed(task)

    def _empty_group(self) -> Iterator[ImageBatch]:
        """Put the entries of the current group into batches, or into the ledger."""
        group = self._group
        if group is None:
            return
        if group.task is not self._task:
            yield from self._cut()
            self._task = group.task
        if self._bookmark.open(group):  # a shard may be read twice: then it is new again
            self._names = {_name(member) for member in group.names_before}
            self._first_id = ""
        for entry in group.entries:
            if isinstance(entry, Loss):
                group.position += 1
                self._lose(self._with_images(entry))
                continue
            if self._would_overflow(entry):
                yield from self._cut()
            self._settle(group, entry)
            if len(self._images) >= self._options.batch_size:
                yield from self._cut()
        self._group = None
        self._ahead.release(group)

    def _would_overflow(self, entry: Candidate) -> bool:
        return bool(self._images) and self._num_bytes + entry.kept_bytes > self._options.max_batch_bytes

    def _settle(self, group: Group, entry: Candidate) -> None:
        """Put one image into the batch or into the ledger."""
        group.position += 1
        self._bookmark.settle(entry.record.span)
        self._failures.count_image(entry.record.span)
        outcome = entry.outcome
        if isinstance(outcome, Refusal):
            self._skip(group.shard, entry.record, outcome)
        elif outcome is not None and self._is_new(entry.record.member):
            self._last_id = entry.record.image_id
            self._first_id = self._first_id or self._last_id
            if not self._images:
                place = group.images_before + self._bookmark.num_images - 1
                self._batch_id = batch_id(self._context.course, group.task, group.shard.path, place)
            self._images.append(self._make_image(group.shard, entry.record, outcome))
            self._num_bytes += entry.kept_bytes
            self._num_pixels += entry.pixel_bytes // RGB
        elif outcome is not None:
            detail = "an image with this name was delivered before it from the same shard"
            self._skip(group.shard, entry.record, Refusal(SkipReason.DUPLICATE_KEY, detail))

    def _is_new(self, member: str) -> bool:
        before = len(self._names)
        self._names.add(_name(member))
        return len(self._names) > before

    def _make_image(self, shard: ShardStat, record: ImageRecord, decoded: Decoded) -> ImageObject:
        if self._fields_unseen and (found := self._fields_unseen & record.fields.keys()):
            self._fields_unseen -= found
            self._ledger.section.fields |= found
        self._decoders[decoded.decoder] += 1
        self._num_unchecked += not decoded.damage_checked
        if decoded.fallback:
            self._fallbacks[decoded.fallback] += 1
        source = ShardSource(
            str(shard.path), record.member, record.offset, record.size, shard.version, record.inflated
        )
        return ImageObject(
            f"{shard.path}/{record.member}",
            record.image_id,
            record.fields,
            decoded.pixels,
            source=source,
            decoder=decoded.decoder,
            damaged=decoded.damaged,
            damage_checked=decoded.damage_checked,
        )

    def _skip(self, shard: ShardStat, record: ImageRecord, why: Refusal) -> None:
        skip = Skip(record.key, shard.path, record.member, record.offset, why.reason, why.detail)
        self._ledger.skip(skip)
        self._bookmark.skip(record.offset)
        self._failures.count_skip(skip)

    def _lose(self, loss: Loss) -> None:
        self._ledger.lose(loss)
        self._failures.count_loss(loss)

    def _with_images(self, loss: Loss) -> Loss:
        """Name the images that were taken from a shard whose bytes turned out to be others."""
        if loss.reason is not LossReason.CHECKSUM_MISMATCH or not self._first_id:
            return loss
        which = f"{len(self._names)} images were delivered from it: {self._first_id} to {self._last_id}"
        return loss._replace(detail=f"{loss.detail}; {which}")

    def _note_unseen_fields(self) -> None:
        before = self._context.course.resumed
        if self._task is not None or before.seen or before.num_losses:
            # Where something was withheld the next run has the last word: then this one is not committed.
            books = self._ledger if self._is_whole else self._context.ledger
            note_unseen_fields(self._fields_unseen, self._context.ledger, books)

    def _cut(self) -> Iterator[ImageBatch]:
        """Yield the batch that is being filled, if there is anything in it."""
        if not self._images or self._task is None:
            return
        task = self._task
        batch = ImageBatch(
            task_id=self._batch_id,
            dataset_name=task.dataset_name,
            data=self._images,
            metadata=dict(task.metadata),
        )
        self._ledger.decoded(self._decoders, self._fallbacks, self._num_pixels, self._num_unchecked)
        self._images, self._num_bytes, self._num_pixels, self._num_unchecked = [], 0, 0, 0
        self._decoders, self._fallbacks = Counter(), Counter()
        put_section(batch, self._bookmark.cut())
        yield batch


def _name(member: str) -> str | bytes:
    """What is remembered of a name."""
    if len(member) <= LONG_NAME:
        return member
    return hashlib.blake2b(member.encode("utf-8", "surrogateescape"), digest_size=16).digest()
