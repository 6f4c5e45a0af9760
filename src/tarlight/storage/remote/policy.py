"""How patient we are with a network: retries, waits and time-outs."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace


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

    def wait_s(self, num_retries: int) -> float:
        """Return how long to wait before the next repetition, after `num_retries` of them.

        Half of it is by chance, so that many readers that failed together do not come back together.
        """
        return self._longest_wait_s(num_retries) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)

    def within(self, total_s: float) -> RetryPolicy:
        """Return this policy with only as many repetitions as have waits that fit into `total_s` seconds."""
        count = 0
        while count < self.max_retries and total_s >= self._longest_wait_s(count):
            total_s -= self._longest_wait_s(count)
            count += 1
        return replace(self, max_retries=count)

    def _longest_wait_s(self, num_retries: int) -> float:
        return min(self.first_wait_s * 2.0 ** min(num_retries, 60), self.longest_wait_s)
