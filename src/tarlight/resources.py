"""What a worker that runs a stage asks of the executor."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import isfinite

from tarlight.errors import ArgumentError


def num_cores() -> int:
    """Cores that this process may use; all of the machine where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Resources:
    """The share of a machine that one worker of a stage needs."""

    cpus: float = 1.0
    """CPU cores; a stage that decodes on `n` threads asks for `n`."""

    gpus: float = 0.0
    """Share of one GPU: 0.25 puts four workers on a GPU, 0 means CPU only; or several whole GPUs."""

    def __post_init__(self) -> None:
        if self.cpus < 0 or self.gpus < 0:
            raise ArgumentError(f"resources must not be negative, got cpus={self.cpus}, gpus={self.gpus}")
        check_gpus("gpus", self.gpus)


def check_gpus(name: str, value: float) -> None:
    """Raise ArgumentError unless GPUs can be given out like that: a share lies on one GPU."""
    if not isfinite(value):
        raise ArgumentError(f"{name} must be a number of GPUs, got {value}")
    if value > 1 and value % 1:
        raise ArgumentError(
            f"{name} must be a share of one GPU (0 to 1) or a whole number of them, got {value}; ask for "
            f"{int(value)} or {int(value) + 1}"
        )
