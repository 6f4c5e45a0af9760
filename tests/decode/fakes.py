"""Rungs that decode with libjpeg-turbo and fail as devices do: on demand, and at every step.

Like a GPU library they do not see damage, and like DALI's pipelines they must not be used after a failure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tarlight.decode import DeviceArray, JpegFacts, LadderDecoder, Recipe, TurboDecoder, read_facts
from tarlight.decode.backend import BackendLostError, BatchFailedError, OutOfMemoryError
from tarlight.decode.orient import turn_upright
from tarlight.decode.turbo import run_turbo
from tests.decode.jpegs import CAPS

REFUSED = "a kind it does not do"


@dataclass
class Log:
    """What was asked of a rung."""

    num_made: int = 0
    batches: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class FakeRung:
    """A device that fails when it is told to."""

    name: str = "fake"
    upright: bool = True
    max_images: int = 64
    num_backends: int = 1
    budget_bytes: int = 1 << 30
    is_missing: bool = False
    fits: int | None = None
    lost_after: int | None = None
    bad: frozenset[bytes] = frozenset()
    tells_bad: bool = False
    refuses_progressive: bool = False
    grows: bool = False
    keeps: bool = False
    log: Log = field(default_factory=Log, compare=False)

    def refuses(self, facts: JpegFacts) -> str:
        if facts.components == 4 or (self.refuses_progressive and facts.progressive):
            return REFUSED
        return ""

    def make(self) -> FakeBackend:
        if self.is_missing:
            raise BackendLostError("libfake.so is not there")
        self.log.num_made += 1
        return FakeBackend(self)


class FakeBackend:
    """Decodes with libjpeg-turbo, without a look at damage."""

    def __init__(self, rung: FakeRung) -> None:
        self._rung = rung
        self._is_broken = False

    def decode(self, files):
        rung = self._rung
        assert not self._is_broken, "used after it had failed"
        self._is_broken = True
        rung.log.batches.append(len(files))
        if rung.lost_after is not None and len(rung.log.batches) > rung.lost_after:
            raise BackendLostError("the device fell off the bus")
        if rung.fits is not None and len(files) > rung.fits:
            raise OutOfMemoryError("no room")
        if rung.bad.intersection(files) and not rung.tells_bad:
            raise BatchFailedError("something is wrong with something")
        decoded = [None if file in rung.bad else self._decode_one(file) for file in files]
        self._is_broken = False
        return decoded

    def _decode_one(self, file):
        facts = read_facts(file, CAPS)
        try:
            pixels = run_turbo(file, facts, strict=False)
        except (ValueError, AttributeError) as error:
            raise BatchFailedError("no JPEG") from error
        pixels = turn_upright(pixels, facts.orientation) if self._rung.upright else pixels
        pixels = pixels.repeat(2, axis=0) if self._rung.grows else pixels
        return on_fake_device(pixels) if self._rung.keeps else pixels


class Memory:
    """Owns pixels as a library's image on a device does."""

    def __init__(self, pixels) -> None:
        self.__dlpack__ = pixels.__dlpack__
        self.__dlpack_device__ = pixels.__dlpack_device__
        self.__cuda_array_interface__ = {**pixels.__array_interface__, "version": 3}
        self.pixels = pixels


def on_fake_device(pixels) -> DeviceArray:
    """Return pixels as they would come from a device."""
    owner = Memory(pixels)
    return DeviceArray(owner, pixels.shape, owner.pixels.copy)


def device_decoder(*rungs, **recipe) -> LadderDecoder:
    """Return what `auto` gives on a machine with a device, on these rungs."""
    options = {"on_device": True, "is_shared": True, **recipe}
    return LadderDecoder(Recipe("fake", "auto: a fake is there", rungs, TurboDecoder(), **options))
