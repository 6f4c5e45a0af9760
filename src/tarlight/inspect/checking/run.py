"""`check`: all shards of a dataset, one after the other, and then what only the whole shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tarlight.argument import check_bool, check_int
from tarlight.events import PartitionsPlanned, RunEnded, RunStarted
from tarlight.inspect.checking.dossier import Dossier
from tarlight.inspect.checking.finding import Collector, Findings
from tarlight.inspect.checking.key import KeyFile
from tarlight.inspect.checking.member import Sorter
from tarlight.inspect.checking.shard import ShardCheck
from tarlight.inspect.checking.sidecar import Sidecars
from tarlight.resources import num_cores
from tarlight.stages.image.io.option import normal_extensions
from tarlight.storage import as_extensions, as_paths, find_shards, open_store

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence

    from tarlight.events import Event, Listener
    from tarlight.ledger import Report
    from tarlight.storage import ShardStat


class Checking:
    """A check that can be watched, and whose findings so far can be had when it was interrupted.

    For one thread. `check` is the short way.
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        fast: bool = False,
        file_extensions: str | Collection[str] = (".tar",),
        extensions: Sequence[str] = (".jpg", ".jpeg"),
        num_threads: int | None = None,
        max_examples: int = 1_000,
        storage_options: Mapping[str, Any] | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        """Check the arguments; nothing is read before `run`. See `check`."""
        self._paths = as_paths(paths)
        self._fast = check_bool("fast", fast)
        self._file_extensions = as_extensions(file_extensions)
        self._sorter = Sorter(normal_extensions(extensions))
        threads = num_cores() if num_threads is None else num_threads
        self._num_threads = check_int("num_threads", threads, minimum=1)
        self._max_examples = check_int("max_examples", max_examples, minimum=1)
        self._options = storage_options
        self._listeners = list(listeners)
        self._outcome = "running"
        self._started_at: float | None = None
        self._seconds = 0.0
        self._planned = 0
        self._notes: tuple[str, ...] = ()
        keys, sidecars = KeyFile(), Sidecars(max_examples)
        self._dossier = Dossier(Collector(max_examples), keys, sidecars)

    def listen(self, listener: Listener) -> None:
        """Tell one more listener when the check begins, what is planned, and when it ends."""
        self._listeners.append(listener)

    @property
    def has_begun(self) -> bool:
        """Whether there are shards of which something is known."""
        return self._planned > 0

    def run(self) -> Findings:
        """Check every shard. Once only; see `check` for what it raises."""
        self._started_at = time.monotonic()
        self._tell(RunStarted("check"))
        self._outcome = "stopped"
        try:
            with self._dossier.keys:
                self._run()
            self._outcome = "finished"
        except Exception:
            self._outcome = "failed"
            raise
        finally:
            self._seconds = time.monotonic() - self._started_at
            self._tell(RunEnded(self._outcome))
        return self.findings

    @property
    def findings(self) -> Findings:
        """What has been found so far."""
        dossier = self._dossier
        report = self.report
        return Findings(
            outcome=self._outcome,
            depth="fast" if self._fast else "full",
            shards=report.shards,
            planned_shards=self._planned,
            records=dossier.num_records,
            images=report.images_seen,
            bytes_read=report.bytes_read,
            seconds=report.seconds,
            counts=dossier.collector.ordered_counts(),
            examples=tuple(dossier.collector.ordered_examples()),
            notes=self._notes,
            shards_refused=dossier.shards_refused,
            first_refusal=dossier.first_refusal,
        )

    @property
    def report(self) -> Report:
        """Progress as a ledger: images seen count as delivered. May be asked from another thread."""
        since = self._started_at
        is_running = self._outcome == "running" or not self._seconds
        seconds = time.monotonic() - since if is_running and since is not None else self._seconds
        return self._dossier.ledger.report(self._outcome, seconds)

    def _run(self) -> None:
        listing = find_shards(
            self._paths,
            file_extensions=self._file_extensions,
            storage_options=self._options,
            tell=self._tell,
        )
        self._notes = tuple(note.text for note in listing.notes)
        self._planned = len(listing.shards)
        num_bytes = sum(shard.size or 0 for shard in listing.shards)
        self._tell(PartitionsPlanned(self._planned, self._planned, num_bytes))
        self._dossier.open(fast=self._fast, num_threads=self._num_threads)
        try:
            self._read(listing.shards)
        except KeyboardInterrupt:
            self._dossier.judge.finish()  # a fraction of a second, and shards that were read are judged
            raise
        finally:
            self._dossier.judge.close()

    def _read(self, shards: list[ShardStat]) -> None:
        for index, shard in enumerate(shards):
            store = open_store(shard.path, self._options)
            ShardCheck(index, shard, store, self._dossier, self._sorter).run()
        self._dossier.judge.finish()
        self._dossier.conclude(shards, self._options)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)


def check(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    fast: bool = False,
    file_extensions: str | Collection[str] = (".tar",),
    extensions: Sequence[str] = (".jpg", ".jpeg"),
    num_threads: int | None = None,
    max_examples: int = 1_000,
    storage_options: Mapping[str, Any] | None = None,
    listeners: Sequence[Listener] = (),
) -> Findings:
    """Look for everything that is wrong with a dataset.

    Reads every byte once. Takes bounded memory for any number of shards: about 300 bytes for each record of
    the largest shard, at most `MAX_BYTES` of `key` (140 MiB) for keys, the examples, and, in full depth,
    256 MiB of images that are being decoded. Keys beyond a million go to a temporary file, 28 bytes each.

    Args:
        paths: Folders, shards, globs or ranges; see `tarlight.storage.find_shards`.
        fast: Look at the headers of images only, and do not decode them. Finds all that concerns shards,
            records and sidecars, and those bad images that their headers or a missing end give away.
        file_extensions: Which files of folders and globs are shards.
        extensions: Last extensions that make a member an image; JPEG only.
        num_threads: Decoding threads; by default one a core. Not used by `fast`.
        max_examples: Findings of one kind that are kept; all are counted.
        storage_options: Options of the store that reads the shards.
        listeners: Told when the check begins, what is planned, and when it ends.

    Returns:
        What was found; the same for any number of threads. A shard that is missing or denied when it is to be
        read is a finding, and counted in `shards_refused`; the others are still checked.

    Raises:
        InputMissingError: A path is missing or nothing matches.
        InputDeniedError: Something may not be listed or read.
        ArgumentError: A value is not allowed.
        ArgumentTypeError: A value has the wrong type.
    """
    return Checking(
        paths,
        fast=fast,
        file_extensions=file_extensions,
        extensions=extensions,
        num_threads=num_threads,
        max_examples=max_examples,
        storage_options=storage_options,
        listeners=listeners,
    ).run()
