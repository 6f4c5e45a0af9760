"""Times and retries as obstore's options write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.storage.remote.policy import RetryPolicy

_UNITS = {
    "ms": 0.001, "msec": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0,
    "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
_SPAN = re.compile(r"\s*(\d+)\s*([a-z]+)\s*")
_ALLOWED = "seconds as a number, a timedelta, or text like '30s' or '2min 30s'"


def seconds(name: str, value: Any) -> float:
    """Return a time span in seconds, more than 0.

    Raises:
        ArgumentError: not positive, or text that is no time span.
        ArgumentTypeError: neither number, timedelta nor text.
    """
    if isinstance(value, timedelta):
        found = value.total_seconds()
    elif isinstance(value, str):
        found = _from_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value)
    else:
        raise ArgumentTypeError(f"{name} must be {_ALLOWED}, got {type(value).__name__}")
    if not 0 < found < float("inf"):
        raise ArgumentError(f"{name} must be {_ALLOWED}, more than 0")
    return found


def _from_text(text: str) -> float:
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    spans = _SPAN.findall(text)
    if not spans or _SPAN.sub("", text) or any(unit not in _UNITS for _, unit in spans):
        return 0.0
    return sum(int(number) * _UNITS[unit] for number, unit in spans)


def retry_policy(config: Mapping[str, Any]) -> RetryPolicy:
    """Return obstore's `retry_config` as our own: `max_retries`, `retry_timeout`, `backoff`.

    `retry_timeout` bounds the retries whose waits fit into it, `backoff` has `init_backoff`, `max_backoff`.

    Raises:
        ArgumentError: an unknown name, or a value that is not allowed.
        ArgumentTypeError: a value of the wrong type.
    """
    _check_names("retry_config", config, ("backoff", "max_retries", "retry_timeout"))
    backoff = config.get("backoff", {})
    if not isinstance(backoff, Mapping):
        raise ArgumentTypeError("storage_options: retry_config: backoff must be a mapping")
    _check_names("retry_config: backoff", backoff, ("init_backoff", "max_backoff"))
    usual = RetryPolicy()
    policy = RetryPolicy(
        max_retries=_count(config.get("max_retries", usual.max_retries)),
        first_wait_s=_span(backoff, "init_backoff", usual.first_wait_s),
        longest_wait_s=_span(backoff, "max_backoff", usual.longest_wait_s),
    )
    if "retry_timeout" not in config:
        return policy
    return policy.within(_span(config, "retry_timeout", 0.0))


def _span(mapping: Mapping[str, Any], name: str, usual: float) -> float:
    return seconds(f"storage_options: retry_config: {name}", mapping[name]) if name in mapping else usual


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentTypeError("storage_options: retry_config: max_retries must be an int")
    if value < 0:
        raise ArgumentError("storage_options: retry_config: max_retries must be 0 or more")
    return value


def _check_names(name: str, mapping: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(str(key) for key in mapping if key not in known)
    if unknown:
        raise ArgumentError(
            f"storage_options: {name}: unknown: {', '.join(unknown)}. Known: {', '.join(known)}"
        )
