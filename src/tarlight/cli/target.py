"""Checks the files that a command is to write, before the work is done and not after it."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from tarlight.report.label import printable


def writable_json(text: str | None) -> str | None:
    """Check the target of `--json`; - is standard output."""
    return text if text in {None, "-"} else _writable(text, ".json", ", and - is standard output")


def writable_csv(text: str | None) -> str | None:
    """Check the target of `--csv`; - is standard output."""
    return text if text in {None, "-"} else _writable(text, ".csv", ", and - is standard output")


def writable_page(text: str | None) -> str | None:
    """Check the target of `--report` and `--output`, which is written beside its place and then put there."""
    return None if text is None else _writable(text, ".html", by_renaming=True)


def resumable(text: str | None) -> str | None:
    """Check the target of `--checkpoint`, as that of `--report`; a bucket is tried as the run begins."""
    if text == "-":
        raise typer.BadParameter(
            "a checkpoint is read again and so needs a file; name one that ends in .json"
        )
    if text is None or "://" not in text:
        return text if text is None else _writable(text, ".json", by_renaming=True)
    if not text.lower().endswith(".json"):  # or a slip of the hand would cost a shard
        raise typer.BadParameter("the URL of a checkpoint ends in .json")
    return text


def _writable(text: str | None, ending: str, otherwise: str = "", *, by_renaming: bool = False) -> str:
    """Check a file to write.

    Its ending must be right, since a shell puts the first of several shards where `--json *.tar` stands.
    """
    if not text:
        raise typer.BadParameter(f"an empty name; name a file that ends in {ending}{otherwise}")
    if "://" in text:
        raise typer.BadParameter("this is a URL; name a file on a disk, and copy it from there")
    shown = printable(repr(text))
    try:
        _check_place(text)
        for path in (text, os.path.realpath(text)):
            if not path.lower().endswith(ending):
                raise typer.BadParameter(f"{printable(repr(path))} does not end in {ending}{otherwise}")
        _try(Path(text), by_renaming=by_renaming)
    except (OSError, ValueError) as error:  # ValueError: a NUL, or a character that no file name has
        why = getattr(error, "strerror", None) or error
        raise typer.BadParameter(f"{shown} cannot be written: {why}. Name another file") from error
    return text


def _check_place(text: str) -> None:
    target, shown = Path(text), printable(repr(text))
    if target.is_dir():
        raise typer.BadParameter(f"{shown} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise typer.BadParameter(f"the folder {printable(str(target.parent))} does not exist; make it first")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise typer.BadParameter(f"{shown} cannot be written; its folder, or it, is read-only")


def _try(target: Path, *, by_renaming: bool) -> None:
    """Open what will be written, and leave everything as it was; raises OSError.

    Permissions do not tell all: of a full name, /proc, or a link that leads nowhere only this does.
    """
    if target.exists() and not target.is_file():
        return  # a pipe waits for its reader
    opened = (
        target.with_name(f".{target.name}.{os.getpid()}") if by_renaming else Path(os.path.realpath(target))
    )
    try:
        os.close(os.open(opened, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        os.close(os.open(opened, os.O_WRONLY))
    else:
        opened.unlink()
