"""The commands and what they say about themselves."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from tarlight.cli import option  # noqa: TC001 (typer reads the annotations)
from tarlight.cli.exit_code import FINDINGS, exit_codes
from tarlight.cli.run import check_resumable, check_target, choose, draw_sample, load_all, make_pipeline

_HELP = "Loads images out of tar shards, with every image accounted for."
_LOAD_EPILOG = """[bold]Examples[/bold]

tarlight load shards/

tarlight load 'shards/{00000..00009}.tar' --fields txt,json --json report.json

tarlight load shards/ --limit 1000 --strict

tarlight load shards/ --checkpoint run.json

[bold]Exit codes[/bold]

0 done, 1 something was skipped or lost (with --strict), 2 usage, 3 input missing or denied, 4 stopped by an \
error, 130 Ctrl-C."""
_SAMPLE_EPILOG = """[bold]Examples[/bold]

tarlight sample build/sample

tarlight sample build/sample --images 2000 --shards 10 --damage"""

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
    extensions: option.Extensions = ".jpg,.jpeg",
    fields: option.Fields = "",
    batch_size: option.BatchSize = 100,
    threads: option.Threads = None,
    decoder: option.Decoder = "auto",
    executor: option.Executor = None,
    ray_address: option.RayAddress = None,
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
    reader = {
        "extensions": _split(extensions),
        "fields": _split(fields),
        "batch_size": batch_size,
        "num_threads": _num_cores() if threads is None else threads,
        "decoder": decoder,
        "on_error": on_error,
        "max_failures": max_failures,
    }
    with exit_codes():
        kinds = _split(shard_extensions)
        pipeline = make_pipeline(paths, kinds, limit_shards, limit, reader)
        check_target("--json", json_file, paths, kinds)
        check_target("--checkpoint", checkpoint, paths, kinds)
        check_resumable(checkpoint, limit, json_file)
        report = load_all(pipeline, choose(executor, ray_address), limit, json_file, checkpoint, quiet=quiet)
        if strict and (report.num_skipped or len(report.losses)):
            raise typer.Exit(FINDINGS)


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


def _num_cores() -> int:
    """Cores that this process may use; all of the machine where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
