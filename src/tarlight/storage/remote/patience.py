"""How often a request is repeated, and how long to wait before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.storage.remote.wire import Fault, FaultKind

if TYPE_CHECKING:
    from tarlight.storage.remote.origin import Origin
    from tarlight.storage.remote.policy import RetryPolicy

MAX_RETRY_AFTER_S = 60.0
"""Longest wait that a server's `Retry-After` gets."""

TOTAL_RETRIES = 10
"""Repetitions of one range in all, as a multiple of those that bring no new byte."""

UNREACHABLE_RETRIES = 2
"""Repetitions for a host that has never answered: a wrong name should be known in a second."""


class Patience:
    """How often one range was asked for in vain."""

    def __init__(self, policy: RetryPolicy, origin: Origin) -> None:
        self.num_whole = 0
        """Answers that were whole objects."""
        self._policy = policy
        self._origin = origin
        self._in_vain = 0
        self._in_all = 0

    def wait_s(self, fault: Fault, *, has_progress: bool) -> float:
        """Return how long to wait before the next attempt.

        Raises:
            Fault: there shall be none.
        """
        policy = self._policy
        self._in_vain = 1 if has_progress else self._in_vain + 1
        self._in_all += 1
        if self._in_vain > self._allowed(fault) or self._in_all > TOTAL_RETRIES * policy.max_retries:
            raise self._exhausted(fault)
        asked = min(fault.retry_after_s or 0.0, MAX_RETRY_AFTER_S)
        return max(asked, policy.wait_s(self._in_vain - 1))

    def _allowed(self, fault: Fault) -> int:
        if fault.kind is FaultKind.UNREACHABLE and not self._origin.has_answered:
            return min(UNREACHABLE_RETRIES, self._policy.max_retries)
        is_worth_it = fault.is_transient or fault.kind is FaultKind.UNREACHABLE
        return self._policy.max_retries if is_worth_it else 0

    def _exhausted(self, fault: Fault) -> Fault:
        if self._in_all == 1:
            return fault
        detail = f"{fault.detail}, after {self._in_all} attempts"
        return Fault(fault.kind, detail, status=fault.status, retry_after_s=fault.retry_after_s)
