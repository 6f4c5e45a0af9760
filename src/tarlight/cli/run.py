"""What the commands do, once their options are known."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from tarlight.errors import ArgumentError, InputError, TarlightError
from tarlight.events import PartitionsPlanned
from tarlight.ledger import Ledger, LossReason
from tarlight.report.figure import num_bytes
from tarlight.report.label import printable
from tarlight.stages.first_images import FirstImages
from tarlight.storage import find_shards, is_local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.events import Event, Listener
    from tarlight.executors.base import Executor
    from tarlight.inspect import Surveyor
    from tarlight.ledger import Report
    from tarlight.pipeline import Pipeline
    from tarlight.stream import Stream


_UNREAD = {LossReason.READ_FAILED, LossReason.NOT_A_TAR, LossReason.UNSUPPORTED_COMPRESSION}
"""Why nothing of a shard may have been read."""


class Dataset(NamedTuple):
    """What to read."""

    paths: Sequence[str]
    shard_extensions: tuple[str, ...]
    limit_shards: int | None = None
    """Read the first ones only."""
    limit: int | None = None
    """Stop after so many delivered images."""


class Targets(NamedTuple):
    """Files to write about a run."""

    json_file: str | None = None
    """The ledger; `-` is standard output."""
    page_file: str | None = None
    """The page."""
    checkpoint: str | None = None
    """Where the run goes on from, and notes how far it came."""
    page_option: str = "--report"
    """The option that names the page."""

    def by_option(self) -> dict[str, str | None]:
        """Option -> the file that it names."""
        return {"--json": self.json_file, self.page_option: self.page_file, "--checkpoint": self.checkpoint}


class _Plan:
    """A listener that learns whether the shards were found: before that a page has nothing to show."""

    is_made = False

    def __call__(self, event: Event) -> None:
        self.is_made = self.is_made or isinstance(event, PartitionsPlanned)


class Books:
    """The report of a stream that may not have begun."""

    stream: Stream | None = None

    def report(self) -> Report:
        """Return the report as it stands now."""
        return Ledger().report("running", 0.0) if self.stream is None else self.stream.report


def make_pipeline(dataset: Dataset, reader: dict[str, Any], *, surveyor: Surveyor | None = None) -> Pipeline:
    """Make the pipeline of `tarlight load`; `reader` holds options of `ImageReaderStage`.

    A surveyor is told of the shards that are going to be read.
    """
    from tarlight.pipeline import Pipeline  # noqa: PLC0415 (numpy and decoders: --help does without)
    from tarlight.stages.file_partitioning import FilePartitioningStage  # noqa: PLC0415
    from tarlight.stages.image.io.image_reader import ImageReaderStage  # noqa: PLC0415

    partitioning = FilePartitioningStage(
        list(dataset.paths),
        1,
        file_extensions=dataset.shard_extensions,
        storage_options=reader["storage_options"],
        limit=dataset.limit_shards,
    )
    pipeline = Pipeline(name="load", stages=[partitioning])
    if surveyor is not None:
        pipeline.add_stage(surveyor.watch())
    pipeline.add_stage(ImageReaderStage(**reader, verbose=False))
    return pipeline if dataset.limit is None else pipeline.add_stage(FirstImages(dataset.limit))


def make_surveyor(page_file: str | None) -> Surveyor | None:
    """Return who collects what a page shows, when one is to be written."""
    if page_file is None:
        return None
    from tarlight.inspect import Surveyor  # noqa: PLC0415 (numpy and Pillow: only a page needs them)

    return Surveyor()


def check_target(option: str, target: str | None, dataset: Dataset) -> None:
    """Check that the file of an option can be written, and that it overwrites none of the shards.

    Raises:
        ArgumentError: the file is one of the shards.
        TarlightError: standard output is closed.
    """
    if target == "-" and sys.stdout is None:
        raise TarlightError(f"{option} -: standard output is closed. Open it, or name a file")
    if target is None or not Path(target).is_file():
        return
    size = Path(target).stat().st_size
    local = [path for path in dataset.paths if is_local(path)]
    for shard in find_shards(local, file_extensions=dataset.shard_extensions).shards if local else ():
        if shard.size == size and Path(shard.path).samefile(target):
            raise ArgumentError(f"{option}: {target} is one of the shards to load. Name another file")


def choose(name: str | None, address: str | None, limit: int | None) -> Executor:
    """Return the executor that was asked for.

    Raises:
        ArgumentError: there is none of this name, or an address is given to one that has none, or a limit on
            images to one whose workers would each count for themselves.
    """
    from tarlight.executors.choice import make_executor  # noqa: PLC0415 (numpy: --help does without)
    from tarlight.executors.local import LocalExecutor  # noqa: PLC0415

    executor = make_executor(name, address)
    if address is not None and isinstance(executor, LocalExecutor):
        raise ArgumentError("--ray-address: the local executor has no cluster. Add --executor ray")
    if limit is not None and not isinstance(executor, LocalExecutor):
        raise ArgumentError("--limit is for the local executor. Use --limit-shards, or --executor local")
    return executor


def check_resumable(targets: Targets, limit: int | None) -> None:
    """Check that a run with a checkpoint can go on from it.

    Raises:
        ArgumentError: it has a limit on images, which would count anew in every run; or a page, which would
            show the images of the last run only; or the report overwrites the checkpoint.
    """
    checkpoint, json_file = targets.checkpoint, targets.json_file
    if checkpoint is None:
        return
    if limit is not None:
        raise ArgumentError("--limit does not go with --checkpoint. Use --limit-shards")
    if targets.page_file is not None:
        raise ArgumentError("--report does not go with --checkpoint. Use tarlight report when it is done")
    if json_file is not None and Path(json_file).resolve() == Path(checkpoint).resolve():
        raise ArgumentError("--json and --checkpoint name the same file. Name two")


def load_dataset(
    dataset: Dataset,
    reader: dict[str, Any],
    targets: Targets,
    executor: tuple[str | None, str | None] = (None, None),
    *,
    quiet: bool,
) -> Report:
    """Check all that can be checked before, then run to the end or the limit, and write what was asked for.

    `reader` holds options of `ImageReaderStage`; `executor` is a name and the address of a cluster.
    """
    surveyor = make_surveyor(targets.page_file)
    pipeline = make_pipeline(dataset, reader, surveyor=surveyor)
    for option, target in targets.by_option().items():
        check_target(option, target, dataset)
    check_resumable(targets, dataset.limit)
    chosen = choose(*executor, dataset.limit)
    return load_all(pipeline, chosen, dataset.limit, targets, surveyor, quiet=quiet)


def load_all(
    pipeline: Pipeline,
    executor: Executor,
    limit: int | None,
    targets: Targets,
    surveyor: Surveyor | None,
    *,
    quiet: bool,
) -> Report:
    """Run to the end or the limit; write the report and the page also when the run is stopped or fails."""
    books, plan = Books(), _Plan()
    listeners = (plan,) if quiet else (plan, _listener(books, limit))
    try:
        with pipeline.stream(
            executor, checkpoint_path=targets.checkpoint, listeners=listeners
        ) as books.stream:
            _drain(books.stream, limit, surveyor)
    finally:
        if targets.json_file is not None:
            _write_json(books.report(), targets.json_file)
        if targets.page_file is not None and surveyor is not None and plan.is_made:
            _write_page(surveyor, pipeline, books.report(), targets.page_file, quiet=quiet)
    return books.report()


def check_something_read(report: Report) -> None:
    """Check that a run that delivered nothing did not fail at reading, or look for other files.

    Raises:
        InputError: nothing was delivered, and bytes could not be read; or no member is an image.
    """
    if report.images_delivered:
        return
    unread = {LossReason.READ_FAILED} if report.images_seen or report.ignored else _UNREAD
    causes = (loss for loss in report.losses if loss.reason in unread)
    if (loss := next(causes, None)) is not None:
        cause = loss.detail.removeprefix(f"{loss.shard}: ")  # some name the shard, some do not
        raise InputError(f"nothing could be read: {loss.shard}: {cause}")
    kinds = [kind for kind, _ in Counter(report.ignored).most_common(6) if kind.startswith(".")]
    if kinds and not report.images_seen:
        raise InputError(
            f"no image was found: the members of these shards end in {', '.join(kinds)}; {_advice(kinds)}"
        )


def _advice(kinds: list[str]) -> str:
    """What to do about members of these extensions, of which none was an image."""
    from tarlight.stages.image.io.option import JPEG_EXTENSIONS  # noqa: PLC0415 (numpy: --help does without)

    named = [kind for kind in kinds if kind in JPEG_EXTENSIONS]
    if named:
        return f"pass --extensions {','.join(named)} to read those"
    return f"images are JPEG here and end in {', '.join(JPEG_EXTENSIONS)}: convert others, or rename them"


def _listener(books: Books, limit: int | None) -> Listener:
    from tarlight.report.progress import make_listener  # noqa: PLC0415 (not with --quiet)

    return make_listener(books.report, limit=limit)


def _drain(stream: Stream, limit: int | None, surveyor: Surveyor | None) -> None:
    delivered = 0
    for batch in stream:
        if surveyor is not None:
            surveyor.take(batch)
        delivered += batch.num_images
        if delivered == limit:
            break


def _write_json(report: Report, target: str) -> None:
    if target == "-":
        sys.stdout.write(json.dumps(report.to_dict(), indent=2) + "\n")
        sys.stdout.flush()
    else:
        report.save(target)


def _write_page(surveyor: Surveyor, pipeline: Pipeline, report: Report, target: str, *, quiet: bool) -> None:
    from tarlight.inspect import finish_survey, write_report  # noqa: PLC0415 (only a page needs it)

    write_report(finish_survey(surveyor, pipeline, report), target)
    if not quiet and sys.stderr is not None:
        encoding = sys.stderr.encoding or "ascii"
        size = num_bytes(Path(target).stat().st_size)
        typer.echo(f"{printable(target, encoding)}: a page of {size}, for any browser", file=sys.stderr)
