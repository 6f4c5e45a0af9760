"""What a store is: the seam behind which the local disk and object stores look alike.

Strategy: a store knows how to find and read bytes, and nothing about tar or images. It raises errors of
`tarlight.errors` only; each store maps foreign errors in one place of its own. Stores hold no open handles
between calls, so they pickle and may be used by several threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


@dataclass(frozen=True, slots=True)
class ShardStat:
    """One shard as a listing found it: about 190 bytes besides its path."""

    path: str
    """Path or URL, as it can be opened again."""
    size: int | None
    """Bytes of the file as stored, or None where the store does not tell before reading."""
    version: str
    """Text that is another one when the shard has changed. On disk: size, modification time, inode; in object
    stores: size and ETag, and empty in a listing, since a version is pinned when reading begins."""


NAMES = 1_000
"""Names of a folder that `Store.names` gives at most: as many as one page of a bucket's listing has."""


class Selection(Protocol):
    """Which files of a listing are wanted. Asked while the listing streams, so others cost no memory."""

    def wants(self, path: str) -> bool:
        """Return whether the file at `path` belongs in the listing."""

    def enters(self, folder: str) -> bool:
        """Return whether wanted files can lie below `folder`; a store may pass over it otherwise."""


class Everything:
    """The selection of all files."""

    def wants(self, path: str) -> bool:  # noqa: ARG002 (the protocol's argument)
        """Return True."""
        return True

    def enters(self, folder: str) -> bool:  # noqa: ARG002 (the protocol's argument)
        """Return True."""
        return True


EVERYTHING = Everything()


class Store(Protocol):
    """Finds and reads shards. Thread-safe and picklable."""

    def stat(self, path: str) -> ShardStat:
        """Return what is known of the shard at `path`.

        Raises:
            InputMissingError: no readable kind of file is there (a folder is not one).
            InputDeniedError: it may not be read.
        """

    def revisit(self, path: str, version: str) -> ShardStat:
        """Return the shard at `path` that had this version when it was read, so that it can be read again.

        A store that can check the version while reading does so then, and asks for nothing here.

        Raises:
            InputMissingError, InputDeniedError: as `stat`.
            ShardChangedError: it has another version now.
        """

    def is_folder(self, path: str) -> bool:
        """Return whether `path` is something that `list` can look into."""

    def names(self, folder: str) -> list[str]:
        """Return some names in `folder`, of files and (with a slash at the end) of folders, sorted.

        As many as one page of the listing shows, for people who look for something else; none over HTTP.

        Raises:
            InputMissingError: as `list`.
            InputDeniedError: as `list`.
        """

    def list(self, prefix: str, selection: Selection = EVERYTHING) -> Iterator[ShardStat]:
        """Yield every selected file below the folder `prefix`, at any depth, in no particular order.

        Raises:
            InputMissingError: `prefix` is no folder, or a selected file cannot be a shard.
            InputDeniedError: a folder may not be listed, or a selected file not be read.
        """

    def chunks(self, shard: ShardStat) -> Generator[bytes, None, None]:
        """Yield the bytes of `shard` from first to last, in pieces of the store's choice.

        Close the iterator when leaving early: it holds the open file.

        Raises:
            InputMissingError: it is not there any more.
            InputDeniedError: it may not be read any more.
            ShardChangedError: it is not, or while being read ceased to be, the shard that was listed.
            ShardReadError: reading failed; the message has the offset.
        """

    def read(self, shard: ShardStat, offset: int, size: int) -> bytes:
        """Return the `size` bytes of `shard` from `offset` on, exactly.

        Raises:
            InputMissingError: it is not there any more.
            InputDeniedError: it may not be read any more.
            ShardChangedError: it is not the shard that was listed.
            ShardReadError: the range does not lie in the shard, or reading failed.
        """
