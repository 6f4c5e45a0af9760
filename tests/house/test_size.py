"""Files are read in one sitting, functions in one glance."""

from __future__ import annotations

from statistics import median

from tests.corpus import REPOSITORY
from tests.house.source import body_lines, functions, source_files

MAX_FILE_LINES = 300
MAX_BODY_LINES = 40
MAX_MEDIAN_LINES = 8
LONGER_FILES: dict[str, str] = {}
"""Files that may be longer, with the reason."""


def test_files_are_read_in_one_sitting() -> None:
    """No source file is longer than 300 lines, but for those that are listed with a reason."""
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text(encoding="utf-8").splitlines())
        for path in source_files()
    }
    longer = {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES}
    assert longer.keys() == LONGER_FILES.keys(), longer


def test_functions_are_read_in_one_glance() -> None:
    """No function's body is longer than 40 lines."""
    long = [
        f"{path.relative_to(REPOSITORY)}:{function.lineno} {function.name}: {body_lines(function)} lines"
        for path in source_files()
        for function in functions(path)
        if body_lines(function) > MAX_BODY_LINES
    ]
    assert not long, "\n".join(long)


def test_half_of_the_functions_are_short() -> None:
    """The median function body has fewer than 8 lines."""
    lengths = [body_lines(function) for path in source_files() for function in functions(path)]
    assert median(lengths) < MAX_MEDIAN_LINES
