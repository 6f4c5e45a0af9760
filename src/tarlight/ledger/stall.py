"""A shard that is waited for."""

from __future__ import annotations

from typing import NamedTuple


class Stall(NamedTuple):
    """A shard of which nothing comes at this moment."""

    seconds: float
    """Since the run began to wait for its next byte."""
    shard: str
    """Path or URL, without a query."""
    num_retries: int = 0
    """How often requests for it have been repeated so far."""
    cause: str = ""
    """Why the last one was; empty without any."""
