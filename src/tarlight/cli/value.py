"""Reads the values of options, and refuses those that cannot work before anything is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import typer

from tarlight.report.label import printable
from tarlight.storage import is_option_name

if TYPE_CHECKING:
    from collections.abc import Callable


class TypedFraction(float):
    """A fraction that shows itself as it was typed, `1%` or `0.01`, in whatever error names it.

    It pickles as the plain number.
    """

    _typed: str

    def __new__(cls, typed: str) -> Self:
        """Read a number, or a number of percent; raises ValueError."""
        number = float(typed.removesuffix("%"))
        fraction = super().__new__(cls, number / 100 if typed.endswith("%") else number)
        fraction._typed = typed
        return fraction

    def __str__(self) -> str:
        return self._typed

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)


def whole_number(least: int | None = None, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number from `least` to `most`: what typer says speaks of neither."""
    allowed = "a whole number"
    if least is not None:
        allowed += f" of at least {least}" if most is None else f" from {least} to {most}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise _not(text, allowed) from None
        if (least is not None and number < least) or (most is not None and number > most):
            raise _not(text, allowed)
        return number

    return read


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise _not(text, "a number") from None


def count_or_fraction(text: str) -> float:
    """Read `--max-failures`: `10` is a count, `0.01` and `1%` are fractions."""
    try:
        return int(text) if text.isdecimal() else TypedFraction(text)
    except ValueError:
        raise _not(text, "a count (10) or a fraction (0.01 or 1%)") from None


def _not(text: str, allowed: str) -> typer.BadParameter:
    return typer.BadParameter(f"give {allowed}, not {printable(repr(text))}")


def storage_options(pairs: list[str] | None) -> dict[str, Any] | None:
    """Read `--storage-option name=value`; a value that begins like a JSON object or list is one.

    Errors do not show the value, which may be a credential.
    """
    options: dict[str, Any] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise _bad_option(_without_value(pair))
        if name in options:
            raise _bad_option(f"{name} is given twice")
        options[name] = _value(name, value)
    return options or None


def _value(name: str, text: str) -> Any:
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise _bad_option(f"the value of {name} begins like JSON and is none") from None


def _without_value(pair: str) -> str:
    """What to say of a text that is no pair; it is shown where it is the name of an option."""
    if is_option_name(pair):
        return f"{pair} has no value: give {pair}=..."
    return "give name=value, such as anon=true (what was given is not shown)"


def _bad_option(what: str) -> typer.BadParameter:
    return typer.BadParameter(what, param_hint="'--storage-option'")
