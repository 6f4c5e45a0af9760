"""The corpus of real files: `TARLIGHT_CORPUS`, or `../shared/corpus` beside the repository.

Without a corpus the tests that need one are deselected, and the header says so. A corpus that was named, or
that should be there, and cannot be used is an error.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
_FOLDERS = ("photos", "odd_jpegs", "bad_jpegs", "mixed", "tars")


def find_corpus() -> Path | None:
    """Return the corpus's folder, or None where there is none. Raises `UsageError` for an unusable one."""
    shared = REPOSITORY.parent / "shared"
    named = os.environ.get("TARLIGHT_CORPUS")
    folder = Path(named) if named else shared / "corpus"
    if not named and not folder.exists() and not (os.environ.get("CI") == "true" and shared.exists()):
        return None
    missing = [name for name in _FOLDERS if not any((folder / name).glob("*"))]
    if missing:
        raise pytest.UsageError(f"the corpus at {folder} cannot be used: no files in {', '.join(missing)}")
    return folder.resolve()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Give the folder of the corpus."""
    folder = find_corpus()
    assert folder is not None, "tests that use the corpus are deselected without one"
    return folder


def pytest_report_header() -> str:
    """Say which corpus this run uses."""
    folder = find_corpus()
    return f"corpus: {folder or 'none, so the tests that need it are deselected (set TARLIGHT_CORPUS)'}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that use the corpus, and leave them out where there is none."""
    users = {item: None for item in items if _uses_corpus(item)}
    for item in users:
        item.add_marker("corpus")
    if users and find_corpus() is None:
        config.hook.pytest_deselected(items=list(users))
        items[:] = [item for item in items if item not in users]


def _uses_corpus(item: pytest.Item) -> bool:
    return item.get_closest_marker("corpus") is not None or "corpus" in getattr(item, "fixturenames", ())
