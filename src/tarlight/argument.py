"""Checks of arguments: each error names the argument, what it got and what is allowed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tarlight.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def check_int(name: str, value: Any, *, minimum: int) -> int:
    """Return `value` when it is an int (not a bool) of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentTypeError(f"{name} must be an int, got {value!r}")
    if value < minimum:
        raise ArgumentError(f"{name} must be at least {minimum}, got {value}")
    return value


def check_number(name: str, value: Any, *, minimum: float, maximum: float | None = None) -> float:
    """Return `value` when it is an int or float from `minimum` to `maximum`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentTypeError(f"{name} must be a number, got {value!r}")
    if not value >= minimum or (maximum is not None and value > maximum):
        allowed = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise ArgumentError(f"{name} must be {allowed}, got {value}")
    return value


def check_bool(name: str, value: Any) -> bool:
    """Return `value` when it is a bool."""
    if not isinstance(value, bool):
        raise ArgumentTypeError(f"{name} must be True or False, got {value!r}")
    return value


def check_text(name: str, value: Any) -> str:
    """Return `value` when it is a str that is not empty."""
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be a str, got {value!r}")
    if not value:
        raise ArgumentError(f"{name} must not be empty")
    return value


def check_path(name: str, value: Any) -> str:
    """Return `value` as text when it is a path as str or os.PathLike that is not empty."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise ArgumentTypeError(f"{name} must be a path as str or os.PathLike, got {value!r}")
    if not text or "\0" in text:
        raise ArgumentError(f"{name} must be a path, got {text!r}")
    return text


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """Return `value` when it is one of `choices`."""
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be a str, got {value!r}")
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise ArgumentError(f"{name} must be one of {known}, got {value!r}{did_you_mean(value, choices)}")
    return value


def nearest(word: str, known: Iterable[str], most: int) -> list[str]:
    """Return those of `known` that are spelled most like `word`, the nearest first, at most `most`."""
    import difflib  # noqa: PLC0415 (only errors need it)

    spelled = {text.lower(): text for text in known}
    return [spelled[text] for text in difflib.get_close_matches(word.lower(), spelled, n=most)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return what to add to the error for an unknown word: the nearest one that is known, if one is near."""
    near = nearest(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def check_texts(name: str, value: Any) -> tuple[str, ...]:
    """Return `value` as a tuple of strings; one string stands for itself."""
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ArgumentTypeError(f"{name} must be a str or a list of str, got {value!r}")
    if not all(texts):
        raise ArgumentError(f"{name} must not contain an empty text, got {value!r}")
    return tuple(texts)
