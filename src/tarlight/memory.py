"""How much memory this process may still take, and that it keeps what it will need again."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
"""Where a container's limit stands: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max)."""


LARGEST_LESSON = (32 << 20) - (64 << 10)
"""The largest block that glibc learns from: `DEFAULT_MMAP_THRESHOLD_MAX`, less its own words and a page."""


@cache
def keep_freed_blocks() -> None:
    """Have the C library keep freed blocks of the size of images, for the next images.

    glibc gives a large block back to the system when it is freed, and the next image then costs a page fault
    for each 4 KiB. It stops doing so for sizes that it has seen a program free (mallopt(3), "dynamic mmap
    threshold"): so one block of the largest of them is taken and freed, untouched, once a process.
    Whoever set a `MALLOC_` variable has switched that off and keeps what was chosen (there the block might
    come out of used memory, to be cleared in milliseconds); other C libraries take no notice.
    """
    if not any(name.startswith("MALLOC_") for name in os.environ):
        bytes(LARGEST_LESSON)


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
