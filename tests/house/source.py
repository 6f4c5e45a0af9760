"""What the house checks look at: the project's files, and their syntax trees."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.corpus import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS = ("src", "tests", "docs", "bench", "compat", ".ci")
_LEFT_OUT = ("__pycache__", ".egg-info", "build", ".git")


def source_files() -> list[Path]:
    """Return every Python file of the packages that are installed."""
    roots = (REPOSITORY / "src", REPOSITORY / "compat")
    return sorted(path for root in roots for path in root.rglob("*.py") if _is_ours(path))


def files_of_tests() -> list[Path]:
    """Return every file of tests."""
    return sorted((REPOSITORY / "tests").rglob("test_*.py"))


def all_files() -> list[Path]:
    """Return every file that is ours, of whatever kind."""
    inside = [path for folder in _FOLDERS for path in (REPOSITORY / folder).rglob("*")]
    return sorted(path for path in [*REPOSITORY.iterdir(), *inside] if path.is_file() and _is_ours(path))


@cache
def syntax_tree(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a Python file."""
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function's body has, without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


@cache
def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(REPOSITORY).parts
    return not any(part.endswith(left_out) for part in parts for left_out in _LEFT_OUT)
