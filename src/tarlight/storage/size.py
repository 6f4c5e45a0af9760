"""Sizes in bytes, as numbers or as text."""

from __future__ import annotations

import re

from tarlight.errors import ArgumentError, ArgumentTypeError

_UNITS: dict[str, int] = {"": 1, "b": 1} | {
    f"{letter}{ending}": base**power
    for power, letter in enumerate("kmgtp", start=1)
    for ending, base in (("", 1000), ("b", 1000), ("i", 1024), ("ib", 1024))
}
_TEXT = re.compile(r"\s*(\d+)(?:\.(\d+))?\s*([A-Za-z]*)\s*", re.ASCII)
_ALLOWED = 'bytes as an int, or text like "128MB" (1000s), "128MiB" (1024s), "1.5GiB" or "1048576"'


def parse_size(value: int | str, argument: str = "blocksize") -> int:
    """Return a size in bytes, at least 1.

    Text is a decimal number and a unit in any case, with or without space between them: k, M, G, T, P (and
    kB, MB, ...) count in thousands, Ki, Mi, ... (and KiB, MiB, ...) in 1024s, after IEC 80000-13. A fraction
    of a byte is dropped.

    Raises:
        ArgumentError: not positive, or text that is no size; the message names `argument`.
        ArgumentTypeError: neither int nor text.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ArgumentTypeError(f"{argument} must be {_ALLOWED}; got {value!r} ({type(value).__name__})")
    size = value if isinstance(value, int) else _from_text(value, argument)
    if size < 1:
        raise ArgumentError(f"{argument} must be at least 1 byte, got {value!r}: pass {_ALLOWED}")
    return size


def _from_text(text: str, argument: str) -> int:
    parts = _TEXT.fullmatch(text)
    unit = _UNITS.get(parts[3].lower()) if parts else None
    if parts is None or unit is None:
        raise ArgumentError(f"{argument} must be {_ALLOWED}; got {text!r}")
    decimals = parts[2] or ""
    scale: int = 10 ** len(decimals)
    return int(parts[1] + decimals) * unit // scale
