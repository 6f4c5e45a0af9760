"""One process at a time: a lock on a file beside a checkpoint, which ends with its process."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """A lock between processes, by POSIX record locks: on most network disks also between machines.

    A process does not lock itself out: a program that has let go of a stream half-way may begin another one.
    A disk without locks locks nobody out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: int | None = None
        self.is_held = False
        """Whether other processes are locked out; never on a disk without locks."""

    def take(self, data: bytes) -> bytes | None:
        """Take the lock and leave `data` in its file; or return what the process that has it left there."""
        while self._opened is None:
            opened = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            is_locked = _lock(opened)
            if is_locked is False:
                with os.fdopen(opened, "rb") as file:
                    return file.read()
            if _is_same(self._path, opened):
                self._opened, self.is_held = opened, bool(is_locked)
            else:  # the process that had it has removed it meanwhile
                os.close(opened)
        os.ftruncate(self._opened, 0)
        os.pwrite(self._opened, data, 0)
        return None

    def release(self) -> None:
        """Let go of it, and remove its file. May be called again."""
        if self._opened is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._opened)
            self._opened, self.is_held = None, False


def _lock(opened: int) -> bool | None:
    """Lock a file. False where another process has; None where there are no locks."""
    try:
        fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # fcntl(2): either of EAGAIN and EACCES
        return False
    except OSError:  # no locks here: then two runs are found out when they save
        return None
    return True


def _is_same(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(opened))
    except FileNotFoundError:
        return False
