"""Whether anybody listens at an address: Ray itself would try for minutes to find out."""

from __future__ import annotations

import re
import socket

from tarlight.errors import ClusterError

TIMEOUT_S = 10.0
"""For one attempt to connect."""

_HOST_AND_PORT = re.compile(r"(?:ray://)?\[?([^/\[\]]+?)\]?:(\d{1,5})")


def check_reachable(address: str) -> None:
    """Check that somebody listens at `host:port` or `ray://host:port`; other addresses are Ray's to judge.

    Raises:
        ClusterError: nobody does, or the host cannot be reached.
    """
    found = _HOST_AND_PORT.fullmatch(address)
    if found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=TIMEOUT_S).close()
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ClusterError(
            f"there is no Ray cluster to work on at {address}: no connection to {found[1]}, port {found[2]} "
            f"({why}); check host, port and firewall, or start one there with `ray start --head`"
        ) from error
