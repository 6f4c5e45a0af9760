"""The commands and what they say about themselves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tarlight.cli import epilog, option
from tarlight.cli.drawing import draw_sample
from tarlight.cli.exit_code import FINDINGS, exit_codes
from tarlight.cli.inspect import check_dataset, explain_load, parse_limits, peek_at
from tarlight.cli.run import (
    Dataset,
    Targets,
    check_something_read,
    check_target,
    load_dataset,
    make_pipeline,
)
from tarlight.cli.value import storage_options
from tarlight.errors import ArgumentError
from tarlight.resources import num_cores

_TAR, _JPEG, _CAPTION = [".tar"], [".jpg,.jpeg"], ["txt"]
_HELP = "Loads images out of tar shards, with every image accounted for."


app = typer.Typer(
    name="tarlight",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (typer calls it)
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 (slow to import)

        typer.echo(f"tarlight {version('tarlight')}")
        raise typer.Exit


@app.callback(help=_HELP)
def _tarlight(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version.")
    ] = False,
) -> None: ...


@app.command(epilog=epilog.LOAD, no_args_is_help=True)
def load(
    paths: option.Paths,
    *,
    limit: option.Limit = None,
    limit_shards: option.LimitShards = None,
    shard_extensions: option.ShardExtensions = _TAR,
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = _JPEG,
    fields: option.Fields = None,
    batch_size: option.BatchSize = 100,
    threads: option.Threads = None,
    decoder: option.Decoder = "auto",
    max_requests: option.MaxRequests = 16,
    executor: option.Executor = None,
    ray_address: option.RayAddress = None,
    gpus_per_worker: option.GpusPerWorker = 0.25,
    verify: option.VerifyData = "headers",
    on_error: option.OnError = "skip",
    max_failures: option.MaxFailures = None,
    checkpoint: option.Checkpoint = None,
    strict: option.Strict = False,
    json_file: option.Json = None,
    page_file: option.ReportPage = None,
    quiet: option.Quiet = False,
) -> None:
    """Load the images of shards; say how fast it went and what became of every image.

    The pixels are decoded and thrown away. Progress and the ledger go to standard error.
    """
    dataset = Dataset(paths, _split(shard_extensions), limit_shards, limit)
    reader = _reader_options(extensions, fields, threads, decoder, storage_option)
    reader |= {"batch_size": batch_size, "max_requests": max_requests, "verify": verify}
    reader |= {"on_error": on_error, "max_failures": max_failures, "num_gpus_per_worker": gpus_per_worker}
    with exit_codes():
        targets = Targets(json_file, page_file, checkpoint)
        report = load_dataset(dataset, reader, targets, (executor, ray_address), quiet=quiet)
        check_something_read(report)
        if strict and (report.num_skipped or len(report.losses)):
            raise typer.Exit(FINDINGS)


@app.command(epilog=epilog.REPORT, no_args_is_help=True)
def report(
    paths: option.Paths,
    *,
    output: option.Output = "report.html",
    limit: option.Limit = None,
    limit_shards: option.LimitShards = None,
    shard_extensions: option.ShardExtensions = _TAR,
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = _JPEG,
    fields: option.Fields = _CAPTION,
    threads: option.Threads = None,
    decoder: option.Decoder = "auto",
    quiet: option.Quiet = False,
) -> None:
    """Look at every image of shards, and write one page about them that opens without a network.

    It shows a fair sample of the pictures, how their sizes and other measures are distributed, what was
    skipped or lost and why, and where that lies in each shard.
    """
    dataset = Dataset(paths, _split(shard_extensions), limit_shards, limit)
    reader = _reader_options(extensions, fields, threads, decoder, storage_option)
    with exit_codes():
        targets = Targets(page_file=output, page_option="--output")
        check_something_read(load_dataset(dataset, reader, targets, quiet=quiet))


@app.command(epilog=epilog.CHECK, no_args_is_help=True)
def check(
    paths: option.Paths,
    *,
    shard_extensions: option.ShardExtensions = _TAR,
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = _JPEG,
    fast: option.Fast = False,
    threads: option.Threads = None,
    fail_on: option.FailOn = None,
    json_file: option.FindingsJson = None,
    csv_file: option.FindingsCsv = None,
    examples: option.Examples = 1,
    quiet: option.Quiet = False,
) -> None:
    """Look for everything that is wrong with a dataset, and say what to do about it.

    Damaged shards, bad images, duplicate keys, missing and broken files, gaps. Nothing is changed.
    """
    options: dict[str, Any] = {
        "fast": fast,
        "storage_options": storage_options(storage_option),
        "file_extensions": _split(shard_extensions),
        "extensions": _split(extensions),
        "num_threads": _num_threads(threads),
    }
    with exit_codes():
        limits = parse_limits(_split(fail_on))
        if json_file == csv_file == "-":
            raise ArgumentError(
                "--json and --csv cannot both be standard output. Name a file for one of them"
            )
        dataset = Dataset(paths, options["file_extensions"])
        check_target("--json", json_file, dataset)
        check_target("--csv", csv_file, dataset)
        found = check_dataset(
            paths, options, json_file=json_file, csv_file=csv_file, num_examples=examples, quiet=quiet
        )
        if limits.intersection(found.counts):
            raise typer.Exit(FINDINGS)


@app.command(epilog=epilog.PEEK, no_args_is_help=True)
def peek(
    paths: option.OnePath,
    *,
    records: option.Records = 10,
    shard_extensions: option.ShardExtensions = _TAR,
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = _JPEG,
    images: option.Pictures = False,
    graphics: option.Graphics = "auto",
) -> None:
    """Show the first records of a dataset at once: keys, files, sizes, captions.

    Reads the beginning of the first shards only; of a bucket's listing, the first page.
    """
    options: dict[str, Any] = {
        "num_records": records,
        "storage_options": storage_options(storage_option),
        "file_extensions": _split(shard_extensions),
        "extensions": _split(extensions),
    }
    with exit_codes():
        if len(paths) > 1:
            raise ArgumentError(
                f"PATH: peek takes one, and {len(paths)} were given. Name their folder, or put a pattern in "
                "quotes, so that the shell leaves it as it is"
            )
        peek_at(paths[0], options, graphics=graphics if images or graphics != "auto" else None)


@app.command(epilog=epilog.EXPLAIN, no_args_is_help=True)
def explain(
    paths: option.Paths,
    *,
    seconds: option.Seconds = 10.0,
    limit: option.Limit = None,
    verify: option.Verify = False,
    shard_extensions: option.ShardExtensions = _TAR,
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = _JPEG,
    fields: option.Fields = None,
    batch_size: option.BatchSize = 100,
    threads: option.Threads = None,
    decoder: option.Decoder = "auto",
    max_requests: option.MaxRequests = 16,
    json_file: option.ExplanationJson = None,
    quiet: option.Quiet = False,
) -> None:
    """Say why loading is as fast as it is: which stage holds up the others, and what to change.

    Measures what the store, one parsing thread and the decoder can do alone, then loads for a while.
    """
    dataset = Dataset(paths, _split(shard_extensions))
    reader = _reader_options(extensions, fields, threads, decoder, storage_option)
    reader |= {"batch_size": batch_size, "max_requests": max_requests}
    with exit_codes():
        pipeline = make_pipeline(dataset, reader)
        check_target("--json", json_file, dataset)
        bounds: dict[str, Any] = {"seconds": seconds, "limit": limit, "verify": verify}
        explain_load(pipeline, bounds, json_file=json_file, quiet=quiet)


@app.command(epilog=epilog.SAMPLE, no_args_is_help=True)
def sample(
    folder: option.Folder,
    *,
    images: option.Images = 500,
    shards: option.Shards = 5,
    seed: option.Seed = 0,
    damage: option.Damage = False,
) -> None:
    """Write a dataset to try things on: drawn colour images with captions and JSON, in tar shards."""
    with exit_codes():
        draw_sample(folder, images, shards, seed, damage=damage)


def _reader_options(
    extensions: list[str],
    fields: list[str] | None,
    threads: int | None,
    decoder: str,
    storage_option: list[str] | None,
) -> dict[str, Any]:
    """Options of `ImageReaderStage` that all commands share which decode."""
    return {
        "extensions": _split(extensions),
        "fields": _split(fields),
        "num_threads": _num_threads(threads),
        "decoder": decoder,
        "storage_options": storage_options(storage_option),
    }


def _num_threads(threads: int | None) -> int:
    return num_cores() if threads is None else threads


def _split(texts: list[str] | None) -> tuple[str, ...]:
    """Return what was given with commas, by giving the option more than once, or both."""
    return tuple(part.strip() for text in texts or () for part in text.split(",") if part.strip())
