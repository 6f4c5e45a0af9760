"""Programs run as people run them: in a terminal of their own, or with their output in pipes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Ran(NamedTuple):
    """What a program did."""

    code: int
    """Its exit code; negative for a signal."""
    out: str
    """Standard output; empty where a terminal got it."""
    err: str
    """Standard error, or everything that a terminal got."""


def run_in_pipes(arguments: Sequence[str], **environment: str) -> Ran:
    """Run Python with these arguments and no terminal."""
    ran = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=_environment(environment),
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def run_in_terminal(
    arguments: Sequence[str],
    *,
    columns: int = 100,
    interrupt_at: str = "",
    interrupt: signal.Signals = signal.SIGINT,
    stdout: int | None = None,
    **environment: str,
) -> Ran:
    """Run Python with these arguments in a terminal of `columns`.

    With `interrupt_at`, Ctrl-C is typed, or another signal sent, as soon as that text has been shown. With
    `stdout`, standard output goes to that file descriptor instead.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    child = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env=_environment({"TERM": "xterm-256color", **environment}),
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    with contextlib.suppress(OSError):  # the terminal's end: Linux says EIO
        while data := os.read(ours, 65536):
            shown += data.decode("utf-8", "replace")
            if interrupt_at and interrupt_at in shown:
                child.send_signal(interrupt)
                interrupt_at = ""
    os.close(ours)
    return Ran(child.wait(timeout=120), "", shown.replace("\r\n", "\n"))


def without_colours(text: str) -> str:
    """Return `text` without escape sequences."""
    return _ESCAPE.sub("", text)


def _environment(changes: dict[str, str]) -> dict[str, str]:
    """The environment of the tests without what decides about colours, and with `changes`."""
    deciding = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "LINES", "TARLIGHT_DEBUG"}
    return {key: value for key, value in os.environ.items() if key not in deciding} | changes
