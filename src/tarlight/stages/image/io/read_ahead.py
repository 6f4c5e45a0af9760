"""The reader thread: shards become groups of candidates, handed to the decoding threads in tar order.

One thread reads and parses; a crew of threads decodes, outside the interpreter lock. The reader stops when
the byte budget is used up and goes on when the consumer takes a batch. Nothing here looks at pixels.
"""

from __future__ import annotations

import threading
from contextlib import closing
from queue import SimpleQueue
from typing import TYPE_CHECKING

from tarlight.decode import Caps, Encoded, Refusal, read_facts
from tarlight.errors import ShardChangedError, ShardReadError
from tarlight.ledger import Loss, LossReason
from tarlight.stages.image.io.budget import ByteBudget
from tarlight.stages.image.io.candidate import Candidate, Group, Line, ReadEnd, ReadFailure, ReadHungry
from tarlight.stages.image.io.crew import make_crew
from tarlight.stages.image.io.option import GROUP_BYTES, GROUP_IMAGES
from tarlight.storage import open_store
from tarlight.tar import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.decode import Decoder
    from tarlight.ledger import Ledger
    from tarlight.stages.image.io.option import ReaderOptions
    from tarlight.storage import ShardStat, Store
    from tarlight.tar import ImageRecord
    from tarlight.tasks import FileGroupTask


TASKS_AHEAD = 32
"""Partitions that wait for the reader, so that it does not run dry on tiny shards while a consumer works."""


class _StoppedError(Exception):
    """The run is being ended; leaves the parser from wherever it reads."""


class ReadAhead:
    """Reads partitions ahead of their consumer. All methods are for the consumer's thread."""

    def __init__(self, options: ReaderOptions, decoder: Decoder, ledger: Ledger) -> None:
        self.line = Line()
        self._options = options
        self._caps = Caps(max_pixels=options.max_pixels, max_scans=options.max_scans)
        self._pixel_copies = decoder.pixel_copies
        self._ledger = ledger
        self._budget = ByteBudget(options.read_ahead_bytes(decoder))
        self._tasks: SimpleQueue[FileGroupTask | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._crew = make_crew(decoder, options.num_threads)
        self._thread = threading.Thread(target=self._run, name="tarlight-read", daemon=True)
        self._thread.start()

    @property
    def num_tasks(self) -> int:
        """Partitions that wait to be read."""
        return self._tasks.qsize()

    def feed(self, task: FileGroupTask | None) -> None:
        """Give the reader a partition to read, or None when there are no more."""
        self._tasks.put(task)

    def release(self, group: Group) -> None:
        """The consumer is done with a group: read on."""
        self._budget.release(group.num_bytes)

    def close(self) -> int:
        """End all threads. Returns how many images were still in the line."""
        self._stopping.set()
        self._budget.close()
        self._tasks.put(None)
        self._thread.join()
        self._crew.close()
        return sum(group.num_waiting for group in self.line.drain())

    def _run(self) -> None:
        try:
            while (task := self._next_task()) is not None and not self._stopping.is_set():
                for path in task.data:
                    self._read_shard(task, path)
        except _StoppedError:
            self.line.put(ReadEnd())
        except BaseException as error:  # noqa: BLE001 (whatever it is, the consumer must see it)
            self.line.put(ReadFailure(error))
        else:
            self.line.put(ReadEnd())

    def _next_task(self) -> FileGroupTask | None:
        if self._tasks.empty():
            self.line.put(ReadHungry())
        return self._tasks.get()

    def _read_shard(self, task: FileGroupTask, path: str) -> None:
        store = open_store(path, self._options.storage_options)
        shard = store.stat(path)
        source = _ShardBytes(store, shard, self._ledger, self._options.on_error, self._stopping)
        records = read_records(
            source,
            shard=path,
            size=shard.size,
            ledger=self._ledger,
            extensions=self._options.extensions,
            fields=self._options.fields,
            max_member_bytes=self._options.max_member_bytes,
        )
        group, pixel_copies = Group(task, shard), self._pixel_copies
        try:
            for entry in records:
                if isinstance(entry, Loss):
                    group.add(entry)
                else:
                    candidate = self._admit(entry)
                    group.add(candidate, candidate.decoding_bytes(pixel_copies))
                    group.has_work = group.has_work or candidate.encoded is not None
                if len(group.entries) >= GROUP_IMAGES or group.num_bytes >= GROUP_BYTES:
                    full, group = group, Group(task, shard)
                    self._hand_over(full)
            source.check()
        finally:
            records.close()
            if source.failure is not None:
                group.add(source.failure)
            if group.entries:
                self._hand_over(group)

    def _admit(self, record: ImageRecord) -> Candidate:
        data, record.data = record.data, None
        if record.flaw is not None:
            return Candidate(record, outcome=Refusal(record.flaw, record.detail))
        facts = read_facts(data or b"", self._caps)
        if isinstance(facts, Refusal):
            return Candidate(record, outcome=facts)
        return Candidate(record, Encoded(data or b"", facts), pixel_bytes=facts.num_bytes)

    def _hand_over(self, group: Group) -> None:
        if self._budget.acquire(group.num_bytes) and group.has_work:
            group.done = self._crew.submit(group)
        self.line.put(group)


class _ShardBytes:
    """The chunks of a shard; a read that fails ends them and becomes a loss."""

    def __init__(
        self, store: Store, shard: ShardStat, ledger: Ledger, on_error: str, stopping: threading.Event
    ) -> None:
        self.failure: Loss | None = None
        self._store = store
        self._shard = shard
        self._ledger = ledger
        self._on_error = on_error
        self._stopping = stopping
        self._position = 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            with closing(self._store.chunks(self._shard)) as chunks:
                for chunk in chunks:
                    if self._stopping.is_set():
                        raise _StoppedError
                    self._position += len(chunk)
                    self._ledger.read(len(chunk))
                    yield chunk
        except (ShardReadError, ShardChangedError) as error:
            if self._on_error == "raise":
                raise
            end = max(self._position, self._shard.size or self._position)
            self.failure = Loss(self._shard.path, self._position, end, LossReason.READ_FAILED, str(error))

    def check(self) -> None:
        """The store must have given all bytes, or said that it could not."""
        if self.failure is None and self._shard.size not in (None, self._position):
            self._ledger.distrust(
                f"{self._shard.path}: {self._position} of {self._shard.size} bytes were read"
            )
