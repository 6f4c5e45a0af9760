"""The bytes of one shard on their way to the parser, and what is lost where they stop coming.

Strategy: a read that fails is an exception for the parser, so that it makes no verdict of where bytes end.
Two kinds of failure are told apart: a shard that is another one, or holds other bytes, than was told (a fact
about the data, settled like any damage), and bytes that the environment withheld, which another run may get.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tarlight.errors import (
    CredentialsError,
    InputError,
    InputMissingError,
    ShardChangedError,
    ShardChecksumError,
    ShardReadError,
)
from tarlight.ledger import Loss, LossReason
from tarlight.ledger.times import STORE
from tarlight.storage import StoppedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from tarlight.ledger import Books, Position
    from tarlight.ledger.times import Watch
    from tarlight.storage import OpenShard, ShardStat
    from tarlight.tar import RecordStream

FAILURES = (ShardReadError, ShardChangedError, InputError)
"""What a shard may raise when it is opened or read; `InputError`: it is gone, or nobody lets us have it."""

Failure = ShardReadError | ShardChangedError | InputError


class ShardBytes:
    """The chunks of a shard. For one thread.

    With `on_error="skip"` a failure is kept, and raised for whoever parses; but where all bytes have come and
    only their checksum is wrong, they end like those of a sound shard.
    """

    def __init__(
        self, opened: OpenShard, ledger: Books, on_error: str, stopping: threading.Event, watch: Watch
    ) -> None:
        self.failure: Failure | None = None
        """Why not all bytes came, or not the right ones; never set with `on_error="raise"`."""
        self._has_ended = False
        self._opened = opened
        self._shard = opened.stat
        self._ledger = ledger
        self._on_error = on_error
        self._stopping = stopping
        self._watch = watch
        self._position = 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            with closing(self._opened.chunks()) as chunks:
                while (chunk := self._next(chunks)) is not None:
                    if self._stopping.is_set():
                        raise StoppedError
                    self._position += len(chunk)
                    self._ledger.read(len(chunk))
                    yield chunk
            self._has_ended = True
        except FAILURES as error:
            if self._on_error == "raise" or isinstance(error, CredentialsError):
                raise
            self.failure = error
            if not self._has_all:
                raise

    def _next(self, chunks: Iterator[bytes]) -> bytes | None:
        with self._watch.waiting_for(STORE):
            return next(chunks, None)

    @property
    def _has_all(self) -> bool:
        """Whether all bytes came, and are only not the right ones."""
        return isinstance(self.failure, ShardChecksumError) and self._position == self._shard.size

    def check(self) -> None:
        """A store that ends must have given all bytes; a parser that gives a shard up stops before that."""
        if self._has_ended and self._shard.size not in (None, self._position):
            self._ledger.distrust(
                f"{self._shard.path}: {self._position} of {self._shard.size} bytes were read"
            )

    def close(self) -> None:
        """Nothing more is read: note how the reading went."""
        for note in self._opened.notes():
            self._ledger.note(note)

    def loss(self, records: RecordStream, failure: Failure, start: Position | None) -> Loss:
        """Return what is lost by the failure: all bytes of which there is no entry.

        Args:
            records: what was read of the shard, up to the failure.
            failure: the one that was kept.
            start: what runs before this one had settled of it.
        """
        if self._has_all:
            return _loss(failure, self._shard, self._position)
        place = records.unread_from
        loss = _loss(failure, self._shard, place, start)
        if not records.is_inflated:
            return loss
        detail = f"{loss.detail}; it is gzip: how much lies behind inflated byte {place:,} nobody knows"
        return loss._replace(end=place, detail=detail, is_sized=False)


def whole_loss(shard: ShardStat, error: Failure, start: Position | None) -> Loss:
    """Return the loss of a shard of which not even the first byte came."""
    return _loss(error, shard, 0, start)


def check_first(error: Failure, *, was_listed: bool) -> None:
    """Check whether a run may go on without the first shard that it reads, of which not even a byte came.

    Another one that is missing or denied is a hole in a dataset; that one may be a wrong address for all.

    Args:
        error: why it did not come.
        was_listed: whether a listing had it: then it was there, and the address is right.

    Raises:
        InputError: it may not.
    """
    is_gone = was_listed and isinstance(error, InputMissingError)
    if isinstance(error, InputError) and not is_gone:
        raise type(error)(
            f'{error}. With on_error="skip" a run goes on without such a shard, but not without the first '
            "one: all of them may have that fault"
        ) from error


def is_withheld(error: Failure) -> bool:
    """Whether the bytes did not come, and might another time; else they, or their shard, are others."""
    return not isinstance(error, ShardChangedError | ShardChecksumError)


def _loss(error: Failure, shard: ShardStat, place: int, start: Position | None = None) -> Loss:
    checked = isinstance(error, ShardChecksumError)
    reason = LossReason.CHECKSUM_MISMATCH if checked else LossReason.READ_FAILED
    before = f"; {start.images} of its images had been settled before" if start is not None else ""
    end, is_sized = max(place, shard.size or place), shard.size is not None
    return Loss(shard.path, place, end, reason, f"{error}{before}", is_sized)
