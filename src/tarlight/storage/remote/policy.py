"""How patient we are with a network: retries, waits and time-outs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to ask again, and when to give up. Immutable and picklable."""

    max_retries: int = 6
    """Repetitions of one range that brings no new byte, after the first attempt; 0 gives up at once."""

    first_wait_s: float = 0.2
    """Seconds before the first repetition, before jitter; each wait after it is twice as long."""

    longest_wait_s: float = 10.0
    """Seconds that no wait exceeds, before jitter."""

    read_timeout_s: float = 30.0
    """Seconds without a byte after which an answer counts as stalled. No limit for a whole request: shards
    are large and networks slow."""

    connect_timeout_s: float = 10.0
    """Seconds for making a connection, TLS included."""
