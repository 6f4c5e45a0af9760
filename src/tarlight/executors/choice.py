"""Which executor runs a pipeline when none is given."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tarlight.argument import check_choice
from tarlight.executors.local import LocalExecutor
from tarlight.executors.ray import RayExecutor

if TYPE_CHECKING:
    from tarlight.executors.base import Executor

NAMES = ("local", "ray")
"""What `TARLIGHT_EXECUTOR` and `--executor` may be."""

VARIABLE = "TARLIGHT_EXECUTOR"
"""Environment variable that names the executor for programs that give none."""


def make_executor(name: str | None = None, address: str | None = None) -> Executor:
    """Return the executor of this name, or of the one in `TARLIGHT_EXECUTOR`, else the local one.

    Args:
        name: `local` or `ray`.
        address: of the Ray cluster, see `RayExecutor`.

    Raises:
        ArgumentError: there is no executor of this name.
        ClusterError: it is `ray`, which is not installed.
    """
    chosen = check_choice("executor", name, NAMES) if name else _from_environment()
    return RayExecutor(address) if chosen == "ray" else LocalExecutor()


def _from_environment() -> str:
    return check_choice(VARIABLE, os.environ.get(VARIABLE) or "local", NAMES)
