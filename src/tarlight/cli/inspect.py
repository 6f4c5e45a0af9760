"""What `check`, `peek` and `explain` do, once their options are known."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

import typer

from tarlight.argument import did_you_mean
from tarlight.cli.waiting import Waiting
from tarlight.cli.wording import setting_as_option
from tarlight.errors import ArgumentError, InputError
from tarlight.report.figure import plural
from tarlight.report.table import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tarlight.events import Listener
    from tarlight.inspect import Checking, Findings, Kind
    from tarlight.pipeline import Pipeline


def check_dataset(
    paths: Sequence[str],
    options: dict[str, Any],
    *,
    json_file: str | None,
    csv_file: str | None,
    num_examples: int,
    quiet: bool,
) -> Findings:
    """Check a dataset and show what was found, also when it is interrupted.

    `options` are those of `tarlight.inspect.check`.

    Raises:
        InputError: a shard was missing, denied or out of reach; the others were checked, and shown, before.
    """
    from tarlight.inspect import Checking  # noqa: PLC0415 (numpy and decoders: --help does without)

    checking = Checking(list(paths), **options)
    if not quiet:
        checking.listen(_progress(checking))
    try:
        found = checking.run()
    finally:
        if checking.has_begun:
            _show(checking.findings, json_file, csv_file, num_examples, quiet=quiet)
    if found.shards_refused:
        shards = plural(found.shards_refused, "shard")
        raise InputError(f"{shards} could not be opened: {found.first_refusal}")
    return found


def peek_at(path: str, options: dict[str, Any], *, graphics: str | None) -> None:
    """Show the first records of a dataset; `graphics` says how to draw pictures, None draws none.

    `options` are those of `tarlight.inspect.peek`.
    """
    from tarlight.inspect import peek  # noqa: PLC0415 (numpy and decoders: --help does without)
    from tarlight.inspect.peeking.sheet import GRAPHICS, print_sheet  # noqa: PLC0415
    from tarlight.inspect.peeking.table import print_glimpse  # noqa: PLC0415

    if graphics is not None and graphics not in GRAPHICS:
        hint = did_you_mean(graphics, GRAPHICS)
        raise ArgumentError(f"--graphics: {graphics!r} is none of {', '.join(GRAPHICS)}{hint}")
    glimpse = peek(path, **options, with_images=graphics is not None)
    if sys.stdout is None:
        return
    if graphics is not None and (graphics != "auto" or _draws(sys.stdout)):
        print_sheet(glimpse.records, sys.stdout, graphics)
    print_glimpse(glimpse, sys.stdout)


def explain_load(pipeline: Pipeline, bounds: dict[str, Any], *, json_file: str | None, quiet: bool) -> None:
    """Explain how fast a pipeline is; `bounds` are options of `tarlight.inspect.explain`."""
    from tarlight.inspect import explain  # noqa: PLC0415 (numpy and decoders: --help does without)
    from tarlight.inspect.explaining.table import print_explanation  # noqa: PLC0415

    waiting = Waiting()
    try:
        found = explain(pipeline, **bounds, listeners=() if quiet else (waiting,))
    finally:
        waiting.end()
    if json_file is not None:
        text = json.dumps(found.to_dict(), indent=2) + "\n"
        _write(json_file, lambda stream: stream.write(text))
    stream = sys.stderr if json_file == "-" else sys.stdout
    if not quiet and stream is not None:
        print_explanation(found, stream, setting_as_option)


def _draws(stream: TextIO) -> bool:
    """Whether pictures can be drawn here; says so where they cannot."""
    if is_terminal(stream) and not os.environ.get("NO_COLOR") and _has_blocks(stream.encoding):
        return True
    typer.echo(
        "no pictures: standard output is no terminal in colour and UTF-8 (--graphics draws anyway)", err=True
    )
    return False


def _has_blocks(encoding: str) -> bool:
    return encoding.lower().replace("-", "") == "utf8"


def parse_limits(words: Iterable[str]) -> frozenset[Kind]:
    """Read `--fail-on`: the kinds that count, from severities (at or above) and kinds."""
    from tarlight.inspect import Kind, Severity  # noqa: PLC0415 (not with --help)

    severities = [severity.value for severity in Severity]
    chosen: set[Kind] = set()
    for word in words:
        if word in severities:
            harmful = severities[: severities.index(word) + 1]
            chosen |= {kind for kind in Kind if kind.severity in harmful}
        elif word in list(Kind):
            chosen.add(Kind(word))
        else:
            kinds = [kind.value for kind in Kind]
            raise ArgumentError(f"--fail-on: {_unknown_limit(word, severities, kinds)}")
    return frozenset(chosen)


def _unknown_limit(word: str, severities: list[str], kinds: list[str]) -> str:
    hint = did_you_mean(word, [*severities, *kinds])
    rest = hint or f", nor a kind of finding: {', '.join(kinds)}"
    return f"{word!r} is none of {', '.join(severities)}{rest}"


def _progress(checking: Checking) -> Listener:
    from tarlight.report.progress import make_listener  # noqa: PLC0415 (not with --quiet)

    return make_listener(lambda: checking.report, with_ledger=False)


def _show(
    findings: Findings, json_file: str | None, csv_file: str | None, num_examples: int, *, quiet: bool
) -> None:
    if json_file is not None:
        text = json.dumps(findings.to_dict(), indent=2) + "\n"
        _write(json_file, lambda stream: stream.write(text))
    if csv_file is not None:
        _write(csv_file, findings.write_csv)
    stream = sys.stderr if "-" in {json_file, csv_file} else sys.stdout
    if not quiet and stream is not None:
        from tarlight.inspect.checking.table import print_findings  # noqa: PLC0415 (as above)

        print_findings(findings, stream, num_examples=num_examples)


def _write(target: str, write: Callable[[IO[str]], object]) -> None:
    if target == "-":
        write(sys.stdout)
        sys.stdout.flush()
        return
    with Path(target).open("w", encoding="utf-8", newline="") as stream:
        write(stream)
