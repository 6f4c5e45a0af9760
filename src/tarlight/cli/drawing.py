"""What `tarlight sample` does, once its options are known."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tarlight.report.figure import plural
from tarlight.report.label import printable
from tarlight.report.table import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.sample import SampleSummary


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
    path = f"./{folder}" if folder.startswith("-") else folder  # else the shell hands on an option
    quoted, command = printable(shlex.quote(path), encoding), printable(_command(), encoding)
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
