"""The local disk as a store.

Strategy: files are read with `os.read` into fresh bytes objects, so that the kernel copies each byte once and
the parser may keep slices of it. Nothing is mapped: when somebody cuts a mapped file short, touching it kills
the process with SIGBUS, and no `except` can save the other images.
"""

from __future__ import annotations

import os
import stat as modes
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from tarlight.errors import (
    ArgumentError,
    InputMissingError,
    ShardChangedError,
    ShardReadError,
    TarlightError,
)
from tarlight.storage.failure import MISSING, denied, explain
from tarlight.storage.store import EVERYTHING, NAMES, Selection, ShardStat

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

CHUNK_BYTES = 1024 * 1024
"""Bytes of one chunk. CPU milliseconds for 130 MB in the page cache: 64 KiB 12.8, 256 KiB 9.9, 512 KiB to
2 MiB 8.5, 4 MiB 9.0, 8 MiB 40 (malloc then gives every block back to the kernel). `readinto` and a copy
costs 1.5 times as much. POSIX_FADV_SEQUENTIAL changed nothing on a cold cache (107 and 108 ms): not used."""

_KINDS = {
    modes.S_IFIFO: "a named pipe",
    modes.S_IFSOCK: "a socket",
    modes.S_IFCHR: "a device",
    modes.S_IFBLK: "a device",
    modes.S_IFDIR: "a folder",
}


class LocalStore:
    """Shards on a disk of this machine. Thread-safe, picklable, without state."""

    __slots__ = ()

    def stat(self, path: str) -> ShardStat:
        """Return size and version of the file at `path`; see `Store.stat`. Links are followed."""
        with _explained(path):
            return _readable(path, os.stat(path))  # noqa: PTH116

    def revisit(self, path: str, version: str) -> ShardStat:
        """Return the file that had this version when it was read; see `Store.revisit`."""
        shard = self.stat(path)
        if shard.version != version:
            raise ShardChangedError(
                f"{path}: the shard was changed since it was read (version {version}, now {shard.version}). "
                "Load it again"
            )
        return shard

    def is_folder(self, path: str) -> bool:
        """Return whether `path` is a folder, or a link to one; the empty path is the current folder."""
        return os.path.isdir(path or ".")  # noqa: PTH112

    def names(self, folder: str) -> list[str]:
        """Return up to a thousand names in `folder`; see `Store.names`."""
        some = islice(_entries(folder), NAMES)
        return sorted(f"{entry.name}/" if _is_folder(entry) else entry.name for entry in some)

    def list(self, prefix: str, selection: Selection = EVERYTHING) -> Iterator[ShardStat]:
        """Yield the selected files below the folder `prefix`; see `Store.list`.

        Hidden files and folders are like any other. Links to folders are followed, except back into a
        folder that the path already goes through. One folder is open at a time.
        """
        waiting = [_Folder(prefix, None)]
        while waiting:
            folder = waiting.pop()
            for entry in _entries(folder.path):
                path = folder.path_to(entry.name)
                if _is_folder(entry):
                    if selection.enters(path) and not (entry.is_symlink() and folder.leads_to(entry)):
                        waiting.append(_Folder(path, folder))
                elif selection.wants(path):
                    with _explained(path):
                        facts = entry.stat()
                    yield _readable(path, facts)

    def chunks(self, shard: ShardStat) -> Generator[bytes, None, None]:
        """Yield the bytes of `shard` as fresh bytes objects of 1 MiB; see `Store.chunks`."""
        with _opened(shard) as file:
            size, offset = os.fstat(file).st_size, 0
            while offset < size:
                chunk = _read(file, shard.path, min(CHUNK_BYTES, size - offset), offset)
                if not chunk:
                    raise _changed(shard, f"it ended at byte {offset}")
                offset += len(chunk)
                yield chunk
            _check(shard, os.fstat(file))

    def read(self, shard: ShardStat, offset: int, size: int) -> bytes:
        """Return one range of `shard`; see `Store.read`."""
        if offset < 0 or size < 0:
            raise ArgumentError(f"offset and size must not be negative, got {offset} and {size}")
        with _opened(shard) as file:
            # Checked before os.read allocates `size` bytes.
            if offset + size > os.fstat(file).st_size:
                raise ShardReadError(
                    f"{shard.path}: bytes {offset} to {offset + size} do not lie in this shard of "
                    f"{os.fstat(file).st_size} bytes. Was it written anew? Load the dataset again"
                )
            return b"".join(_range(file, shard, offset, size))


def version_of(facts: os.stat_result) -> str:
    """Return the version of a local file: size, modification time in ns, inode."""
    return f"{facts.st_size}-{facts.st_mtime_ns:x}-{facts.st_ino:x}"


class _Folder:
    """A folder on its way to be listed, and the folders its path goes through."""

    __slots__ = ("above", "path")

    def __init__(self, path: str, above: _Folder | None) -> None:
        self.path = path
        self.above = above

    def path_to(self, name: str) -> str:
        """Return the path of an entry; `os.DirEntry.path` would begin with `./` in the current folder."""
        return f"{self.path}/{name}" if self.path.strip("/") else f"{self.path}{name}"

    def leads_to(self, link: os.DirEntry[str]) -> bool:
        """Return whether `link` points to this folder or to one that its path goes through."""
        target = os.stat(link.path)  # noqa: PTH116
        folder: _Folder | None = self
        while folder is not None:
            if os.path.samestat(target, os.stat(folder.path or ".")):  # noqa: PTH116
                return True
            folder = folder.above
        return False


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn errors of the operating system about `path` into ours."""
    try:
        yield
    except TarlightError:
        raise
    except OSError as error:
        raise explain(path, error) from error


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with _explained(folder or "."), os.scandir(folder or ".") as listing:
        yield from listing


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno in MISSING:  # a link that leads nowhere is no folder
            return False
        raise explain(entry.path, error) from error


def _readable(path: str, facts: os.stat_result) -> ShardStat:
    kind = modes.S_IFMT(facts.st_mode)
    if kind != modes.S_IFREG:
        raise InputMissingError(
            f"{path}: {_KINDS.get(kind, 'something special')}, and a shard must be a regular file. "
            "Copy its bytes to one, or leave this path out"
        )
    if not os.access(path, os.R_OK, effective_ids=True):
        raise denied(path)
    return ShardStat(path, facts.st_size, version_of(facts))


@contextmanager
def _opened(shard: ShardStat) -> Iterator[int]:
    with _explained(shard.path):
        # Without O_NONBLOCK, a pipe put in the shard's place would hang the run.
        file = os.open(shard.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _check(shard, os.fstat(file))
        yield file
    finally:
        os.close(file)


def _check(shard: ShardStat, facts: os.stat_result) -> None:
    """Compare size and time, not the inode: some network file systems make inodes up as they go."""
    now = version_of(facts)
    if now.rpartition("-")[0] != shard.version.rpartition("-")[0] or not modes.S_ISREG(facts.st_mode):
        raise _changed(shard, f"size-time-inode was {shard.version} and is {now}")


def _changed(shard: ShardStat, what: str) -> ShardChangedError:
    return ShardChangedError(
        f"{shard.path}: the shard was changed after it was listed: {what}. "
        "Load it again when nobody writes to it"
    )


def _range(file: int, shard: ShardStat, offset: int, size: int) -> Iterator[bytes]:
    end = offset + size
    while offset < end:
        piece = _read(file, shard.path, end - offset, offset)
        if not piece:
            raise _changed(shard, f"it ended at byte {offset}")
        offset += len(piece)
        yield piece


def _read(file: int, path: str, size: int, offset: int) -> bytes:
    try:
        return os.pread(file, size, offset)
    except OSError as error:
        raise ShardReadError(
            f"{path}: {error.strerror or error} at byte {offset}. Check the disk or mount, then run again"
        ) from error
