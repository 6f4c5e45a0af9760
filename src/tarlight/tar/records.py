"""Images with their keys, ids and sidecars, out of the members of one shard.

Strategy: `read_records` is the tar room for one shard. It writes to the ledger what it sees, ignores and
notes, and leaves skips and losses to its caller, which gets every image it counted as seen, flawed ones
included, and every loss, in tar order. Without `fields` nothing is held back. Raises only what the chunks
raise: then `unread_from` says from where on nothing is in the books.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tarlight.ledger import Loss, SkipReason
from tarlight.tar.header import padding
from tarlight.tar.holding import Holding
from tarlight.tar.image import ImageRecord
from tarlight.tar.member import Damage, Member
from tarlight.tar.name import (
    APPLE_DOUBLE,
    Likeness,
    Tails,
    is_apple_double,
    last_extension,
    make_image_id,
    split_name,
)
from tarlight.tar.notebook import Notebook
from tarlight.tar.parser import MAX_MEMBER_BYTES, TarStream, iter_members

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from tarlight.ledger import Books
    from tarlight.tar.member import Chunk

_SEEN_AT_ONCE = 64
"""Images counted between two visits to the ledger's lock."""
_KINDS_AT_ONCE = 512
"""Distinct extensions counted here before they go to the ledger, which has a bound of its own."""
_JPEG_MAGIC = b"\xff\xd8\xff"

_DOUBTFUL_NAME = "its long name is one byte away from an image's, and its payload begins like a JPEG"


class RecordStream(Iterator[ImageRecord | Loss]):
    """The images of one shard, and what is lost between them, in tar order. Not thread-safe."""

    def __init__(self, room: _Room, stream: TarStream) -> None:
        self._room = room
        self._stream = stream
        self._items = self._run()

    @property
    def unread_from(self) -> int:
        """Once the chunks have raised: the first byte of the (inflated) shard that no entry accounts for."""
        return self._room.unread_from

    @property
    def is_inflated(self) -> bool:
        """Whether the shard is gzip, so that offsets count inflated bytes; known after the first entry."""
        return self._stream.is_inflated

    def __iter__(self) -> Iterator[ImageRecord | Loss]:  # noqa: PYI034 (a loop then runs on the bare generator)
        return self._items

    def __next__(self) -> ImageRecord | Loss:
        return next(self._items)

    def close(self) -> None:
        """Stop reading, and tell the ledger what was seen. The chunks are the caller's to close."""
        self._items.close()

    def _run(self) -> Generator[ImageRecord | Loss, None, None]:
        room, stream = self._room, self._stream
        try:
            yield from room.read(stream)
            room.finish(stream)
        except OSError:
            room.break_off(stream)
            raise
        finally:
            room.flush(stream)


def read_records(
    chunks: Iterable[Chunk],
    *,
    shard: str,
    size: int | None,
    ledger: Books,
    extensions: tuple[str, ...],
    fields: tuple[str, ...] = (),
    max_member_bytes: int = MAX_MEMBER_BYTES,
    num_counted: int = 0,
) -> RecordStream:
    """Read the images of one shard, and what is lost between them.

    Args:
        chunks: the bytes of the shard in order; they must not change later. An OSError that they raise says
            that the rest does not come: no verdict is made of where they break off.
        shard: path or URL of the shard, for the ledger.
        size: bytes in all chunks together, when known.
        ledger: gets images seen, members ignored, notes, and the shard's account at its end.
        extensions: what makes a member an image, with the dot; case does not matter.
        fields: sidecars to attach, by their whole field (`txt`, `seg.json`); case does not matter. With them,
            images wait for the end of their record.
        max_member_bytes: larger images have the flaw TOO_LARGE.
        num_counted: the first so many images are in the books of a run before this one: they are yielded, but
            counted neither as seen nor as undelivered.

    Returns:
        An iterator of every image in tar order, with its bytes or its flaw, and every loss between them. The
        ledger counts an image as seen when it is found, and as undelivered when it was still held at an early
        end. Where the chunks break off, images whose record had not ended are seen no more: they belong to
        the bytes from `unread_from` on.
    """
    room = _Room(shard, ledger, extensions, fields, num_counted)
    stream = iter_members(
        chunks, shard=shard, size=size, wanted=room.wants, max_member_bytes=max_member_bytes
    )
    return RecordStream(room, stream)


class _Room:
    """What is at hand while one shard is read."""

    def __init__(
        self,
        shard: str,
        ledger: Books,
        extensions: tuple[str, ...],
        fields: tuple[str, ...],
        num_counted: int,
    ) -> None:
        self._shard = shard
        self._ledger = ledger
        self._tails = Tails(extensions)
        self._length = self._tails.length
        self._fields = frozenset(field.lower() for field in fields)
        self._endings = tuple(f".{field}" for field in self._fields)
        self._ignored: Counter[str] = Counter()
        self._notebook = Notebook(shard)
        self._has_images = False
        self._num_seen = -num_counted  # since the last visit to the ledger; below 0 they are counted already
        self._num_told = 0
        self._holding = Holding(self._notebook, self._ignored)
        self._ready: deque[ImageRecord | Loss] = deque()
        self.unread_from = 0
        self._counted_to = 0  # the end of the last image or loss
        self.wants = self._wants_field if fields else self._wants_image

    def read(self, stream: TarStream) -> Iterator[ImageRecord | Loss]:
        """The images and losses of a stream."""
        return self._read_with_fields(stream) if self._fields else self._read_plain(stream)

    def finish(self, stream: TarStream) -> None:
        """The shard has been read to its end: its account is complete. Note a sound one without images."""
        account = stream.account
        if account.header and not self._has_images and not account.lost:
            self._notebook.add("no_images", "no member of this shard is an image")
        self._ledger.finish_shard(account)

    def break_off(self, stream: TarStream) -> None:
        """The rest does not come: images that are held will be seen by who reads them whole."""
        before = self._holding.before
        self.unread_from = 0 if before is None else min(end_of(before), stream.account.placed)
        self._tell_seen()
        self._ledger.saw(-min(self._holding.drop(), self._num_told))

    def flush(self, stream: TarStream) -> None:
        """Write what was counted and noted to the ledger."""
        self._tell_seen()
        num_ready = sum(isinstance(item, ImageRecord) for item in self._ready)
        self._ledger.leave(min(num_ready + self._holding.num_images, self._num_told))
        self._ledger.ignore(self._ignored)
        self._ignored.clear()
        for note in stream.notes + self._notebook.close():
            self._ledger.note(note)

    def _wants_image(self, name: str) -> bool:
        return self._tails[name[-self._length :]] > Likeness.OTHER

    def _wants_field(self, name: str) -> bool:
        # Names that only end like a field are let through as well: a view of their payload costs nothing.
        return self._wants_image(name) or name.lower().endswith(self._endings)

    def _read_plain(self, stream: TarStream) -> Iterator[ImageRecord | Loss]:
        item: Member | Damage | None = None
        try:
            for item in stream:
                if isinstance(item, Damage):
                    yield self._take_loss(item)
                elif item.data is None and item.flaw is None and item.kind == "file":  # most members
                    self._ignore(APPLE_DOUBLE if is_apple_double(item.name) else last_extension(item.name))
                elif (image := self._sort(item, inflated=stream.is_inflated)) is not None:
                    yield image
        finally:
            self._holding.passed = item

    def _read_with_fields(self, stream: TarStream) -> Iterator[ImageRecord | Loss]:
        holding, ready = self._holding, self._ready
        for item in stream:
            if isinstance(item, Damage):
                ready += holding.hold_loss(self._take_loss(item))
            else:
                key, field = split_name(item.name)
                if (field := field.lower()) in self._fields and self._is_sidecar(item):
                    ready += holding.hold_sidecar(key, field, item)
                elif (image := self._sort(item, inflated=stream.is_inflated)) is not None:
                    ready += holding.hold_image(image)
            holding.passed = item
            while ready:
                yield ready.popleft()
        ready += holding.release()
        yield from self._give_ready()

    def _give_ready(self) -> Iterator[ImageRecord | Loss]:
        while self._ready:
            yield self._ready.popleft()

    def _is_sidecar(self, member: Member) -> bool:
        """Whether a member with the name of a field is one to attach."""
        if member.kind != "file" or member.flaw is SkipReason.NAME_LOST:
            return False
        is_image = self._tails[member.name[-self._length :]] is Likeness.IMAGE
        return not is_image and not is_apple_double(member.name)

    def _sort(self, member: Member, *, inflated: bool) -> ImageRecord | None:
        """An image, or None for a member that was ignored."""
        name, flaw, detail = member.name, member.flaw, member.detail
        likeness = self._tails[name[-self._length :]]
        if member.kind != "file":
            self._ignore(member.kind)
            return None
        if flaw is not SkipReason.NAME_LOST:
            is_apple = is_apple_double(name)
            if is_apple or likeness is not Likeness.IMAGE:
                if not is_renamed_image(member, is_apple=is_apple, likeness=likeness):
                    self._ignore(APPLE_DOUBLE if is_apple else last_extension(name))
                    return None
                flaw, detail = SkipReason.NAME_LOST, _DOUBTFUL_NAME
            elif flaw is None and not member.size:
                flaw, detail = SkipReason.EMPTY, "0 bytes"
        self._has_images = True
        self._num_seen += 1
        if self._num_seen == _SEEN_AT_ONCE:
            self._tell_seen()
        key, field = split_name(name)
        data = bytes(member.data) if flaw is None and member.data is not None else None
        image_id = make_image_id(key, field)
        end = member.offset if flaw is SkipReason.TRUNCATED else end_of(member)
        span, self._counted_to = (0 if flaw else max(end - self._counted_to, 0)), end
        return ImageRecord(
            key, image_id, name, member.offset, member.size, data, flaw, detail, {}, 0, inflated, span
        )

    def _take_loss(self, damage: Damage) -> Loss:
        self._counted_to = damage.end
        return _loss(damage)

    def _tell_seen(self) -> None:
        if self._num_seen > 0:
            self._ledger.saw(self._num_seen)
            self._num_told += self._num_seen
            self._num_seen = 0

    def _ignore(self, kind: str) -> None:
        self._ignored[kind] += 1
        if len(self._ignored) >= _KINDS_AT_ONCE:
            self._ledger.ignore(self._ignored)
            self._ignored.clear()


def _loss(damage: Damage) -> Loss:
    after = f", after {damage.after!r}" if damage.after else ""
    before = f", before {damage.before!r}" if damage.before else ""
    detail = f"{damage.detail}{after}{before}"
    return Loss(damage.shard, damage.start, damage.end, damage.reason, detail)


def end_of(item: Member | Damage) -> int:
    """Where an item ends by its own account, padding included."""
    return item.end if isinstance(item, Damage) else item.offset + item.size + padding(item.size)


def is_renamed_image(member: Member, *, is_apple: bool, likeness: Likeness) -> bool:
    """Whether a flipped byte in a long name may have hidden an image."""
    if not member.is_long or member.data is None or not (is_apple or likeness is Likeness.NEAR):
        return False
    return bytes(member.data[:3]) == _JPEG_MAGIC
