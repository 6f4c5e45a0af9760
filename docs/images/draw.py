"""Draws the README's picture of a terminal from a real run: `python docs/images/draw.py`."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
COLUMNS = 100


def main() -> None:
    """Write a sample with damage, load it in a terminal, and keep what the terminal showed."""
    with tempfile.TemporaryDirectory() as folder:
        tarlight = Path(sys.executable).with_name("tarlight")
        subprocess.run([tarlight, "sample", "shards", "--images", "800", "--damage"], cwd=folder, check=True)
        command = [str(tarlight), "load", "shards", "--fields", "txt,json"]
        shown = run_in_terminal(command, folder)
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    console.print(Text.assemble(("$ ", "bold green"), " ".join(["tarlight", *command[1:]])))
    console.print(Text.from_ansi(without_live_display(shown)))
    picture = console.export_svg(title="tarlight")
    without_fonts = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # they come from the network
    (HERE / "load.svg").write_text(without_fonts, encoding="utf-8")


def run_in_terminal(command: list[str], folder: str) -> str:
    """What a terminal of `COLUMNS` columns gets to see."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "LINES": "50", "TERM": "xterm-256color"}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=theirs, stdout=theirs) as process:
        os.close(theirs)
        parts = list(iter(lambda: read(ours), b""))
        process.wait()
    return b"".join(parts).decode()


def read(terminal: int) -> bytes:
    """Some bytes; none when the other side has closed (Linux says EIO then)."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def without_live_display(shown: str) -> str:
    """The ledger: what stands after the last line that the live display wiped."""
    return shown.rpartition("\x1b[2K")[2].replace("\r", "")


if __name__ == "__main__":
    main()
