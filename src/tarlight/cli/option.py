"""The options of the commands: their types, checks and help texts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tarlight.report.label import printable


def count_or_fraction(text: str) -> float:
    """Read `--max-failures`: `10` is a count, `0.01` and `1%` are fractions."""
    try:
        if text.endswith("%"):
            return float(text[:-1]) / 100
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise typer.BadParameter(f"give a count (10) or a fraction (0.01 or 1%), not {text!r}") from None


def writable(text: str | None) -> str | None:
    """Check the target of `--json` before the work is done, not after.

    Only a `.json` is written, since a shell puts the first of several shards where `--json *.tar` stands.
    """
    if text is None or text == "-":
        return text
    if not text or Path(text).is_dir():
        raise typer.BadParameter(f"{printable(repr(text))} is a folder; name a file in it")
    if not Path(text).parent.is_dir():
        raise typer.BadParameter(
            f"the folder {printable(str(Path(text).parent))} does not exist; make it first"
        )
    for path in (text, os.path.realpath(text)):
        if not path.lower().endswith(".json"):
            raise typer.BadParameter(
                f"{printable(repr(path))} does not end in .json, and - is standard output"
            )
    return text


def resumable(text: str | None) -> str | None:
    """Check the target of `--checkpoint`, as that of `--json`."""
    if text == "-":
        raise typer.BadParameter(
            "a checkpoint is read again and so needs a file; name one that ends in .json"
        )
    return writable(text)


_WHAT, _HOW, _OUT = "What to load", "How to load it", "What to say"

Paths = Annotated[
    list[str],
    typer.Argument(metavar="PATH", help="Folders, shards, globs, or ranges such as '{00000..00099}.tar'."),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Stop after exactly N delivered images.", rich_help_panel=_WHAT),
]
LimitShards = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Read the first N shards only.", rich_help_panel=_WHAT),
]
ShardExtensions = Annotated[
    str,
    typer.Option(
        metavar="A,B",
        help="Extensions that make a file of a folder or glob a shard: the file_extensions of notes.",
        rich_help_panel=_WHAT,
    ),
]
Extensions = Annotated[
    str,
    typer.Option(metavar="A,B", help="Extensions that make a member an image.", rich_help_panel=_WHAT),
]
Fields = Annotated[
    str,
    typer.Option(metavar="A,B", help="Load these fields too, such as txt,json.", rich_help_panel=_WHAT),
]
BatchSize = Annotated[
    int,
    typer.Option(metavar="N", help="Images in a batch.", rich_help_panel=_HOW),
]
Threads = Annotated[
    int | None,
    typer.Option(metavar="N", help="Decoding threads; if not given, one a core.", rich_help_panel=_HOW),
]
Decoder = Annotated[
    str,
    typer.Option(metavar="NAME", help="auto, or one decoder by its name.", rich_help_panel=_HOW),
]
Executor = Annotated[
    str | None,
    typer.Option(
        metavar="local|ray",
        help="This process, or a Ray cluster; if not given, what TARLIGHT_EXECUTOR says, else local.",
        rich_help_panel=_HOW,
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="The cluster: auto, host:port or ray://host:port; if not given, the one of this machine, which "
        "is started if need be.",
        rich_help_panel=_HOW,
    ),
]
OnError = Annotated[
    str,
    typer.Option(metavar="skip|raise", help="Skip what is bad, or stop at the first.", rich_help_panel=_HOW),
]
MaxFailures = Annotated[
    float | None,
    typer.Option(
        parser=count_or_fraction,
        metavar="N|N%",
        help="Stop when more than this many (10), or this part (1% or 0.01, up to 100% or 1.0), failed. A "
        "part is looked at from the 100th image on, and once more at the end.",
        rich_help_panel=_HOW,
    ),
]
Checkpoint = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        callback=resumable,
        help="Keep in FILE, which ends in .json, how far the run is, and go on from there when it is there.",
        rich_help_panel=_HOW,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Exit with 1 if anything was skipped or lost. Notes (a missing end mark, a wrong gzip checksum, "
        "broken fields) do not count.",
        rich_help_panel=_OUT,
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        callback=writable,
        help="Write the ledger as JSON to FILE, which ends in .json; - is standard output.",
        rich_help_panel=_OUT,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Show nothing but errors.", rich_help_panel=_OUT),
]
Folder = Annotated[
    str,
    typer.Argument(metavar="DIR", help="The folder to write to; it is made if it is not there."),
]
Images = Annotated[int, typer.Option(min=1, metavar="N", help="Images in all.")]
Shards = Annotated[int, typer.Option(min=1, metavar="N", help="Shards to spread them over.")]
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed draws the same images.")]
Damage = Annotated[bool, typer.Option("--damage", help="Write broken shards as well, to try things on.")]
