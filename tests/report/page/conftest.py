"""Pages in a browser."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from tarlight.inspect import survey, write_report
from tarlight.sample import write_sample
from tests.report.page.surveys import hostile_survey

WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    """Give the survey of a sample dataset with broken shards."""
    folder = tmp_path_factory.mktemp("report") / "paintings"
    write_sample(folder, num_images=60, num_shards=3, damage=True)
    return survey(folder, fields=("txt", "json"), num_threads=2)


@pytest.fixture(scope="session")
def page_file(found, tmp_path_factory) -> Path:
    """Give the page of that survey."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(found, path)
    return path


@pytest.fixture(scope="session")
def hostile_file(tmp_path_factory) -> Path:
    """Give the page of a survey full of hostile names."""
    path = tmp_path_factory.mktemp("page") / "hostile.html"
    write_report(hostile_survey(), path)
    return path


@pytest.fixture
def open_page(browser):
    """Give a function that opens a file; at the end nobody has complained and nothing was fetched."""

    @contextmanager
    def opened(path, *, size="desk", scheme="light", **options):
        width, height = WIDTHS[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        complaints, fetched = [], []
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: fetched.append(request.url))
        try:
            page.goto(path.as_uri())
            yield page
            fetched = [url for url in fetched if not url.startswith("data:")]
            assert (complaints, fetched) == ([], [path.as_uri()])
        finally:
            context.close()

    return opened
