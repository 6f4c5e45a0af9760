"""The commands and what they say about themselves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tarlight.cli import option
from tarlight.cli.exit_code import FINDINGS, exit_codes
from tarlight.cli.inspect import check_dataset, explain_load, parse_limits, peek_at
from tarlight.cli.run import check_resumable, check_target, draw_sample, load_all, make_pipeline
from tarlight.errors import ArgumentError
from tarlight.resources import num_cores

_HELP = "Loads images out of tar shards, with every image accounted for."
_LOAD_EPILOG = """[bold]Examples[/bold]

tarlight load shards/

tarlight load 'shards/{00000..00009}.tar' --fields txt,json --json report.json

tarlight load shards/ --limit 1000 --strict

tarlight load 's3://bucket/folder/{00000..00009}.tar' --storage-option region=eu-west-1

tarlight load shards/ --checkpoint run.json

[bold]Exit codes[/bold]

0 done, 1 something was skipped or lost (with --strict), 2 usage, 3 input missing or denied, 4 stopped by an \
error, 130 Ctrl-C."""
_SAMPLE_EPILOG = """[bold]Examples[/bold]

tarlight sample build/sample

tarlight sample build/sample --images 2000 --shards 10 --damage"""

_PEEK_EPILOG = """[bold]Examples[/bold]

tarlight peek shards/

tarlight peek shards/00042.tar -n 3 --images"""
_CHECK_EPILOG = """[bold]Examples[/bold]

tarlight check shards/ --fast

tarlight check 'shards/{00000..00099}.tar' --csv findings.csv

tarlight check shards/ --fail-on error,missing_sidecar --json -

[bold]Exit codes[/bold]

0 done, 1 findings that --fail-on names, 2 usage, 3 input missing or denied, 4 stopped by an error, \
130 Ctrl-C."""

_EXPLAIN_EPILOG = """[bold]Examples[/bold]

tarlight explain shards/

tarlight explain 's3://bucket/folder/{00000..00099}.tar' --seconds 20 --verify

[bold]Exit codes[/bold]

0 done, 2 usage, 3 input missing or denied, 4 stopped by an error, 130 Ctrl-C."""

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


@app.command(epilog=_LOAD_EPILOG, no_args_is_help=True)
def load(
    paths: option.Paths,
    *,
    limit: option.Limit = None,
    limit_shards: option.LimitShards = None,
    shard_extensions: option.ShardExtensions = ".tar",
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = ".jpg,.jpeg",
    fields: option.Fields = "",
    batch_size: option.BatchSize = 100,
    threads: option.Threads = None,
    decoder: option.Decoder = "auto",
    max_requests: option.MaxRequests = 16,
    on_error: option.OnError = "skip",
    max_failures: option.MaxFailures = None,
    checkpoint: option.Checkpoint = None,
    strict: option.Strict = False,
    json_file: option.Json = None,
    quiet: option.Quiet = False,
) -> None:
    """Load the images of shards; say how fast it went and what became of every image.

    The pixels are decoded and thrown away. Progress and the ledger go to standard error.
    """
    store = option.storage_options(storage_option)
    reader = {
        "extensions": _split(extensions),
        "fields": _split(fields),
        "batch_size": batch_size,
        "num_threads": num_cores() if threads is None else threads,
        "decoder": decoder,
        "max_requests": max_requests,
        "on_error": on_error,
        "max_failures": max_failures,
        "storage_options": store,
    }
    with exit_codes():
        kinds = _split(shard_extensions)
        pipeline = make_pipeline(paths, kinds, limit_shards, limit, reader)
        check_target("--json", json_file, paths, kinds)
        check_target("--checkpoint", checkpoint, paths, kinds)
        check_resumable(checkpoint, limit, json_file)
        report = load_all(pipeline, limit, json_file, checkpoint, quiet=quiet)
        if strict and (report.num_skipped or len(report.losses)):
            raise typer.Exit(FINDINGS)


@app.command(epilog=_CHECK_EPILOG, no_args_is_help=True)
def check(
    paths: option.Paths,
    *,
    shard_extensions: option.ShardExtensions = ".tar",
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = ".jpg,.jpeg",
    fast: option.Fast = False,
    threads: option.Threads = None,
    fail_on: option.FailOn = "",
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
        "storage_options": option.storage_options(storage_option),
        "file_extensions": _split(shard_extensions),
        "extensions": _split(extensions),
        "num_threads": num_cores() if threads is None else threads,
    }
    with exit_codes():
        limits = parse_limits(fail_on)
        if json_file == csv_file == "-":
            raise ArgumentError(
                "--json and --csv cannot both be standard output. Name a file for one of them"
            )
        check_target("--json", json_file, paths, options["file_extensions"])
        check_target("--csv", csv_file, paths, options["file_extensions"])
        found = check_dataset(
            paths, options, json_file=json_file, csv_file=csv_file, num_examples=examples, quiet=quiet
        )
        if limits.intersection(found.counts):
            raise typer.Exit(FINDINGS)


@app.command(epilog=_PEEK_EPILOG, no_args_is_help=True)
def peek(
    path: option.OnePath,
    *,
    records: option.Records = 10,
    shard_extensions: option.ShardExtensions = ".tar",
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = ".jpg,.jpeg",
    images: option.Pictures = False,
    graphics: option.Graphics = "auto",
) -> None:
    """Show the first records of a dataset at once: keys, files, sizes, captions.

    Reads the beginning of the first shards only; of a bucket's listing, the first page.
    """
    options: dict[str, Any] = {
        "num_records": records,
        "storage_options": option.storage_options(storage_option),
        "file_extensions": _split(shard_extensions),
        "extensions": _split(extensions),
    }
    with exit_codes():
        peek_at(path, options, graphics=graphics if images or graphics != "auto" else None)


@app.command(epilog=_EXPLAIN_EPILOG, no_args_is_help=True)
def explain(
    paths: option.Paths,
    *,
    seconds: option.Seconds = 10.0,
    limit: option.Limit = None,
    verify: option.Verify = False,
    shard_extensions: option.ShardExtensions = ".tar",
    storage_option: option.StorageOption = None,
    extensions: option.Extensions = ".jpg,.jpeg",
    fields: option.Fields = "",
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
    reader = {
        "extensions": _split(extensions),
        "fields": _split(fields),
        "batch_size": batch_size,
        "num_threads": num_cores() if threads is None else threads,
        "decoder": decoder,
        "max_requests": max_requests,
        "storage_options": option.storage_options(storage_option),
    }
    with exit_codes():
        kinds = _split(shard_extensions)
        pipeline = make_pipeline(paths, kinds, None, None, reader)
        check_target("--json", json_file, paths, kinds)
        bounds: dict[str, Any] = {"seconds": seconds, "limit": limit, "verify": verify}
        explain_load(pipeline, bounds, json_file=json_file, quiet=quiet)


@app.command(epilog=_SAMPLE_EPILOG, no_args_is_help=True)
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


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
