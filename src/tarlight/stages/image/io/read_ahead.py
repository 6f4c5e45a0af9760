"""The reader thread: shards become groups of candidates, handed to the decoding threads in tar order.

One thread reads and parses; `num_threads` threads decode, outside the interpreter lock. The reader stops when
the byte budget is used up and goes on when the consumer takes a batch. Nothing here looks at pixels.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

from tarlight.decode import Caps, Encoded, Refusal, read_facts
from tarlight.errors import ShardChangedError, ShardReadError
from tarlight.ledger import Loss, LossReason
from tarlight.stages.image.io.budget import ByteBudget
from tarlight.stages.image.io.candidate import Candidate, Group, Line, ReadEnd, ReadFailure
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


class ReadAhead:
    """Reads partitions ahead of their consumer. `groups` is for one thread; `close` ends all threads."""

    def __init__(
        self, tasks: Iterator[FileGroupTask], options: ReaderOptions, decoder: Decoder, ledger: Ledger
    ) -> None:
        self.line = Line()
        self._tasks = tasks
        self._options = options
        self._caps = Caps(max_pixels=options.max_pixels, max_scans=options.max_scans)
        self._decoder = decoder
        self._ledger = ledger
        self._budget = ByteBudget(options.read_ahead_bytes)
        self._stopping = False
        self._pool = ThreadPoolExecutor(options.num_threads, thread_name_prefix="tarlight-decode")
        self._thread = threading.Thread(target=self._run, name="tarlight-read", daemon=True)
        self._thread.start()

    def release(self, group: Group) -> None:
        """The consumer is done with a group: read on."""
        self._budget.release(group.num_bytes)

    def close(self) -> int:
        """End all threads. Returns how many images were still in the line."""
        self._stopping = True
        self._budget.close()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        return sum(group.num_waiting for group in self.line.drain())

    def _run(self) -> None:
        try:
            for task in self._tasks:
                for path in task.data:
                    self._read_shard(task, path)
                    if self._stopping:
                        return
        except BaseException as error:  # noqa: BLE001 (whatever it is, the consumer must see it)
            self.line.put(ReadFailure(error))
        else:
            self.line.put(ReadEnd())

    def _read_shard(self, task: FileGroupTask, path: str) -> None:
        store = open_store(path, self._options.storage_options)
        shard = store.stat(path)
        source = _ShardBytes(store, shard, self._ledger, raises=self._options.on_error == "raise")
        records = read_records(
            source,
            shard=path,
            size=shard.size,
            ledger=self._ledger,
            extensions=self._options.extensions,
            fields=self._options.fields,
            max_member_bytes=self._options.max_member_bytes,
        )
        group = Group(task, shard)
        try:
            for entry in records:
                group.add(entry if isinstance(entry, Loss) else self._admit(entry))
                if len(group.entries) >= GROUP_IMAGES or group.num_bytes >= GROUP_BYTES:
                    full, group = group, Group(task, shard)
                    self._hand_over(full)
                if self._stopping:
                    break
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
        if self._budget.acquire(group.num_bytes):
            group.done = self._pool.submit(self._decode, group)
        self.line.put(group)

    def _decode(self, group: Group) -> None:
        waiting = [entry for entry in group.entries if isinstance(entry, Candidate) and entry.encoded]
        images = [entry.encoded for entry in waiting if entry.encoded]
        for entry, outcome in zip(waiting, self._decoder.decode(images), strict=True):
            entry.outcome, entry.encoded = outcome, None


class _ShardBytes:
    """The chunks of a shard; a read that fails ends them and becomes a loss."""

    def __init__(self, store: Store, shard: ShardStat, ledger: Ledger, *, raises: bool) -> None:
        self.failure: Loss | None = None
        self._store = store
        self._shard = shard
        self._ledger = ledger
        self._raises = raises

    def __iter__(self) -> Iterator[bytes]:
        position = 0
        try:
            with closing(self._store.chunks(self._shard)) as chunks:
                for chunk in chunks:
                    position += len(chunk)
                    self._ledger.read(len(chunk))
                    yield chunk
        except (ShardReadError, ShardChangedError) as error:
            if self._raises:
                raise
            end = max(position, self._shard.size or position)
            self.failure = Loss(self._shard.path, position, end, LossReason.READ_FAILED, str(error))
