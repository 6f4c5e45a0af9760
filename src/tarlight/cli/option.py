"""The options of the commands: their types and help texts."""

from __future__ import annotations

from typing import Annotated

import typer

from tarlight.cli.value import count_or_fraction, resumable, writable_csv, writable_json, writable_page

_WHAT, _HOW, _OUT = "What to read", "How to read it", "What to say"

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH", help="Folders, shards, globs, or ranges such as '{00000..00099}.tar'; paths or URLs."
    ),
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
        help="Extensions that make a file of a folder or glob a shard.",
        rich_help_panel=_WHAT,
    ),
]
StorageOption = Annotated[
    list[str] | None,
    typer.Option(
        "--storage-option",
        metavar="NAME=VALUE",
        help="Pass this to the stores of URLs, such as anon=true; may be repeated. Others can see what you "
        "type: leave credentials in the environment.",
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
VerifyData = Annotated[
    str,
    typer.Option(
        metavar="headers|strict",
        help="dali and nvimgcodec do not see damaged image data: find what headers show of it, or have "
        "libjpeg-turbo look at all data too (slower). Other decoders always see everything.",
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
MaxRequests = Annotated[
    int,
    typer.Option(min=1, metavar="N", help="Requests at once to the store of URLs.", rich_help_panel=_HOW),
]
Seconds = Annotated[
    float,
    typer.Option(
        metavar="S", help="Run for about so long; measuring takes up to as long again.", rich_help_panel=_HOW
    ),
]
Verify = Annotated[
    bool,
    typer.Option("--verify", help="Run once more with the change, and show the gain.", rich_help_panel=_HOW),
]
ExplanationJson = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        callback=writable_json,
        help="Write all figures as JSON to FILE, which ends in .json; - is standard output.",
        rich_help_panel=_OUT,
    ),
]
Checkpoint = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        callback=resumable,
        help="Keep in FILE, which ends in .json and may be an s3://, gs:// or az:// URL, how far the run is, "
        "and go on from there when it is there.",
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
        callback=writable_json,
        help="Write the ledger as JSON to FILE, which ends in .json; - is standard output.",
        rich_help_panel=_OUT,
    ),
]
ReportPage = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="FILE",
        callback=writable_page,
        help="Write a page about the images as well: pictures, plots, problems. FILE ends in .html.",
        rich_help_panel=_OUT,
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        callback=writable_page,
        help="The page to write; it ends in .html.",
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
Damage = Annotated[
    bool,
    typer.Option(
        "--damage",
        help="Write broken shards too, and a dataset with one fault of each kind and its manifest.",
    ),
]
Fast = Annotated[
    bool,
    typer.Option("--fast", help="Look at the headers of images only; do not decode.", rich_help_panel=_HOW),
]
FailOn = Annotated[
    str,
    typer.Option(
        metavar="A,B",
        help="Exit with 1 on findings of these severities (error, warning, note) or above, or of these "
        "kinds.",
        rich_help_panel=_OUT,
    ),
]
FindingsJson = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        callback=writable_json,
        help="Write the findings as JSON to FILE, which ends in .json; - is standard output.",
        rich_help_panel=_OUT,
    ),
]
FindingsCsv = Annotated[
    str | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        callback=writable_csv,
        help="Write one row a finding to FILE, which ends in .csv; - is standard output.",
        rich_help_panel=_OUT,
    ),
]
Examples = Annotated[
    int,
    typer.Option(min=1, max=1000, metavar="N", help="Examples of each kind to show.", rich_help_panel=_OUT),
]
OnePath = Annotated[
    str,
    typer.Argument(
        metavar="PATH", help="A folder, a shard, a glob, or a range such as '{00000..00099}.tar'."
    ),
]
Records = Annotated[
    int, typer.Option("-n", "--records", min=1, max=1000, metavar="N", help="Records to show.")
]
Pictures = Annotated[
    bool,
    typer.Option(
        "--images", help="Draw the images, small; in half blocks where a terminal can do no better."
    ),
]
Graphics = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="How to draw them: auto (by the environment), kitty, iterm2 or blocks."
    ),
]
