"""The reader thread: shards become groups of candidates, handed to the decoding threads in tar order.

One thread reads and parses; others decode (`decode_threads`), outside the interpreter lock. The reader stops
when the byte budget is used up and goes on when the consumer takes a batch. Nothing here looks at pixels.
"""

from __future__ import annotations

import threading
from itertools import zip_longest
from queue import SimpleQueue
from typing import TYPE_CHECKING

from tarlight.decode import Caps, Encoded, Refusal, read_facts
from tarlight.errors import CredentialsError
from tarlight.ledger import Branch, Loss, ShardAccount, Stall
from tarlight.ledger.times import PARTITIONS, READING, ROOM, STORE
from tarlight.stages.image.io.budget import ByteBudget
from tarlight.stages.image.io.candidate import (
    Candidate,
    Group,
    Line,
    ReadEnd,
    ReadFailure,
    ReadHungry,
    ShardEnd,
)
from tarlight.stages.image.io.decode_threads import start_threads
from tarlight.stages.image.io.option import GROUP_BYTES, GROUP_IMAGES
from tarlight.stages.image.io.resume import check_version, pass_settled
from tarlight.stages.image.io.shard_bytes import (
    FAILURES,
    Failure,
    ShardBytes,
    check_first,
    is_withheld,
    whole_loss,
)
from tarlight.storage import Reading, ShardStat, StoppedError
from tarlight.tar import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.decode import Decoder
    from tarlight.ledger import Position
    from tarlight.stages.base import StageContext
    from tarlight.stages.image.io.option import ReaderOptions
    from tarlight.storage import OpenShard
    from tarlight.tar import ImageRecord, RecordStream
    from tarlight.tasks import FileGroupTask


class ReadAhead:
    """Reads partitions ahead of their consumer. All methods are for the consumer's thread."""

    def __init__(self, options: ReaderOptions, decoder: Decoder, context: StageContext) -> None:
        self.line = Line()
        self.decoder = decoder
        self._options = options
        self._caps = Caps(max_pixels=options.max_pixels, max_scans=options.max_scans)
        self._ledger = context.ledger
        self._course = context.course
        self._is_first = context.course.begins
        self._shard_now = ""
        self._watch = context.times.watch(READING)
        self._budget = ByteBudget(options.read_ahead_bytes(decoder))
        self._reading = Reading(options.storage_options, options.plan)
        self._tasks: SimpleQueue[FileGroupTask | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._decoders = start_threads(decoder, options.num_threads, context.times)
        self._thread = threading.Thread(target=self._run, name="tarlight-read", daemon=True)
        self._watch.look = self._look
        self._thread.start()

    @property
    def num_tasks(self) -> int:
        """Partitions that wait to be read."""
        return self._tasks.qsize()

    def feed(self, task: FileGroupTask | None) -> None:
        """Give the reader a partition to read, or None when there are no more."""
        if task is not None:
            for path, size in _shards(task):
                if not self._course.is_done(path):
                    self._reading.expect(path, size)
        self._tasks.put(task)

    def release(self, group: Group) -> None:
        """The consumer is done with a group: read on."""
        self._budget.release(group.num_bytes)

    def close(self) -> int:
        """End all threads. Returns how many images were still in the line."""
        self._stopping.set()
        self._reading.close()
        self._budget.close()
        self._tasks.put(None)
        self._thread.join()
        self._decoders.close()
        self._watch.stop()
        return sum(group.num_waiting for group in self.line.drain())

    def _look(self) -> Stall | None:
        """For any thread: the shard that is waited for."""
        seconds = self._watch.waited_s(STORE)
        return Stall(seconds, self._shard_now, *self._reading.retries) if seconds else None

    def _run(self) -> None:
        try:
            while (task := self._next_task()) is not None and not self._stopping.is_set():
                for path, size in _shards(task):
                    if not self._course.is_done(path):
                        self._read_shard(task, path, size)
        except StoppedError:
            self.line.put(ReadEnd())
        except BaseException as error:  # noqa: BLE001 (whatever it is, the consumer must see it)
            self.line.put(ReadFailure(error))
        else:
            self.line.put(ReadEnd())
        finally:
            self._watch.rest()

    def _next_task(self) -> FileGroupTask | None:
        if self._tasks.empty():
            self.line.put(ReadHungry())
        with self._watch.waiting_for(PARTITIONS):
            return self._tasks.get()

    def _read_shard(self, task: FileGroupTask, path: str, size: int | None) -> None:
        is_first, self._is_first, self._shard_now = self._is_first, False, str(path)
        try:
            with self._watch.waiting_for(STORE):
                opened = self._reading.open(path, size)
        except FAILURES as error:
            if self._options.on_error == "raise" or isinstance(error, CredentialsError):
                raise
            if is_first:
                check_first(error, was_listed=size is not None)
            self._lose_shard(task, ShardStat(str(path), size, ""), error)  # without the query of a URL
        else:
            self._read_records(task, opened)

    def _lose_shard(self, task: FileGroupTask, shard: ShardStat, error: Failure) -> None:
        """Not even the first byte came, however often it was asked for."""
        loss, books = whole_loss(shard, error, self._course.start_of(shard.path)), Branch(self._ledger)
        self._end_broken(Group(task, shard), books, loss, error)

    def _end_broken(self, group: Group, books: Branch, loss: Loss, error: Failure) -> None:
        """What is left of a shard is lost: withheld, or settled in a group of its own."""
        if is_withheld(error):
            self.line.put(ShardEnd(loss.shard, books.section, loss))
            return
        group.add(loss)
        self._hand_over(group)
        if not books.section.shards:
            books.finish_shard(ShardAccount(loss.shard))
        self.line.put(ShardEnd(loss.shard, books.section))

    def _read_records(self, task: FileGroupTask, opened: OpenShard) -> None:
        shard, start = opened.stat, self._course.start_of(opened.stat.path)
        check_version(shard, start)
        books = Branch(self._ledger)
        source = ShardBytes(opened, books, self._options.on_error, self._stopping, self._watch)
        records = self._records(source, shard, start, books)
        group = Group(task, shard)
        try:
            if start is not None:
                group.entries_before, group.images_before = start.entries, start.images
                group.names_before = pass_settled(
                    records, start, shard.path, lambda: source.failure is not None
                )
            for entry in records:
                self._add(group, entry)
                if len(group.entries) >= GROUP_IMAGES or group.num_bytes >= GROUP_BYTES:
                    full, group = group, group.following()
                    self._hand_over(full)
            source.check()
        except FAILURES as error:
            if error is not source.failure:
                raise
        finally:
            records.close()
            source.close()
            if group.entries:
                self._hand_over(group)
        if source.failure is not None:
            self._end_broken(
                group.following(), books, source.loss(records, source.failure, start), source.failure
            )
        else:
            self.line.put(ShardEnd(shard.path, books.section))

    def _records(
        self, source: ShardBytes, shard: ShardStat, start: Position | None, books: Branch
    ) -> RecordStream:
        options = self._options
        return read_records(
            source,
            shard=shard.path,
            size=shard.size,
            ledger=books,
            extensions=options.extensions,
            fields=options.fields,
            max_member_bytes=options.max_member_bytes,
            num_counted=start.images if start else 0,
        )

    def _add(self, group: Group, entry: ImageRecord | Loss) -> None:
        if isinstance(entry, Loss):
            group.add(entry)
            return
        candidate = self._admit(entry)
        group.add(candidate, candidate.decoding_bytes(self.decoder.pixel_copies))
        group.has_work = group.has_work or candidate.encoded is not None

    def _admit(self, record: ImageRecord) -> Candidate:
        data, record.data = record.data, None
        if record.flaw is not None:
            return Candidate(record, outcome=Refusal(record.flaw, record.detail))
        facts = read_facts(data or b"", self._caps)
        if isinstance(facts, Refusal):
            return Candidate(record, outcome=facts)
        return Candidate(record, Encoded(data or b"", facts), pixel_bytes=facts.num_bytes)

    def _hand_over(self, group: Group) -> None:
        with self._watch.waiting_for(ROOM):
            has_room = self._budget.acquire(group.num_bytes)
        if has_room and group.has_work:
            group.done = self._decoders.submit(group)
        self.line.put(group)


def _shards(task: FileGroupTask) -> Iterator[tuple[str, int | None]]:
    """The shards of a partition, with their sizes where these are known."""
    return zip_longest(task.data, task.sizes[: len(task.data)])
