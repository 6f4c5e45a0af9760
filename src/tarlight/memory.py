"""How much memory this process may still take."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
"""Where a container's limit stands: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max)."""


def available_memory() -> int:
    """Bytes that are free on this machine or left in this container, whichever is less."""
    return max(min(_free_on_machine(), _left_in_container()), 0)


def _free_on_machine() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux: physical memory is the best answer there is
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    kilobytes = {name: value.split()[0] for name, value in (line.split(":") for line in lines)}
    return int(kilobytes["MemAvailable"]) * 1024


def _left_in_container() -> int:
    try:
        limit = (CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = (CGROUP / "memory.current").read_text(encoding="ascii").strip()
        kinds = (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:  # no container, or one that tells nothing
        return 1 << 62
    if limit == "max":
        return 1 << 62
    bytes_of = {name: int(count) for name, count in (line.split() for line in kinds)}
    # File pages that nobody has touched for a while count as used, and go at once when memory is asked for.
    return int(limit) - int(used) + bytes_of.get("inactive_file", 0)
