"""What files say: every test its truth, no file a path of somebody's machine, the changelog the version."""

from __future__ import annotations

import ast
import re

import pytest

from tests.corpus import REPOSITORY
from tests.house.source import all_files, files_of_tests, functions, project, source_files

# Written in pieces, so that this file does not hold what it forbids.
_FORBIDDEN = re.compile(
    "|".join(
        (
            "/wo" + "rk/",
            "/tm" + r"p/v\b",
            "/ro" + "ot/",
            "/ho" + r"me/\w",
            "py" + r"pi\.(org|python)",
            "python" + r"hosted\.org",
            "npm" + r"js\.(org|com)",
            "--(extra-)?index" + "-url",
        )
    )
)


def _tests() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (f"{path.relative_to(REPOSITORY)}:{function.lineno}", function)
        for path in files_of_tests()
        for function in functions(path)
        if function.name.startswith("test_") and function.args.kwarg is None
    ]


def test_every_test_states_its_truth_in_one_sentence() -> None:
    """Each test function has a docstring of one paragraph that ends with a full stop."""
    silent = []
    for where, function in _tests():
        text = ast.get_docstring(function) or ""
        if not text.endswith(".") or "\n\n" in text:
            silent.append(f"{where} {function.name}")
    assert not silent, "\n".join(silent)


def test_no_file_names_a_machine_or_a_registry() -> None:
    """No file of the project holds a path of somebody's machine or the host of a package registry."""
    found = []
    for path in all_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(REPOSITORY)}: {hit[0]}" for hit in _FORBIDDEN.finditer(text)]
    assert not found, "\n".join(found)


def test_no_module_is_a_drawer_for_anything() -> None:
    """No source module is called utils, helpers, common or manager."""
    drawers = {"util", "utils", "helper", "helpers", "common", "manager", "misc"}
    assert drawers.isdisjoint(part for path in source_files() for part in (path.stem, path.parent.name))


def test_the_changelog_tells_of_this_version() -> None:
    """CHANGELOG.md has a section for the version in pyproject.toml, with something in it."""
    version = re.escape(project()["project"]["version"])
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {version}\b.*?\n(.+?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert "- " in section[1]


def _required() -> list[str]:
    tables = project()["project"]
    lists = [tables["dependencies"], *tables["optional-dependencies"].values()]
    return sorted(
        {re.split(r"[^\w.-]", requirement)[0] for requirements in lists for requirement in requirements}
    )


@pytest.mark.parametrize("name", _required())
def test_every_dependency_is_pinned(name: str) -> None:
    """constraints.txt pins each dependency and each tool to one exact version."""
    pins = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    assert re.search(rf"^{re.escape(name.lower().replace('_', '-'))}==[\w.]+( ;.*)?$", pins, re.MULTILINE)
