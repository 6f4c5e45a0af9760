"""How long a run that has no worker waits for the cluster to place one.

Ray lets a request that no node can meet wait for ever, since a node that can might still come: an autoscaler
needs minutes for that. So a run waits too, but not for ever.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from tarlight.errors import WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tarlight.executors.ray.member import Member
    from tarlight.executors.ray.request import Node, Request

log = logging.getLogger(__name__)

_FIRST_WARNING_S = 10.0
_WARN_EVERY_S = 60.0


class Placement:
    """Looks at how long no worker has been placed. For one thread.

    Args:
        timeout_s: how long that may last.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._since: float | None = None
        self._warn_at = 0.0

    def check(
        self, members: Sequence[Member], request: Request, find_nodes: Callable[[], Sequence[Node]]
    ) -> None:
        """Look again.

        Raises:
            WorkerLostError: there has been no worker for too long. One that sets its stages up is there.
        """
        now = time.monotonic()
        if not members or any(member.is_ready or member.handle.is_placed for member in members):
            self._since = None
            return
        if self._since is None:
            self._since, self._warn_at = now, now + _FIRST_WARNING_S
        waited_s = now - self._since
        if waited_s > self._timeout_s:
            raise WorkerLostError(
                f"{_situation(waited_s, request, find_nodes())}; ask for less in the stages' resources (a "
                "reader's num_threads are its CPUs), and resume the run from its checkpoint, or give the "
                "cluster more time with placement_timeout_s"
            )
        if now > self._warn_at:
            self._warn_at = now + _WARN_EVERY_S
            log.warning("%s", _situation(waited_s, request, find_nodes()))


def _situation(waited_s: float, request: Request, nodes: Sequence[Node]) -> str:
    text = (
        f"no worker could be placed for {waited_s:.0f} s: each asks for {request.cpus:g} CPUs and "
        f"{request.gpus:g} GPUs"
    )
    if not nodes:
        return f"{text}, and there is no node now"
    largest = max(nodes, key=lambda node: (min(node.gpus, request.gpus), node.cpus))
    text = f"{text}, and the largest node has {largest.cpus:g} CPUs and {largest.gpus:g} GPUs now"
    return f"{text}, which are in use (see `ray status`)" if request.num_fitting([largest]) else text
