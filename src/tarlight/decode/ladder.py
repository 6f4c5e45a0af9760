"""The ladder: who decodes which image, and who takes over when that fails (C3, C9).

Rungs stand from the fastest down: the hardware engine, CUDA, and at the bottom the CPU, where strict
libjpeg-turbo decodes, Pillow takes what it cannot do, and what neither can is refused (`judge`).
An image goes to the first rung that takes its kind of file; where it fails there, it alone goes on down. The
first reason to go down at all is counted with the image; verdicts are given at the bottom only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tarlight.decode.batching import LOST, Batcher
from tarlight.decode.precheck import find_visible_fault, stamp_orientation
from tarlight.decode.protocol import Decoded, Encoded, Refusal
from tarlight.decode.turbo import has_complaint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.decode.backend import Array, Rung
    from tarlight.decode.decoder import TurboDecoder
    from tarlight.decode.protocol import JpegFacts

COMPLAINT: Final = "complaint of strict libjpeg-turbo"
WRONG_SIZE: Final = "pixels of another size than the header says"

_TRANSPOSING_FROM: Final = 5


class Ladder:
    """Rungs, and the CPU below them. Thread-safe."""

    def __init__(self, rungs: Sequence[Rung], bottom: TurboDecoder, *, strict: bool) -> None:
        """Make no backend yet.

        Args:
            rungs: from the one that is asked first down.
            bottom: decodes, or refuses, what no rung did.
            strict: strict libjpeg-turbo looks at the data of every image, else only headers and markers are
                looked at.
        """
        self.rungs = tuple(rungs)
        self.bottom = bottom
        self._strict = strict
        self._batchers = [Batcher(rung) for rung in rungs]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should tell: smaller batches, rungs that were closed."""
        return tuple(note for batcher in self._batchers for note in batcher.notes)

    @property
    def is_lost(self) -> bool:
        """Whether all rungs are closed, so that the CPU decodes everything."""
        return all(batcher.closed for batcher in self._batchers)

    def open(self) -> bool:
        """Make a first backend of every rung. Returns whether any rung is open."""
        return sum(batcher.open() for batcher in self._batchers) > 0

    def decode(self, images: Sequence[Encoded]) -> list[Decoded | Refusal]:
        """Decode every image: one result an image, in the same order."""
        results: list[Decoded | Refusal | None] = [None] * len(images)
        reasons = [self.check(image) for image in images]
        waiting = [index for index, reason in enumerate(reasons) if not reason]
        for number in range(len(self.rungs)):
            waiting = self._ask(number, images, waiting, results, reasons)
        return [
            result or self.run_on_cpu(image, reason)
            for image, result, reason in zip(images, results, reasons, strict=True)
        ]

    def check(self, image: Encoded) -> str:
        """Say in a phrase why an image must go to the CPU whatever kind it is; empty when it need not."""
        if self.is_lost:
            return LOST
        if self._strict:
            return COMPLAINT if has_complaint(*image) else ""
        return find_visible_fault(image)

    def refuses(self, number: int, facts: JpegFacts) -> str:
        """Say in a phrase why a rung would not take an image of this kind now; empty when it would."""
        return LOST if self._batchers[number].closed else self.rungs[number].refuses(facts)

    def run_on(self, number: int, images: Sequence[Encoded]) -> list[Decoded | str]:
        """Decode images that the rung takes: pixels or a phrase for each, in the same order."""
        rung, is_upright = self.rungs[number], self.bottom.exif_orientation
        files = [stamp_orientation(image) if is_upright else image.data for image in images]
        outcomes = self._batchers[number].run(files, [working_bytes(image) for image in images])
        return [self._conclude(rung, image, outcome) for image, outcome in zip(images, outcomes, strict=True)]

    def run_on_cpu(self, image: Encoded, reason: str) -> Decoded | Refusal:
        """Decode one image on the CPU, or refuse it; `reason` is why no rung above did."""
        (result,) = self.bottom.decode([image])
        if isinstance(result, Refusal) or result.fallback:
            return result
        return result._replace(fallback=reason)

    def _ask(
        self,
        number: int,
        images: Sequence[Encoded],
        waiting: list[int],
        results: list[Decoded | Refusal | None],
        reasons: list[str],
    ) -> list[int]:
        """Let one rung decode what it can. Returns which images wait for the next one."""
        refused = {index: self.refuses(number, images[index].facts) for index in waiting}
        taken = [index for index in waiting if not refused[index]]
        for index, outcome in zip(taken, self.run_on(number, [images[i] for i in taken]), strict=True):
            if isinstance(outcome, str):
                refused[index] = outcome
            else:
                results[index] = outcome._replace(fallback=reasons[index])
        left = [index for index in waiting if refused[index]]
        for index in left:
            reasons[index] = reasons[index] or f"{self.rungs[number].name}: {refused[index]}"
        return left

    def _conclude(self, rung: Rung, image: Encoded, outcome: Array | str) -> Decoded | str:
        if isinstance(outcome, str):
            return outcome
        if tuple(outcome.shape) != shape_of(image.facts, upright=self.bottom.exif_orientation):
            return WRONG_SIZE
        return Decoded(outcome, rung.name, damage_checked=self._strict)


def shape_of(facts: JpegFacts, *, upright: bool) -> tuple[int, int, int]:
    """Return the shape that the pixels must have."""
    if upright and facts.orientation >= _TRANSPOSING_FROM:
        return facts.width, facts.height, 3
    return facts.height, facts.width, 3


def working_bytes(image: Encoded) -> int:
    """Return what an image takes on a device while it is decoded, from its header.

    Its file, its RGB pixels, its planes before they are converted (no more than the pixels), twice as much
    again for the coefficients of a progressive image, and another copy for one that is turned.
    """
    data, facts = image
    copies = 2 + 2 * facts.progressive + (facts.orientation != 1)
    return len(data) + facts.num_bytes * copies
