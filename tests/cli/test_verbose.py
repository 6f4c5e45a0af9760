"""What `verbose=True` shows in a program of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.terminal import run_in_pipes, run_in_terminal, without_colours

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = """
import sys
from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline

def stream(**options):
    pipeline = Pipeline(name="mine")
    pipeline.add_stage(FilePartitioningStage(sys.argv[1]))
    pipeline.add_stage(ImageReaderStage(**options))
    return pipeline.stream()

"""


def test_verbose_shows_the_ledger_on_stderr(sound: str) -> None:
    """A verbose reader, which is the default, prints the ledger on stderr and nothing on stdout."""
    ran = run_in_pipes(["-c", _PROGRAM + "list(stream())", sound])
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("finished: 12 of 12 images delivered")


def test_a_quiet_reader_prints_nothing(sound: str) -> None:
    """With `verbose=False` neither stream gets anything."""
    assert run_in_pipes(["-c", _PROGRAM + "list(stream(verbose=False))", sound]) == (0, "", "")


@pytest.mark.parametrize("ending", ["break", "raise KeyError('mine')"])
def test_leaving_early_prints_the_ledger(long_dataset: Path, ending: str) -> None:
    """A loop that is left, by break or by an exception, prints the ledger of the stopped run."""
    code = f"with stream() as batches:\n  for batch in batches:\n    {ending}"
    ran = run_in_pipes(["-c", _PROGRAM + code, str(long_dataset)])
    assert ran.err.count("stopped: ") == 1
    assert "every image and byte accounted for" in ran.err


def test_ctrl_c_in_a_program_leaves_the_terminal_clean(long_dataset: Path) -> None:
    """Ctrl-C in a program of one's own wipes the display and prints the ledger before the traceback."""
    code = "with stream() as batches:\n  for batch in batches: pass"
    ran = run_in_terminal(["-c", _PROGRAM + code, str(long_dataset)], interrupt_at="/4,000 shards")
    shown = without_colours(ran.err)
    assert shown.index("stopped: ") < shown.index("KeyboardInterrupt")
    assert shown.count("stopped: ") == 1
