"""The entry point: light to import, so that Ctrl-C meets `main` and not a half-imported typer."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from typing import NoReturn

from tarlight.interrupt import terminate, was_terminated


def main() -> NoReturn:
    """Run the command line, and leave the process with one of the documented exit codes."""
    try:
        signal.signal(signal.SIGTERM, terminate)
        from tarlight.cli.app import app  # noqa: PLC0415 (slow to import)
        from tarlight.cli.exit_code import let_go_of_stdout  # noqa: PLC0415

        try:
            app(prog_name="tarlight")
        except SystemExit as leaving:
            # Outside the commands' own handling, typer and rich leave so when help has lost its reader.
            if not isinstance(leaving.__context__, BrokenPipeError):
                is_terminated = was_terminated.is_set() or leaving.code == signal.SIGTERM  # Ray says so
                _leave(143 if is_terminated else leaving.code)
            let_go_of_stdout()
    except KeyboardInterrupt:  # outside a command's own handling
        _leave(143 if was_terminated.is_set() else 130)
    _leave(0)


def _leave(code: object) -> NoReturn:
    """End the process.

    A thread of the client library for object stores that is about to tell Python's event loop something while
    the interpreter is being taken down would abort the process: so it is not taken down.
    """
    if "obstore" not in sys.modules or not isinstance(code, int | None):
        raise SystemExit(code)
    atexit._run_exitfuncs()  # noqa: SLF001 (what sys.exit would do)
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        os._exit(code or 120)  # as Python does when what it had to say cannot be written
    os._exit(code or 0)
