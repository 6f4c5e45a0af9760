"""The way to a cluster: one that the program is connected to, one that is found, or one that is started."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from tarlight.errors import ClusterError
from tarlight.executors.ray.reach import check_reachable
from tarlight.executors.ray.surroundings import NODE, environment, quiet, signals_held

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL = "local"
"""The address of a cluster of one's own."""


class Connection:
    """Connects, and leaves what was there before as it was. For one thread."""

    def __init__(self) -> None:
        self.origin = ""
        """How the cluster came about, for people."""
        self._address = ""
        self._is_ours = False

    def open(self, address: str | None, tell: Callable[[str], None]) -> None:
        """Connect, unless the program has; start a cluster here where `address` is None and there is none.

        Args:
            address: as `RayExecutor` takes it.
            tell: is told what is about to be done.

        Raises:
            ClusterError: there is no cluster at the address.
        """
        if ray.is_initialized():
            self.origin = "to which the program was connected"
            return
        self._is_ours = True
        wanted = (os.environ.get("RAY_ADDRESS") or address) if address in {None, "auto"} else address
        self._address = wanted or ""
        check_reachable(self._address)
        try:
            self._join(wanted, tell)
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise ClusterError(
                f"there is no Ray cluster to work on at {wanted or 'this machine'} (Ray says: {error}); "
                "start one with `ray start --head`, or pass address=None for one on this machine"
            ) from error

    def close(self) -> None:
        """Leave the cluster, and end it where this connection started it."""
        if self._is_ours:  # also where it was struck while it began, with processes and no connection yet
            self._is_ours = False
            with signals_held():
                ray.shutdown()

    @property
    def place(self) -> str:
        """Where the cluster is: `host:port`, or the address of a Ray client; empty where nobody knows."""
        if "://" in self._address:
            return self._address
        try:
            return str(ray.get_runtime_context().gcs_address)
        except AttributeError:  # a Ray client, to which the program connected
            return ""

    def _join(self, wanted: str | None, tell: Callable[[str], None]) -> None:
        if wanted is None:  # not "auto", which joins what other programs have started for themselves
            tell("joining the Ray cluster of this machine, or starting one")
        elif wanted == LOCAL:
            tell("starting a Ray cluster on this machine")
        else:
            tell(f"joining the Ray cluster at {wanted}" if wanted != "auto" else "joining the Ray cluster")
        with environment(NODE), quiet(), signals_held():
            context = ray.init(address=wanted, logging_level=logging.WARNING)
        is_started = wanted in {None, LOCAL} and _starter(context) == os.getpid()
        self.origin = "started here for this run" if is_started else "which ran already"


def _starter(context: Any) -> int | None:
    """Return the process that started a cluster: Ray names the folder of its session after it."""
    session = getattr(context, "address_info", {}).get("session_dir") or ""  # a client knows of none
    pid = session.rpartition("_")[2]
    return int(pid) if pid.isdecimal() else None
