"""One request that is made again as a whole, for answers that are small."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from tarlight.storage.remote.failure import error_for
from tarlight.storage.remote.loop import submit
from tarlight.storage.remote.wire import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tarlight.storage.remote.policy import RetryPolicy

T = TypeVar("T")


def insist(request: Callable[[], Coroutine[Any, Any, T]], policy: RetryPolicy, url: str) -> T:
    """Make a request until it succeeds, and return its answer.

    Raises:
        TarlightError: it failed for good, or too often.
    """
    num_retries = 0
    while True:
        try:
            return submit(request()).result()
        except Fault as fault:
            wait_or_raise(fault, policy, num_retries, url)
            num_retries += 1


def wait_or_raise(fault: Fault, policy: RetryPolicy, num_retries: int, url: str) -> None:
    """Wait before a request is repeated, or raise our error where it is not worth it."""
    if not fault.is_transient or num_retries >= policy.max_retries:
        raise error_for(fault, url) from None
    time.sleep(fault.retry_after_s or policy.wait_s(num_retries))
