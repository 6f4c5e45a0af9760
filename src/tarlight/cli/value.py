"""Reads the values of options, and refuses those that cannot work before anything is done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

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


def writable_json(text: str | None) -> str | None:
    """Check the target of `--json`; - is standard output."""
    return text if text in {None, "-"} else _writable(text, ".json", ", and - is standard output")


def writable_page(text: str | None) -> str | None:
    """Check the target of `--report` and `--output`."""
    return None if text is None else _writable(text, ".html")


def writable_csv(text: str | None) -> str | None:
    """Check the target of `--csv`; - is standard output."""
    return text if text in {None, "-"} else _writable(text, ".csv", ", and - is standard output")


def _writable(text: str | None, ending: str, otherwise: str = "") -> str:
    """Check a file to write before the work is done, not after.

    Its ending must be right, since a shell puts the first of several shards where `--json *.tar` stands.
    """
    if not text or Path(text).is_dir():
        raise typer.BadParameter(f"{printable(repr(text))} is a folder; name a file in it")
    if not Path(text).parent.is_dir():
        raise typer.BadParameter(
            f"the folder {printable(str(Path(text).parent))} does not exist; make it first"
        )
    if not os.access(text if Path(text).exists() else Path(text).parent, os.W_OK):
        raise typer.BadParameter(
            f"{printable(repr(text))} cannot be written; its folder, or it, is read-only"
        )
    for path in (text, os.path.realpath(text)):
        if not path.lower().endswith(ending):
            raise typer.BadParameter(f"{printable(repr(path))} does not end in {ending}{otherwise}")
    return text


def storage_options(pairs: list[str] | None) -> dict[str, Any] | None:
    """Read `--storage-option name=value`; a value that begins like a JSON object or list is one.

    Errors do not show the value, which may be a credential.
    """
    options: dict[str, Any] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise typer.BadParameter("give name=value, such as anon=true (what was given is not shown)")
        if name in options:
            raise typer.BadParameter(f"{name} is given twice")
        options[name] = _value(name, value)
    return options or None


def _value(name: str, text: str) -> Any:
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise typer.BadParameter(f"the value of {name} begins like JSON and is none") from None


def resumable(text: str | None) -> str | None:
    """Check the target of `--checkpoint`, as that of `--json`."""
    if text == "-":
        raise typer.BadParameter(
            "a checkpoint is read again and so needs a file; name one that ends in .json"
        )
    if text is None or "://" not in text:
        return text if text is None else _writable(text, ".json")
    if not text.lower().endswith(".json"):  # or a slip of the hand would cost a shard
        raise typer.BadParameter("the URL of a checkpoint ends in .json")
    return text
