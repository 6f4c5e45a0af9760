"""The decoder that stands on a ladder: it makes the ladder in the process that decodes, and shares its work.

A device and the CPU may share the images of a run (`is_shared`), and then timing decides who gets which. The
verdict must not (C6), and without `verify="strict"` libjpeg-turbo sees damage that a device does not. So what
the CPU would not deliver as sound goes to the device after all, whose verdict counts; where it then delivers,
the image says `damage_checked=False` and counts as a fallback of its own kind.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tarlight.decode.ladder import Ladder
from tarlight.decode.protocol import Appetite, Decoded, Encoded, Refusal
from tarlight.errors import DecoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.decode.backend import Rung
    from tarlight.decode.decoder import TurboDecoder

SEEN_BESIDE: Final = "damage that libjpeg-turbo sees and the device does not"

_COPIES_ON_CPU: Final = 3
_COPIES_TO_HOST: Final = 2


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a ladder decoder is made of. Picklable."""

    name: str
    """By which it is selected."""
    reason: str
    """Why it was selected."""
    rungs: tuple[Rung, ...]
    """From the one that is asked first down."""
    bottom: TurboDecoder
    """Decodes, or refuses, what no rung did."""
    strict: bool = False
    """See `Ladder`."""
    is_required: bool = False
    """It was asked for by name, so the CPU alone will not do from the start."""
    on_device: bool = False
    """The rungs decode on a device."""
    is_shared: bool = False
    """Free CPU cores may take images that the device would take too."""
    keeps_on_device: bool = False
    """Pixels stay on the device."""


class LadderDecoder:
    """A decoder that stands on a ladder. Thread-safe, and picklable: it travels without its backends."""

    def __init__(self, recipe: Recipe) -> None:
        """Make no backend yet: the first image does."""
        self.name = recipe.name
        self.reason = recipe.reason
        self.is_shared = recipe.is_shared
        self._recipe: Final = recipe
        self._ladder: Ladder | None = None
        self._lock = threading.Lock()

    @property
    def ladder(self) -> Ladder:
        """The ladder, made when it is first asked for."""
        with self._lock:
            if self._ladder is None:
                recipe = self._recipe
                self._ladder = Ladder(recipe.rungs, recipe.bottom, strict=recipe.strict)
            return self._ladder

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should tell: smaller batches, rungs that were closed."""
        return self.ladder.notes

    @property
    def pixel_copies(self) -> int:
        """Copies of an image's pixels while it is decoded, on the host or, with `output="device"`, there.

        On the CPU: what is delivered, the library's own output, and its planes before they are converted.
        From a device: what is delivered, and the batch on its way to the host. What the device holds while it
        decodes is in the budget of its rung.
        """
        if not self._recipe.on_device:
            return _COPIES_ON_CPU
        return 1 if self._recipe.keeps_on_device else _COPIES_TO_HOST

    @property
    def lane(self) -> LadderDecoder | None:
        """Itself where it decodes on a device."""
        return self if self._recipe.on_device else None

    @property
    def appetite(self) -> Appetite:
        """One call's worth, from twice as many threads as there are backends.

        Strict verification is work for the CPU in the feeding threads, about a third of decoding there, so
        that takes as many more as one backend keeps busy.
        """
        first = self._recipe.rungs[0]
        per_backend = 4 if self._recipe.strict else 2
        return Appetite(
            first.num_backends * per_backend, first.max_images, first.budget_bytes // first.num_backends
        )

    @property
    def is_lost(self) -> bool:
        """Whether the device is gone for the rest of the run."""
        return self.ladder.is_lost

    def prepare(self) -> None:
        """Load the libraries, and start the device.

        Raises:
            DecoderUnavailableError: it was asked for by name, and nothing of it works here.
        """
        if not self.ladder.open() and self._recipe.is_required:
            raise DecoderUnavailableError(
                f"decoder={self.name!r} does not work here: {'; '.join(self.notes)}; use decoder='auto' to "
                "go on without it"
            )

    def decode(self, images: Sequence[Encoded]) -> list[Decoded | Refusal]:
        """Decode every image: one result an image, in the same order."""
        return self.ladder.decode(images)

    def decode_beside(self, images: Sequence[Encoded]) -> list[Decoded | Refusal]:
        """Decode on the CPU what a device would take too, with the verdicts that `decode` would give."""
        verdicts = self._recipe.bottom.decode(images)
        return [
            verdict if isinstance(verdict, Decoded) and not verdict.damaged else self._settle(image)
            for image, verdict in zip(images, verdicts, strict=True)
        ]

    def decode_as(self, name: str, image: Encoded) -> Decoded | Refusal:
        """Decode one image again as it was decoded by the decoder of that name, if that can still be had."""
        names = [rung.name for rung in self._recipe.rungs]
        if name not in names:
            return self._recipe.bottom.decode([image])[0]
        (again,) = self.ladder.run_on(names.index(name), [image])
        return self.ladder.run_on_cpu(image, again) if isinstance(again, str) else again

    def __reduce__(self) -> tuple[type[LadderDecoder], tuple[Recipe]]:
        return LadderDecoder, (self._recipe,)

    def _settle(self, image: Encoded) -> Decoded | Refusal:
        """Ask the device about an image that the CPU does not find sound."""
        (verdict,) = self.ladder.decode([image])
        if isinstance(verdict, Decoded) and not verdict.fallback and not verdict.damage_checked:
            return verdict._replace(fallback=SEEN_BESIDE)
        return verdict
