"""A checkpoint in its place, a disk or a bucket: replaced as a whole or not at all.

Strategy: on a disk the new text goes to a file beside the old one, is synced, and takes its name; then the
folder is synced. So a reader finds the old checkpoint or the new one, also after a power cut. Buckets are the
storage room's, behind `Place`. One process writes at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tarlight.argument import check_path
from tarlight.errors import ArgumentError, CheckpointError, CheckpointWriteError, TarlightError

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

_HEAD = '{"digest": "%s", "state": '


class Place(Protocol):
    """Where bytes are kept under one name, which `str` gives."""

    def read(self) -> bytes | None:
        """Return all bytes, or None where there are none yet. Raises OSError or TarlightError."""

    def replace(self, data: bytes) -> None:
        """Put these bytes there as a whole, or leave what was there. Raises OSError or TarlightError."""


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
        if not self._file.parent.is_dir():
            raise ArgumentError(
                f"checkpoint_path: the folder {self._file.parent} does not exist; make it first"
            )

    def __str__(self) -> str:
        return str(self._file)

    def read(self) -> bytes | None:
        """Return all bytes, or None where there is no file."""
        try:
            return self._file.read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, data: bytes) -> None:
        """Replace the file, and have that on the disk."""
        _replace(self._file, data)


class CheckpointFile:
    """Keeps the state of a run in a place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._next_at = time.monotonic() + SAVE_SECONDS

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
        return None if text is None else decode(text, str(self))

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file.

        Raises:
            CheckpointWriteError: it could not be written; the old one is still there.
        """
        began_at = time.monotonic()
        try:
            self._place.replace(encode(state))
        except (OSError, TarlightError) as error:
            raise CheckpointWriteError(
                f"{self}: the checkpoint cannot be written: {self._why(error)}. Make room or give the "
                "right to write there, then run again: it goes on from the last one that was written"
            ) from error
        now = time.monotonic()
        self._next_at = now + min(max(SAVE_SECONDS, (now - began_at) / MAX_SHARE), LONGEST_PAUSE_S)

    def save_now_and_then(self, state: Callable[[], dict[str, Any]]) -> None:
        """Replace the file when the last time was long enough ago; else do nothing."""
        if time.monotonic() >= self._next_at:
            self.save(state())

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
    length = len(_HEAD % ("0" * 64))
    head, body = text[:length], text[length:].rstrip(b"\n")
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


def _replace(target: Path, text: bytes) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError:
        beside.unlink(missing_ok=True)  # half a checkpoint is of use to nobody
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
