"""Exit codes, and the line on stderr that explains each.

0 done; 1 something was skipped or lost and `--strict` made it count; 2 usage, also shards or
options other than those of the checkpoint; 3 input missing or denied, or nothing could be read; 4 stopped by
an error, also a decoder that cannot be had here; 130 Ctrl-C; 143 SIGTERM.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from tarlight.cli.wording import in_options
from tarlight.errors import (
    ArgumentError,
    ArgumentTypeError,
    CheckpointMismatchError,
    InputError,
    TarlightError,
)
from tarlight.interrupt import was_terminated
from tarlight.report.label import printable
from tarlight.report.table import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

FINDINGS, USAGE, INPUT, STOPPED, INTERRUPTED, TERMINATED = 1, 2, 3, 4, 130, 143


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn what goes wrong inside into one line on stderr and a documented exit code.

    `TARLIGHT_DEBUG=1` shows the traceback as well; an error that is not one of ours always shows it.
    """
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        raise typer.Exit(TERMINATED if was_terminated.is_set() else INTERRUPTED) from None
    except BrokenPipeError:
        let_go_of_stdout()
        raise typer.Exit(STOPPED) from None
    except Exception as error:  # noqa: BLE001 (shown, and told by the exit code)
        _explain(error)
        raise typer.Exit(_exit_code(error)) from None


def let_go_of_stdout() -> None:
    """Whoever read our output has gone, which is theirs to decide: at exit Python must not flush to it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _exit_code(error: Exception) -> int:
    if isinstance(error, ArgumentError | ArgumentTypeError | CheckpointMismatchError):
        return USAGE
    return INPUT if isinstance(error, InputError) else STOPPED


def _explain(error: Exception) -> None:
    if sys.stderr is None:  # closed before Python began
        return
    known = isinstance(error, TarlightError | OSError)
    if not known or os.environ.get("TARLIGHT_DEBUG") == "1":
        traceback.print_exception(error)
    encoding = sys.stderr.encoding or "ascii"
    lines = [f"error: {_message(error)}" if known else f"error: {type(error).__name__}: {error}"]
    if _exit_code(error) == STOPPED:  # else the stage that found it out is of no interest
        lines += [f"  {note}" for note in getattr(error, "__notes__", ())]
    red, plain = ("\x1b[31m", "\x1b[0m") if _in_colour() else ("", "")
    for line in "\n".join(lines).splitlines():
        typer.echo(f"{red}{printable(line, encoding)}{plain}", file=sys.stderr, color=True)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, TarlightError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return in_options(error)


def _in_colour() -> bool:
    return is_terminal(sys.stderr) and not os.environ.get("NO_COLOR")
