"""How the README of the compat distribution says to install it."""

from __future__ import annotations

import re
import tomllib

from tests.corpus import REPOSITORY


def test_the_documented_command_installs_what_it_needs_from_here() -> None:
    """Run in the root, it names tarlight itself, so that no package index is asked for that."""
    text = (REPOSITORY / "compat/nemo_curator/README.md").read_text(encoding="utf-8")
    command = re.search(r"^pip install (.*)$", text, re.MULTILINE)
    assert command is not None
    files = [REPOSITORY / folder / "pyproject.toml" for folder in command[1].split()]
    projects = [tomllib.loads(file.read_text(encoding="utf-8"))["project"] for file in files]
    here = {f"{project['name']}=={project['version']}" for project in projects}
    compat = next(project for project in projects if project["name"] == "tarlight-nemo-compat")
    assert set(compat["dependencies"]) <= here
