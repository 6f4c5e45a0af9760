"""Damage, from when it is met until both its neighbours are known.

Strategy: keeps the `lost` column of the account and at most one `Damage`, which is handed out once the next
member's name is known. Damage that touches damage of the same kind becomes one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tarlight.ledger import LossReason
from tarlight.tar.member import Damage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.ledger import ShardAccount
    from tarlight.tar.inflate import Inflater


class Losses:
    """What a shard has lost so far."""

    def __init__(self, account: ShardAccount, inflater: Inflater | None) -> None:
        self.last_name = ""
        """Name of the last member."""
        self.is_cut = False
        """Whether the loss of the shard's end is written down."""
        self._account = account
        self._inflater = inflater
        self._held: Damage | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no damage waits for its neighbour."""
        return self._held is None

    def add(self, start: int, end: int, reason: LossReason, detail: str) -> Iterator[Damage]:
        """Write off a range; yields the damage before it, if that was still waiting."""
        self._account.lost += end - start
        held = self._held
        if held is not None and held.end == start and held.reason == reason:
            self._held = replace(held, end=end)
            return
        yield from self.release("")
        if self._inflater is not None and reason is LossReason.BAD_HEADER:
            detail += f"; before compressed byte {self._inflater.consumed}"
        self._held = Damage(self._account.shard, start, end, reason, self.last_name, "", detail)

    def add_cut(self, start: int, end: int, detail: str) -> Iterator[Damage]:
        """Write off the end of the data, for the reason why it ends here."""
        self.is_cut = True
        failure = self._inflater.failure if self._inflater is not None else None
        reason, why = failure or (LossReason.TRUNCATED_SHARD, "")
        yield from self.add(start, end, reason, "; ".join(filter(None, [detail, why])))

    def add_failure(self, end: int) -> Iterator[Damage]:
        """A gzip stream that broke between two members has lost no inflated byte that we know of."""
        if self._inflater is not None and self._inflater.failure is not None and not self.is_cut:
            yield from self.add_cut(end, end, "")

    def add_everything(self, end: int, detail: str) -> Iterator[Damage]:
        """Nothing in the whole shard was a header."""
        self.is_cut = True
        self._account.end = 0
        yield from self.add(0, end, LossReason.NOT_A_TAR, detail)

    def release(self, before: str) -> Iterator[Damage]:
        """Hand out the damage that waits, now that the next member's name is known."""
        if self._held is not None:
            yield replace(self._held, before=before)
            self._held = None
