"""What a `RayExecutor` was asked to do, checked before anything is started."""

from __future__ import annotations

from dataclasses import dataclass

from tarlight.argument import check_bool, check_int, check_number, check_text
from tarlight.errors import ArgumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """The options of a `RayExecutor`; see there for their meaning."""

    address: str | None
    preserve_order: bool
    min_workers: int
    max_workers: int | None
    placement_timeout_s: float

    def __post_init__(self) -> None:
        if self.address is not None:
            check_text("address", self.address)
        check_bool("preserve_order", self.preserve_order)
        check_int("min_workers", self.min_workers, minimum=1)
        check_number("placement_timeout_s", self.placement_timeout_s, minimum=1)
        if self.max_workers is None:
            return
        check_int("max_workers", self.max_workers, minimum=1)
        if self.max_workers < self.min_workers:
            raise ArgumentError(
                f"max_workers={self.max_workers} must not be less than min_workers={self.min_workers}"
            )
