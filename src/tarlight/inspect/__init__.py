"""Questions about a dataset: is it sound (`check`), what is in it (`peek`), what holds up a run (`explain`).

The names are imported when they are first used: `tarlight --help` needs neither numpy nor a decoder.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tarlight.inspect.checking.finding import Finding, Findings
    from tarlight.inspect.checking.kind import Kind, Severity
    from tarlight.inspect.checking.run import Checking, check
    from tarlight.inspect.explaining.run import Explanation, explain
    from tarlight.inspect.peeking.look import Glimpse, peek

__all__ = [
    "Checking",
    "Explanation",
    "Finding",
    "Findings",
    "Glimpse",
    "Kind",
    "Severity",
    "check",
    "explain",
    "peek",
]

_HOMES = {
    "Checking": "tarlight.inspect.checking.run",
    "Explanation": "tarlight.inspect.explaining.run",
    "Finding": "tarlight.inspect.checking.finding",
    "Findings": "tarlight.inspect.checking.finding",
    "Glimpse": "tarlight.inspect.peeking.look",
    "Kind": "tarlight.inspect.checking.kind",
    "Severity": "tarlight.inspect.checking.kind",
    "check": "tarlight.inspect.checking.run",
    "explain": "tarlight.inspect.explaining.run",
    "peek": "tarlight.inspect.peeking.look",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tarlight.inspect' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
