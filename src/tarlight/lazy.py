"""Names of a package that are imported when they are first used, so that importing it stays cheap."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_names(
    package: str, scope: dict[str, Any], homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` (PEP 562) of a package.

    Args:
        package: its name, for the error.
        scope: its `globals()`; a name that was imported is kept there.
        homes: name -> module that defines it.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = scope[name] = getattr(importlib.import_module(homes[name]), name)
        return value

    return get, lambda: sorted({*scope, *homes})
