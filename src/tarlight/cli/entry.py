"""The entry point: light to import, so that Ctrl-C meets `main` and not a half-imported typer."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, and leave the process with one of the documented exit codes."""
    try:
        from tarlight.cli.app import app  # noqa: PLC0415 (slow to import)
        from tarlight.cli.exit_code import let_go_of_stdout  # noqa: PLC0415

        try:
            app(prog_name="tarlight")
        except SystemExit as leaving:
            # Outside the commands' own handling, typer and rich leave so when help has lost its reader.
            if not isinstance(leaving.__context__, BrokenPipeError):
                raise
            let_go_of_stdout()
    except KeyboardInterrupt:  # outside a command's own handling
        sys.exit(130)
    sys.exit(0)
