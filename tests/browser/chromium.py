"""The system's Chromium, driven by Playwright. Without one, tests that use it are skipped and say so."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.corpus import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

SHOTS = REPOSITORY / "build" / "report-page"
"""Where screenshots are kept, to be looked at."""


def find_chromium() -> str | None:
    """Return the program, or None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium that finds no host on any network."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium; `make setup` as root installs it, see tests/browser/setup.sh")
    playwright_api = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright; `make setup` installs it"
    )
    options = ["--host-resolver-rules=MAP * ~NOTFOUND"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Give the folder for screenshots."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS


def pytest_report_header() -> str:
    """Say which browser this run uses."""
    return f"browser: {find_chromium() or 'none, so the tests that need it are skipped'}"
