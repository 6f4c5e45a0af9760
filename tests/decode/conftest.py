"""Where the corpus lies, and the image that many tests look at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.decode.contract")

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Give the folder of the corpus; a corpus that should be there and is not fails the test under CI."""
    shared = REPOSITORY.parent / "shared"
    folder = Path(os.environ.get("TARLIGHT_CORPUS") or shared / "corpus")
    if not folder.exists():
        assert not (os.environ.get("CI") == "true" and shared.exists()), f"no corpus at {folder}"
        pytest.skip(f"no corpus at {folder}")
    return folder
