"""What the documentation shows, runs."""

from __future__ import annotations

import ast
import json
import re
import signal
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import tarlight
from tarlight.sample import write_sample
from tests.corpus import REPOSITORY
from tests.house.source import source_files, syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LITERAL = re.compile(r"::\n\n((?:[ ]+[^\n]*\n|\n)+)")


class Example(NamedTuple):
    """Some lines of Python in the documentation."""

    place: str
    line: int
    code: str


def _page_examples(page: Path) -> list[Example]:
    text = page.read_text(encoding="utf-8")
    return [
        Example(str(page), text[: fence.start()].count("\n") + 2, fence[2])
        for fence in _FENCE.finditer(text)
        if fence[1].strip() == "python"
    ]


def _docstring_examples(path: Path) -> list[Example]:
    """Literal blocks of docstrings (after `::`), but for drawings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    texts = [
        (ast.get_docstring(node) or "", getattr(node, "lineno", 1))
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, documented)
    ]
    return [
        Example(str(path), line, textwrap.dedent(block[1]))
        for text, line in texts
        for block in _LITERAL.finditer(text + "\n")
        if "──" not in block[1]
    ]


@pytest.fixture(autouse=True)
def _sigterm() -> Iterator[None]:
    """Take back what an example does at SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the datasets that examples name, below an empty working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("build/sample", "shards"):
        write_sample(tmp_path / name, num_images=20, num_shards=2)
    return tmp_path / "shards"


@pytest.fixture
def stores(request: pytest.FixtureRequest, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Put the dataset where examples say it is; give what stands for the names that they call theirs."""
    s3, azure, web = map(request.getfixturevalue, ("s3", "azure", "web"))
    for shard in dataset.glob("*.tar"):
        for server in (s3.beside("mybucket"), azure.beside("mycontainer"), web):
            server.put(f"shards/{shard.name}", shard.read_bytes())
    account = azure.storage_options
    oauth = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    Path("service_account.json").write_text(
        json.dumps({"gcs_base_url": s3.address, **oauth}), encoding="utf-8"
    )
    for name, value in {
        "AWS_ACCESS_KEY_ID": s3.storage_options["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": s3.storage_options["secret_access_key"],
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3.address,
        "GOOGLE_BASE_URL": s3.address,
        "AZURE_STORAGE_ENDPOINT": account["endpoint"],
    }.items():
        monkeypatch.setenv(name, value)
    return {
        "https://s3.example.org": s3.address,
        "https://data.example.org": web.url(),
        "myaccount": account["account_name"],
        "my-account-key": account["account_key"],
    }


def _run(example: Example, names: dict[str, Any], dataset: Path, meant: dict[str, str] | None = None) -> None:
    code = example.code.replace("/path/to/tar_dataset", str(dataset))
    for written, real in (meant or {}).items():
        code = code.replace(written, real)
    exec(compile("\n" * (example.line - 1) + code, example.place, "exec"), names)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_python_block_of_a_page_runs(page: Path, dataset: Path, request: pytest.FixtureRequest) -> None:
    """The Python blocks of a page run one after the other, as a reader would type them."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for example in _page_examples(page):
        meant = request.getfixturevalue("stores") if "s3://" in example.code else None
        _run(example, names, dataset, meant)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_no_python_block_is_kept_from_running(page: Path) -> None:
    """No block is marked as Python in a way that leaves it out of the tests."""
    marks = {fence[1].strip() for fence in _FENCE.finditer(page.read_text(encoding="utf-8"))}
    assert not {mark for mark in marks if mark != "python" and mark.startswith(("py", "Py"))}


def test_the_readme_shows_how_to_load_shards() -> None:
    """The README has Python to run."""
    assert _page_examples(REPOSITORY / "README.md")


@pytest.mark.parametrize("path", [p for p in source_files() if _docstring_examples(p)], ids=lambda p: p.stem)
def test_every_example_of_a_docstring_runs(path: Path, dataset: Path) -> None:
    """The examples in a module's docstrings run with tarlight's short names at hand."""
    names = {name: getattr(tarlight, name) for name in tarlight.__all__}
    for example in _docstring_examples(path):
        _run(example, dict(names), dataset)
