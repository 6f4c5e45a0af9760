"""Figures as people read them: thousands separated, bytes and times in fitting units."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def count(number: float) -> str:
    """1234567 -> `1,234,567`."""
    return f"{number:,.0f}"


def plural(number: int, noun: str) -> str:
    """1 -> `1 shard`, 2 -> `2 shards`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def num_bytes(number: float) -> str:
    """1234567 -> `1.23 MB` (1 MB is 1,000,000 bytes), always with three digits that count."""
    if number < 1000:  # noqa: PLR2004 (the step between units)
        return f"{number:.0f} B"
    value, unit = number, "B"
    for unit in _UNITS:  # noqa: B007 (used after the loop)
        value /= 1000
        if value < 999.5:  # noqa: PLR2004 (rounds to 1000)
            break
    return f"{digits(value)} {unit}"


def digits(value: float) -> str:
    """Three digits that count: `1.23`, `12.3`, `123`, `1,234`; and `0`."""
    if value == 0:
        return "0"
    if value < 9.995:  # noqa: PLR2004 (rounds to 10.0)
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"  # noqa: PLR2004 (rounds to 100)


def rate(amount: float, seconds: float) -> float:
    """Amount per second; 0 where no time has passed."""
    return amount / seconds if seconds > 0 else 0.0


def duration(seconds: float) -> str:
    """0.534 -> `0.53 s`, 125 -> `2:05`."""
    return f"{digits(seconds)} s" if seconds < 59.5 else clock(seconds)  # noqa: PLR2004 (rounds to a minute)


def clock(seconds: float) -> str:
    """3725 -> `1:02:05`, 125 -> `2:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
