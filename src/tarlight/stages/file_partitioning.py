"""The stage that starts a pipeline: it finds the shards and groups them into partitions."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tarlight.checkpoint import place_text
from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.events import PartitionsPlanned
from tarlight.stages.base import ProcessingStage, StageContext
from tarlight.storage import as_extensions, as_paths, check_options_for, find_shards, parse_size
from tarlight.tasks import EmptyTask, FileGroupTask

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tarlight.storage import ShardStat


class FilePartitioningStage(ProcessingStage[EmptyTask, FileGroupTask]):
    """Finds shards and yields them in partitions, in order; see `tarlight.storage.find_shards`.

    Making one checks the arguments and does no I/O. Partitions and their ids depend on the input alone: each
    is named after the place of its first shard in the listing, `partition_000012`.

    Args:
        file_paths: a folder (read at any depth), a file, a glob, a brace range like
            `{00000..00099}.tar`, or a list of these; on disk, or as URL in a bucket (`s3://`, `gs://`,
            `az://`, `abfs://`). Over `http(s)://` shards and ranges of them.
        files_per_partition: shards in one partition; 1 when neither this nor `blocksize` is given.
        blocksize: bytes in one partition, as an int or text like "128MiB": neighbours are put together
            as long as they fit, and a larger shard is alone.
        file_extensions: which files of folders and globs are shards; in any case, dot or no dot.
        storage_options: options of the stores, under obstore's or fsspec's names; the local disk has none.
            One mapping serves all paths: each store takes the options it knows.
        limit: at most this many partitions.
        name: the stage's name in reports.

    Raises:
        ArgumentError: a value that is not allowed; also `files_per_partition` with `blocksize`.
        ArgumentTypeError: a value of the wrong type.
    """

    def __init__(  # noqa: PLR0917 (the documented order)
        self,
        file_paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        files_per_partition: int | None = None,
        blocksize: int | str | None = None,
        file_extensions: str | Collection[str] = (".tar",),
        storage_options: Mapping[str, Any] | None = None,
        limit: int | None = None,
        name: str = "file_partitioning",
    ) -> None:
        if files_per_partition is not None and blocksize is not None:
            raise ArgumentError("pass files_per_partition or blocksize, not both: each decides alone")
        if not isinstance(name, str):
            raise ArgumentTypeError(f"name must be a text, got {name!r} ({type(name).__name__})")
        if not name:
            raise ArgumentError("name must not be empty: reports and errors show it")
        self.file_paths = as_paths(file_paths)
        self.files_per_partition = _count("files_per_partition", files_per_partition)
        self.blocksize = None if blocksize is None else parse_size(blocksize)
        self.file_extensions = as_extensions(file_extensions)
        self.limit = _count("limit", limit)
        self.name = name
        check_options_for(self.file_paths, storage_options)
        self._storage_options = dict(storage_options or {})

    def process(self, task: EmptyTask) -> Iterator[FileGroupTask]:
        """Find the shards and yield the partitions.

        Raises:
            InputMissingError: a path is missing or nothing matches.
            InputDeniedError: something may not be read or listed.
            CheckpointMismatchError: the run is resumed from a checkpoint of another dataset.
        """
        context = self.context or StageContext(dataset_name=task.dataset_name)
        listing = find_shards(
            self.file_paths,
            file_extensions=self.file_extensions,
            storage_options=self._storage_options,
            tell=context.emit,
        )
        for note in listing.notes:
            context.ledger.note(note)
        borders = self._borders(listing.shards)
        shards = listing.shards[: borders[-1]]
        context.course.plan((shard.path, shard.size) for shard in shards)
        context.emit(_planned(len(borders) - 1, shards))
        for index, (start, end) in enumerate(pairwise(borders)):
            group = shards[start:end]
            paths = [shard.path for shard in group]
            yield FileGroupTask(
                task_id=f"partition_{place_text(start, len(shards))}",
                dataset_name=context.dataset_name or task.dataset_name,
                data=paths,
                sizes=[shard.size for shard in group],
                metadata={
                    "partition_index": index,
                    "total_partitions": len(borders) - 1,
                    "source_files": [str(path) for path in paths],
                },
            )

    def describe(self) -> dict[str, Any]:
        """Return the configuration; storage options by name only, since values may be credentials."""
        return {
            "file_paths": list(self.file_paths),
            "files_per_partition": self.files_per_partition or (None if self.blocksize else 1),
            "blocksize": self.blocksize,
            "file_extensions": list(self.file_extensions),
            "storage_options": sorted(map(str, self._storage_options)),
            "limit": self.limit,
        }

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.describe().items())
        return f"{type(self).__name__}({facts}, name={self.name!r})"

    def _borders(self, shards: list[ShardStat]) -> Sequence[int]:
        """Return where partitions begin, and where the last one ends."""
        if self.blocksize is None:
            count = self.files_per_partition or 1
            starts: Sequence[int] = range(0, len(shards), count)
        else:
            starts = list(_packed(shards, self.blocksize))
        return array("q", [*starts, len(shards)][: None if self.limit is None else self.limit + 1])


def _count(argument: str, value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentTypeError(
            f"{argument} must be a whole number, 1 or more, or None; got {value!r} ({type(value).__name__})"
        )
    if value < 1:
        raise ArgumentError(f"{argument} must be 1 or more, or None; got {value}")
    return value


def _packed(shards: list[ShardStat], blocksize: int) -> Iterator[int]:
    """Yield where a partition begins when neighbours go together up to `blocksize`.

    A shard of unknown size counts as a full block.
    """
    filled = 0
    for index, shard in enumerate(shards):
        size = blocksize if shard.size is None else shard.size
        if not index or filled + size > blocksize:
            yield index
            filled = 0
        filled += size


def _planned(partitions: int, shards: list[ShardStat]) -> PartitionsPlanned:
    return PartitionsPlanned(
        partitions=partitions, shards=len(shards), num_bytes=sum(shard.size or 0 for shard in shards)
    )
