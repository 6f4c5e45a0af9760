"""When is a run stopped by what it cannot deliver? `on_error` and `max_failures` (C3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.errors import ImageError, TarError, TooManyFailuresError
from tarlight.report.figure import plural

if TYPE_CHECKING:
    from tarlight.ledger import Loss, Section, Skip
    from tarlight.stages.image.io.option import ReaderOptions

ENOUGH_IMAGES = 100
"""Images before which a fraction stops nothing in mid-run: one bad image of two says little."""

_SKIP_INSTEAD = 'with on_error="skip" it is recorded and the run goes on'


class Failures:
    """Counts skips and losses in tar order, and raises when there are too many. For one thread.

    A lost range counts as as many images as it would hold at the mean size of those before it, at least one;
    one of unknown size as as many as the shards before it held, and as one where nothing is known. `before`
    is what runs before this one have settled, which counts as well.
    """

    def __init__(self, options: ReaderOptions, before: Section) -> None:
        self._limit = None if options.is_part else options.max_failures
        self._raises = options.on_error == "raise"
        self._settled = 0
        self._skipped = 0
        self._lost = 0
        self._shards = 0
        self._sized_images = 0
        self._sized_bytes = 0
        self._take(before)

    def count_image(self, span: int) -> None:
        """Count an image that is delivered or skipped; its span is 0 where nobody knows what it takes."""
        self._settled += 1
        self._sized_images += span > 0
        self._sized_bytes += span

    def count_shard(self) -> None:
        """Count a shard that was settled to its end."""
        self._shards += 1

    def count_skip(self, skip: Skip) -> None:
        """Count an image that is not delivered."""
        self._skipped += 1
        self._check()
        if self._raises:
            where = f"{skip.shard}: {skip.member} at offset {skip.offset}"
            raise ImageError(f"{where}: {skip.reason}: {skip.detail}; {_SKIP_INSTEAD}")

    def count_loss(self, loss: Loss) -> None:
        """Count a range of bytes that could not be read."""
        self._lost += self._images_in(loss)
        self._check()
        self.check_loss(loss)

    def check_loss(self, loss: Loss) -> None:
        """Raise for bytes that could not be read, with `on_error="raise"`."""
        if self._raises:
            where = f"{loss.shard}: {loss.reason} from byte {loss.start} to {loss.end}"
            raise TarError(f"{where}: {loss.detail}; {_SKIP_INSTEAD}")

    def count_section(self, section: Section) -> None:
        """Count what another process has settled; with `on_error="raise"` it has raised there."""
        before = self._num_failed
        self._take(section)
        if self._num_failed > before:
            self._check()

    def check_at_end(self) -> None:
        """All images have been seen: now a fraction says what it says, however few they were."""
        if isinstance(self._limit, float) and self._num_failed > self._limit * self._num_known:
            self._stop()

    @property
    def _num_failed(self) -> int:
        return self._skipped + self._lost

    @property
    def _num_known(self) -> int:
        """Images that were settled, and those that lost ranges stand for."""
        return self._settled + self._lost

    def _take(self, section: Section) -> None:
        self._settled += section.seen
        self._skipped += section.num_skipped
        self._shards += section.shards
        self._sized_images += section.sized_images
        self._sized_bytes += section.sized_bytes
        for part in (section, section.withheld):
            if part is not None:
                self._lost += sum(map(self._images_in, part.losses)) + part.num_losses - len(part.losses)

    def _images_in(self, loss: Loss) -> int:
        """As how many images a lost range counts."""
        if not loss.is_sized:
            return max(1, self._settled // self._shards) if self._shards else 1
        if not self._sized_bytes:
            return 1
        return max(1, (loss.end - loss.start) * self._sized_images // self._sized_bytes)

    def _check(self) -> None:
        if self._limit is None:
            return
        if not isinstance(self._limit, float):
            too_many = self._num_failed > self._limit
        else:
            too_many = self._num_known >= ENOUGH_IMAGES and self._num_failed > self._limit * self._num_known
        if too_many:
            self._stop()

    def _stop(self) -> None:
        failed, known = plural(self._num_failed, "failure"), plural(self._num_known, "image")
        guess = f" ({self._lost} of them by the size of what is lost)" if self._lost else ""
        raise TooManyFailuresError(
            f"{failed} in {known}{guess}: more than max_failures={self._limit}; the report of "
            "Pipeline.stream() names each of them"
        )
