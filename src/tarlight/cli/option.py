"""The options of the commands: their types and help texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tarlight.cli.target import resumable, writable_csv, writable_json, writable_page
from tarlight.cli.value import count_or_fraction, number, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

_WHAT, _HOW, _OUT = "What to read", "How to read it", "What to say"


def _number(
    *names: str, text: str, panel: str | None = None, least: int | None = 1, most: int | None = None
) -> Any:
    read = whole_number(least, most)
    return typer.Option(*names, parser=read, metavar="N", help=text, rich_help_panel=panel)


def _text(*names: str, metavar: str, text: str, panel: str | None = None) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel)


def _measure(metavar: str, text: str) -> Any:
    return typer.Option(parser=number, metavar=metavar, help=text, rich_help_panel=_HOW)


def _flag(*names: str, text: str, panel: str | None = None) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


def _file(*names: str, text: str, check: Callable[[str | None], str | None], panel: str = _OUT) -> Any:
    return typer.Option(*names, metavar="FILE", callback=check, help=text, rich_help_panel=panel)


def _json(what: str) -> Any:
    text = f"Write {what} as JSON to FILE, which ends in .json; - is standard output."
    return _file("--json", text=text, check=writable_json)


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH", help="Folders, shards, globs, or ranges such as '{00000..00099}.tar'; paths or URLs."
    ),
]
OnePath = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH", help="One folder, shard, glob in quotes, or range such as '{00000..00099}.tar'."
    ),
]
Folder = Annotated[
    str,
    typer.Argument(metavar="DIR", help="The folder to write to; it is made if it is not there."),
]

Limit = Annotated[int | None, _number(text="Stop after exactly N delivered images.", panel=_WHAT)]
LimitShards = Annotated[int | None, _number(text="Read the first N shards only.", panel=_WHAT)]
ShardExtensions = Annotated[
    list[str],
    _text(metavar="A,B", text="Extensions that make a file of a folder or glob a shard.", panel=_WHAT),
]
StorageOption = Annotated[
    list[str] | None,
    _text(
        "--storage-option",
        metavar="NAME=VALUE",
        text="Pass this to the stores of URLs, such as anon=true; may be repeated. Others can see what you "
        "type: leave credentials in the environment.",
        panel=_WHAT,
    ),
]
Extensions = Annotated[
    list[str], _text(metavar="A,B", text="Extensions that make a member an image.", panel=_WHAT)
]
Fields = Annotated[
    list[str] | None, _text(metavar="A,B", text="Load these fields too, such as txt,json.", panel=_WHAT)
]

BatchSize = Annotated[int, _number(text="Images in a batch.", panel=_HOW, least=None)]
Threads = Annotated[
    int | None, _number(text="Decoding threads; if not given, one a core.", panel=_HOW, least=None)
]
Decoder = Annotated[str, _text(metavar="NAME", text="auto, or one decoder by its name.", panel=_HOW)]
Executor = Annotated[
    str | None,
    _text(
        metavar="local|ray",
        text="This process, or a Ray cluster; if not given, what TARLIGHT_EXECUTOR says, else local.",
        panel=_HOW,
    ),
]
RayAddress = Annotated[
    str | None,
    _text(
        metavar="ADDRESS",
        text="The cluster: auto, host:port or ray://host:port; local for one of its own; if not given, that "
        "of RAY_ADDRESS or of this machine, which is started if need be.",
        panel=_HOW,
    ),
]
GpusPerWorker = Annotated[
    float,
    _measure(
        "N", "Share of a GPU that each worker decodes with, or a whole number of GPUs; 0 is the CPU only."
    ),
]
VerifyData = Annotated[
    str,
    _text(
        metavar="headers|strict",
        text="dali and nvimgcodec do not see damaged image data: find what headers show of it, or have "
        "libjpeg-turbo look at all data too (slower). Other decoders always see everything.",
        panel=_HOW,
    ),
]
OnError = Annotated[
    str, _text(metavar="skip|raise", text="Skip what is bad, or stop at the first.", panel=_HOW)
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
MaxRequests = Annotated[int, _number(text="Requests at once to the store of URLs.", panel=_HOW)]
Seconds = Annotated[
    float,
    _measure("S", "Run for about so long in seconds; measuring takes up to as long again."),
]
Verify = Annotated[
    bool, _flag("--verify", text="Run once more with the change, and show the gain.", panel=_HOW)
]
Fast = Annotated[bool, _flag("--fast", text="Look at the headers of images only; do not decode.", panel=_HOW)]
Checkpoint = Annotated[
    str | None,
    _file(
        text="Keep in FILE, which ends in .json and may be an s3://, gs:// or az:// URL, how far the run is, "
        "and go on from there when it is there.",
        check=resumable,
        panel=_HOW,
    ),
]

Strict = Annotated[
    bool,
    _flag(
        "--strict",
        text="Exit with 1 if anything was skipped or lost. Notes (a missing end mark, a wrong gzip checksum, "
        "broken fields) do not count.",
        panel=_OUT,
    ),
]
FailOn = Annotated[
    list[str] | None,
    _text(
        metavar="A,B",
        text="Exit with 1 on findings of these severities (error, warning, note) or above, or of these "
        "kinds.",
        panel=_OUT,
    ),
]
Json = Annotated[str | None, _json("the ledger")]
FindingsJson = Annotated[str | None, _json("the findings")]
ExplanationJson = Annotated[str | None, _json("all figures")]
FindingsCsv = Annotated[
    str | None,
    _file(
        "--csv",
        text="Write one row a finding to FILE, which ends in .csv; - is standard output.",
        check=writable_csv,
    ),
]
ReportPage = Annotated[
    str | None,
    _file(
        "--report",
        text="Write a page about the images as well: pictures, plots, problems. FILE ends in .html.",
        check=writable_page,
    ),
]
Output = Annotated[
    str, _file("--output", "-o", text="The page to write; it ends in .html.", check=writable_page)
]
Examples = Annotated[int, _number(text="Examples of each kind to show.", panel=_OUT, most=1000)]
Quiet = Annotated[bool, _flag("--quiet", "-q", text="Show nothing but errors.", panel=_OUT)]

Records = Annotated[int, _number("-n", "--records", text="Records to show.", most=1000)]
Pictures = Annotated[
    bool,
    _flag("--images", text="Draw the images, small; in half blocks where a terminal can do no better."),
]
Graphics = Annotated[
    str,
    _text(metavar="NAME", text="How to draw them: auto (by the environment), kitty, iterm2 or blocks."),
]

Images = Annotated[int, _number(text="Images in all.")]
Shards = Annotated[int, _number(text="Shards to spread them over.")]
Seed = Annotated[int, _number(text="The same seed draws the same images.", least=None)]
Damage = Annotated[
    bool,
    _flag(
        "--damage",
        text="Write broken shards too, and a dataset with one fault of each kind and its manifest.",
    ),
]
