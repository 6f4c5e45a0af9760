"""A checkpoint in its place, a disk or a bucket: replaced as a whole or not at all.

Strategy: on a disk the new text goes to a file beside the old one, is synced, and takes its name; then the
folder is synced. So a reader finds the old checkpoint or the new one, also after a power cut. Buckets are the
storage room's, behind `Place`. One run writes at a time: a place replaces only what it read or wrote itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tarlight.argument import check_path
from tarlight.checkpoint.beside import beside, remove_remains, sync, write
from tarlight.checkpoint.lock import FileLock
from tarlight.errors import (
    ArgumentError,
    CheckpointError,
    CheckpointTakenError,
    CheckpointWriteError,
    TarlightError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SAVE_SECONDS = 1.0
"""Between two saves that nobody asked for. One takes some milliseconds, most of them for the disk."""

MAX_SHARE = 0.01
"""Of the consumer's time for saves that nobody asked for, which take longer in a bucket."""

LONGEST_PAUSE_S = 30.0
"""Between two such saves, however long one takes: what a killed run repeats at most."""

NAME = "checkpoint.json"
"""Its name in a folder."""

_WRITER = "writer"
_HEAD = '{"digest": "%s", "state": '
_HEAD_BYTES = len(_HEAD % ("0" * 64))


class Place(Protocol):
    """Where bytes are kept under one name, which `str` gives. For one run."""

    def read(self) -> bytes | None:
        """Return all bytes, or None where there are none yet. Raises OSError or TarlightError."""

    def replace(self, data: bytes) -> bytes | None:
        """Put these bytes there as a whole, or leave what was there. Raises OSError or TarlightError.

        Returns None; or, having changed nothing, the bytes of somebody else that have come there since this
        place was read or written.
        """

    def claim(self, data: bytes) -> bytes | None:
        """Find out whether `replace` may write there, before there is anything to write.

        Where nothing is there yet, and in no other way can it be found out, it puts `data` there. Returns and
        raises as `replace`.
        """

    def release(self) -> None:
        """Give up what `claim` took. May be called again."""


class LocalFile:
    """A file on a disk of this machine.

    Args:
        path: a file, or a folder in which it is `checkpoint.json`. The folder must be there.

    Raises:
        ArgumentError: no path to write to; the message names `checkpoint_path`.
        ArgumentTypeError: neither text nor a path.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        text = check_path("checkpoint_path", path)
        if "://" in text:
            raise ArgumentError(
                "checkpoint_path must be a path or the URL of an object in a bucket (s3://, gs://, az://), "
                f"got {text.partition('://')[0]}://..."
            )
        given = Path(text)
        self._file = given / NAME if given.is_dir() or text.endswith("/") else given
        self._known: bytes | None = None
        self._lock = FileLock(self._file.with_name(f".{self._file.name}.lock"))
        if not self._file.parent.is_dir():
            raise ArgumentError(
                f"checkpoint_path: the folder {self._file.parent} does not exist; make it first"
            )

    def __str__(self) -> str:
        return str(self._file)

    def read(self) -> bytes | None:
        """Return all bytes, or None where there is no file."""
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return None
        self._known = data[:_HEAD_BYTES]
        return data

    def replace(self, data: bytes) -> bytes | None:
        """Replace the file, and have that on the disk; see `Place.replace`."""
        with beside(self._file) as new:
            write(new, data)
            if self._is_other():
                return self._file.read_bytes()
            new.replace(self._file)
        self._known = data[:_HEAD_BYTES]
        sync(self._file.parent)
        return None

    def claim(self, data: bytes) -> bytes | None:
        """Find out whether a file can be written beside it, and lock other processes out until `release`."""
        with beside(self._file) as new:
            new.touch()
        if (holder := self._lock.take(data)) is not None:
            return holder
        if self._lock.is_held:
            remove_remains(self._file)
        return self._file.read_bytes() if self._is_other() else None

    def release(self) -> None:
        """Let other processes in again."""
        self._lock.release()

    def _is_other(self) -> bool:
        """Whether somebody else's text is there, as the digest at its head tells. No file is nobody's."""
        try:
            with self._file.open("rb") as file:
                return file.read(_HEAD_BYTES) != self._known
        except FileNotFoundError:
            return False


class CheckpointFile:
    """Keeps the state of a run in a place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._next_at = time.monotonic() + SAVE_SECONDS
        begun = datetime.now(UTC).isoformat(" ", "milliseconds")
        self._writer = f"process {os.getpid()} on {socket.gethostname()}, begun {begun}"

    def __str__(self) -> str:
        return str(self._place)

    def load(self) -> Any:
        """Return the state as plain data, or None where there is no checkpoint yet.

        Raises:
            CheckpointError: the file is no checkpoint, or damaged.
        """
        try:
            text = self._place.read()
        except (OSError, TarlightError) as error:
            raise CheckpointError(f"{self}: the checkpoint cannot be read: {self._why(error)}") from error
        state = None if text is None else decode(text, str(self))
        if isinstance(state, dict):
            state.pop(_WRITER, None)
        return state or None  # nothing but a claim is no checkpoint yet

    def claim(self) -> None:
        """Find out whether it can be written, before there is anything to save.

        Raises:
            CheckpointWriteError: it cannot.
            CheckpointTakenError: another run has begun to write it.
        """
        self._put(self._place.claim, {})

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file.

        Raises:
            CheckpointWriteError: it could not be written; the old one is still there.
            CheckpointTakenError: another run has written it, and its file is still there.
        """
        began_at = time.monotonic()
        self._put(self._place.replace, state)
        now = time.monotonic()
        self._next_at = now + min(max(SAVE_SECONDS, (now - began_at) / MAX_SHARE), LONGEST_PAUSE_S)

    def release(self) -> None:
        """The run has ended: another one may begin."""
        self._place.release()

    def save_now_and_then(self, state: Callable[[], dict[str, Any]]) -> None:
        """Replace the file when the last time was long enough ago; else do nothing."""
        if time.monotonic() >= self._next_at:
            self.save(state())

    def _put(self, put: Callable[[bytes], bytes | None], state: dict[str, Any]) -> None:
        try:
            other = put(encode({**state, _WRITER: self._writer}))
        except (OSError, TarlightError) as error:
            raise CheckpointWriteError(
                f"{self}: the checkpoint cannot be written: {self._why(error)}. Make room or give the "
                "right to write there, then run again: it goes on from the last one that was written"
            ) from error
        if other is not None:
            raise CheckpointTakenError(
                f"{self}: another run writes this checkpoint ({_writer_of(other)}) beside this one "
                f"({self._writer}), and what it wrote was left as it is. End one of the two, and give each "
                "run a checkpoint of its own"
            )

    def _why(self, error: Exception) -> str:
        return str(getattr(error, "strerror", None) or error).removeprefix(f"{self}: ")


def encode(state: dict[str, Any]) -> bytes:
    """Return the text of a checkpoint: JSON in ASCII, with a digest over the state."""
    body = json.dumps(state, separators=(",", ":"))
    return f"{_HEAD % _digest(body)}{body}}}\n".encode("ascii")


def decode(text: bytes, origin: str) -> Any:
    """Return the state in the text of a checkpoint.

    Raises:
        CheckpointError: it is something else, was cut off, or was changed.
    """
    head, body = text[:_HEAD_BYTES], text[_HEAD_BYTES:].rstrip(b"\n")
    if not head.startswith(b'{"digest": "'):
        raise CheckpointError(
            f"{origin}: not a checkpoint of tarlight; name another file, or begin anew with a new one"
        )
    try:
        state = body.removesuffix(b"}").decode("ascii")
        if head.decode("ascii") == _HEAD % _digest(state):
            return json.loads(state)
    except (ValueError, RecursionError):
        pass  # said below, as for any other text whose digest does not hold
    raise CheckpointError(
        f"{origin}: the checkpoint is damaged or cut off; restore an older copy of it, or remove it and "
        "begin anew"
    )


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("ascii")).hexdigest()


def _writer_of(text: bytes) -> str:
    """Who wrote a text, as far as it says."""
    try:
        return str(decode(text, "")[_WRITER])
    except (CheckpointError, KeyError, TypeError):  # not a run of tarlight, then
        return "of which it says nothing"
