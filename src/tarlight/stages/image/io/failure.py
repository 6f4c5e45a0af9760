"""When is a run stopped by what it cannot deliver? `on_error` and `max_failures` (C3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.errors import ImageError, TarError, TooManyFailuresError

if TYPE_CHECKING:
    from tarlight.ledger import Loss, Section, Skip
    from tarlight.stages.image.io.option import ReaderOptions

ENOUGH_IMAGES = 100
"""Images before which a fraction stops nothing in mid-run: one bad image of two says little."""

_SKIP_INSTEAD = 'with on_error="skip" it is recorded and the run goes on'


class Failures:
    """Counts skips and losses in tar order, and raises when there are too many. For one thread.

    `before` is what runs before this one have settled, which counts as well.
    """

    def __init__(self, options: ReaderOptions, before: Section) -> None:
        self.settled = before.seen
        """Images that were delivered or skipped so far."""
        self._limit = None if options.is_part else options.max_failures
        self._raises = options.on_error == "raise"
        self._count = before.num_skipped + before.num_losses

    def count_skip(self, skip: Skip) -> None:
        """Count an image that is not delivered."""
        self._add()
        if self._raises:
            where = f"{skip.shard}: {skip.member} at offset {skip.offset}"
            raise ImageError(f"{where}: {skip.reason}: {skip.detail}; {_SKIP_INSTEAD}")

    def count_loss(self, loss: Loss) -> None:
        """Count a range of bytes that could not be read."""
        self._add()
        self.check_loss(loss)

    def check_loss(self, loss: Loss) -> None:
        """Raise for bytes that could not be read, with `on_error="raise"`."""
        if self._raises:
            where = f"{loss.shard}: {loss.reason} from byte {loss.start} to {loss.end}"
            raise TarError(f"{where}: {loss.detail}; {_SKIP_INSTEAD}")

    def count_section(self, section: Section) -> None:
        """Count what another process has settled; with `on_error="raise"` it has raised there."""
        self.settled += section.seen
        self._count += section.num_skipped + section.num_losses
        if section.num_skipped or section.num_losses:
            self._check()

    def check_at_end(self) -> None:
        """All images have been seen: now a fraction says what it says, however few they were."""
        if isinstance(self._limit, float) and self._count > self._limit * self.settled:
            self._stop()

    def _add(self) -> None:
        self._count += 1
        self._check()

    def _check(self) -> None:
        if self._limit is None:
            return
        if not isinstance(self._limit, float):
            too_many = self._count > self._limit
        else:
            too_many = self.settled >= ENOUGH_IMAGES and self._count > self._limit * self.settled
        if too_many:
            self._stop()

    def _stop(self) -> None:
        raise TooManyFailuresError(
            f"{self._count} failures in {self.settled} images are more than max_failures={self._limit}; the "
            "report of Pipeline.stream() names each of them"
        )
