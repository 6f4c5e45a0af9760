"""What the commands do, once their options are known."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from tarlight.errors import ArgumentError, InputError, TarlightError
from tarlight.ledger import Ledger, LossReason
from tarlight.report.figure import num_bytes, plural
from tarlight.report.label import printable
from tarlight.report.table import is_terminal
from tarlight.stages.first_images import FirstImages
from tarlight.storage import find_shards, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tarlight.events import Listener
    from tarlight.executors.base import Executor
    from tarlight.inspect import Surveyor
    from tarlight.ledger import Report
    from tarlight.pipeline import Pipeline
    from tarlight.sample import SampleSummary
    from tarlight.stream import Stream


class Targets(NamedTuple):
    """Files to write about a run."""

    json_file: str | None = None
    """The ledger; `-` is standard output."""
    page_file: str | None = None
    """The page."""
    checkpoint: str | None = None
    """Where the run goes on from, and notes how far it came."""


class Books:
    """The report of a stream that may not have begun."""

    stream: Stream | None = None

    def report(self) -> Report:
        """Return the report as it stands now."""
        return Ledger().report("running", 0.0) if self.stream is None else self.stream.report


def make_pipeline(
    paths: Sequence[str],
    shard_extensions: tuple[str, ...],
    limit_shards: int | None,
    limit: int | None,
    reader: dict[str, Any],
    *,
    surveyor: Surveyor | None = None,
) -> Pipeline:
    """Make the pipeline of `tarlight load`; `reader` holds options of `ImageReaderStage`.

    A surveyor is told of the shards that are going to be read.
    """
    from tarlight.pipeline import Pipeline  # noqa: PLC0415 (numpy and decoders: --help does without)
    from tarlight.stages.file_partitioning import FilePartitioningStage  # noqa: PLC0415
    from tarlight.stages.image.io.image_reader import ImageReaderStage  # noqa: PLC0415

    partitioning = FilePartitioningStage(
        list(paths),
        1,
        file_extensions=shard_extensions,
        storage_options=reader["storage_options"],
        limit=limit_shards,
    )
    pipeline = Pipeline(name="load", stages=[partitioning])
    if surveyor is not None:
        pipeline.add_stage(surveyor.watch())
    pipeline.add_stage(ImageReaderStage(**reader, verbose=False))
    return pipeline if limit is None else pipeline.add_stage(FirstImages(limit))


def make_surveyor(page_file: str | None) -> Surveyor | None:
    """Return who collects what a page shows, when one is to be written."""
    if page_file is None:
        return None
    from tarlight.inspect import Surveyor  # noqa: PLC0415 (numpy and Pillow: only a page needs them)

    return Surveyor()


def check_target(
    option: str, target: str | None, paths: Sequence[str], shard_extensions: Sequence[str]
) -> None:
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
    local = [path for path in paths if is_local(path)]
    for shard in find_shards(local, file_extensions=shard_extensions).shards if local else ():
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
    books = Books()
    listeners = () if quiet else (_listener(books, limit),)
    try:
        with pipeline.stream(
            executor, checkpoint_path=targets.checkpoint, listeners=listeners
        ) as books.stream:
            _drain(books.stream, limit, surveyor)
    finally:
        if targets.json_file is not None:
            _write_json(books.report(), targets.json_file)
        if targets.page_file is not None and surveyor is not None:
            _write_page(surveyor, pipeline, books.report(), targets.page_file, quiet=quiet)
    return books.report()


def check_something_read(report: Report) -> None:
    """Check that a run that delivered nothing did not fail at reading.

    Raises:
        InputError: nothing was delivered, and bytes could not be read.
    """
    if report.images_delivered:
        return
    causes = (loss.detail for loss in report.losses if loss.reason is LossReason.READ_FAILED)
    if (cause := next(causes, None)) is not None:
        raise InputError(f"nothing could be read: {cause}")


def draw_sample(folder: str, images: int, shards: int, seed: int, *, damage: bool) -> None:
    """Write a sample dataset, and say what to do with it."""
    from tarlight.sample import write_sample  # noqa: PLC0415 (numpy and Pillow: --help does without)

    try:
        summary = write_sample(
            folder,
            num_images=images,
            num_shards=shards,
            seed=seed,
            damage=damage,
            on_progress=_count_drawn if is_terminal(sys.stderr) else None,
        )
    finally:
        if is_terminal(sys.stderr):
            sys.stderr.write("\r\x1b[K")  # wipe the counting line
    if sys.stdout is not None:  # closed before Python began
        for line in _next_steps(folder, summary):
            typer.echo(line)


def _count_drawn(done: int, total: int) -> None:
    sys.stderr.write(f"\rdrawing images: {done:,} of {total:,}\x1b[K")
    sys.stderr.flush()


def _next_steps(folder: str, summary: SampleSummary) -> Iterator[str]:
    encoding = sys.stdout.encoding or "ascii"
    quoted, command = printable(shlex.quote(folder), encoding), printable(_command(), encoding)
    yield f"{quoted}: {plural(summary.images, 'image')} in {plural(len(summary.shards), 'shard')}"
    yield f"  to load them:  {command} load {quoted}/*.tar --fields txt,json"
    if summary.damaged:
        yield f"{quoted}/damaged: {plural(len(summary.damaged), 'broken shard')}, see README.txt there"
        yield f"  to try them:   {command} load {quoted}/damaged"
        yield f"{quoted}/faults: one fault of each kind, see manifest.json there"
        yield f"  to find them:  {command} check {quoted}/faults"


def _command() -> str:
    """Return what was typed to get here, since `tarlight` alone may not be on PATH."""
    called = sys.argv[0]
    if Path(called).name == "__main__.py":
        return f"{_as_typed(sys.executable)} -m tarlight"
    return _as_typed(called)


def _as_typed(program: str) -> str:
    name = Path(program).name
    return name if shutil.which(name) == program else shlex.quote(program)


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
