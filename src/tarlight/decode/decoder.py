"""The decoders of the CPU.

Both stand on the same ladder (`judge`): they give the same verdict for the same bytes. Both are immutable,
picklable and thread-safe; decoding releases the GIL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from tarlight.decode.judge import judge
from tarlight.decode.mend import mend_header
from tarlight.decode.orient import turn_upright
from tarlight.decode.pillow import run_pillow
from tarlight.decode.protocol import Decoded, Encoded, Refusal
from tarlight.decode.turbo import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

_BY_NAME: Final = "asked for by name"


@dataclass(frozen=True, slots=True)
class _CpuDecoder:
    """What the decoders of the CPU have in common: all but the name and who makes the pixels."""

    deliver_damaged: bool = False
    """Deliver damaged images, marked, as far as they can be decoded."""
    exif_orientation: bool = True
    """Turn images upright."""
    reason: str = _BY_NAME
    """Why this decoder was selected."""

    notes: ClassVar[tuple[str, ...]] = ()
    """Nothing that a report should tell."""
    lane: ClassVar[None] = None
    """It has no device."""

    def prepare(self) -> None:
        """Nothing is needed."""

    def decode(self, images: Sequence[Encoded]) -> list[Decoded | Refusal]:
        """Decode every image: one result an image, in the same order."""
        return [self._decode_one(image) for image in images]

    def decode_as(self, name: str, image: Encoded) -> Decoded | Refusal:  # noqa: ARG002 (always the same way)
        """Decode one image again."""
        return self._decode_one(image)

    def _decode_one(self, image: Encoded) -> Decoded | Refusal:
        try:
            verdict = judge(image, deliver_damaged=self.deliver_damaged)
            if isinstance(verdict, Refusal):
                return verdict
            verdict = self._paint(verdict, image)
            return _upright(verdict, image) if self.exif_orientation else verdict
        except Exception as error:  # noqa: BLE001 (C3: one bad image costs one image; the refusal tells all)
            return refuse(error)

    def _paint(self, verdict: Decoded, image: Encoded) -> Decoded:  # noqa: ARG002 (for those that do)
        """Make the pixels of an image that was judged; they are there already."""
        return verdict


@dataclass(frozen=True, slots=True)
class TurboDecoder(_CpuDecoder):
    """libjpeg-turbo on the CPU; what it does not do goes to Pillow, visibly. See `judge` for the policy."""

    name: ClassVar[str] = "turbo"
    """The name by which it is selected."""
    pixel_copies: ClassVar[int] = 1
    """libjpeg-turbo writes into the array that is delivered."""


@dataclass(frozen=True, slots=True)
class PillowDecoder(_CpuDecoder):
    """Pillow makes the pixels, strict libjpeg-turbo gives the verdict.

    So every image is decoded twice, which costs a little more than twice the time: Pillow alone would show
    damaged images as good ones. Damaged images that are delivered all the same come from libjpeg-turbo.
    """

    name: ClassVar[str] = "pillow"
    """The name by which it is selected."""
    pixel_copies: ClassVar[int] = 4
    """The verdict's array, Pillow's picture, its conversion, and the array that is delivered."""

    def _paint(self, verdict: Decoded, image: Encoded) -> Decoded:
        return _with_pillow(verdict, image)


def _upright(verdict: Decoded, image: Encoded) -> Decoded:
    orientation = image.facts.orientation
    if orientation == 1:
        return verdict
    return verdict._replace(pixels=turn_upright(verdict.pixels, orientation))


def _with_pillow(verdict: Decoded, image: Encoded) -> Decoded:
    """Let Pillow make the pixels of an image that libjpeg-turbo has judged and decoded."""
    if verdict.decoder == PillowDecoder.name:
        return verdict._replace(fallback="")
    if verdict.damaged:
        return verdict._replace(fallback="damaged data, which Pillow refuses")
    try:
        pixels = run_pillow(mend_header(image.data, image.facts))
    except (OSError, SyntaxError, ValueError):
        return verdict._replace(fallback="data that Pillow cannot read")
    return verdict._replace(pixels=pixels, decoder=PillowDecoder.name)
