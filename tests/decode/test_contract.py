"""Every decoder passes the contract: add one by one line."""

from __future__ import annotations

from tarlight.decode import LadderDecoder, Recipe, TurboDecoder
from tarlight.decode.nvimgcodec import Engine, NvimgcodecRung
from tests.decode.contract import DecoderContract
from tests.decode.fakes import FakeRung

KEPT_FROM_DEVICES = frozenset({"cmyk", "rgb-coded"})


class TestTurbo(DecoderContract):
    name = "turbo"


class TestPillow(DecoderContract):
    name = "pillow"


class TestDali(DecoderContract):
    name = "dali"
    checks_damage = False
    left_to_turbo = KEPT_FROM_DEVICES


class TestStrictDali(DecoderContract):
    name = "dali"
    left_to_turbo = KEPT_FROM_DEVICES

    def make(self, **options):
        return super().make(verify="strict", **options)


class OnLadder(DecoderContract):
    """A decoder whose rungs are made by hand."""

    checks_damage = False

    def rungs(self, *, upright):
        raise NotImplementedError

    def make(self, *, damaged="skip", exif_orientation=True):
        rungs = self.rungs(upright=exif_orientation)
        bottom = TurboDecoder(damaged == "deliver", exif_orientation)
        return LadderDecoder(Recipe(self.name, "asked for by name", tuple(rungs), bottom))


class TestNvimgcodecWithoutDevice(OnLadder):
    """nvImageCodec's own libjpeg-turbo behind the module that drives its GPU decoders."""

    name = "nvimgcodec-cpu"
    left_to_turbo = KEPT_FROM_DEVICES

    def rungs(self, *, upright):
        return (NvimgcodecRung(Engine.CPU, 64 << 20, upright=upright),)


class TestShortOfMemory(OnLadder):
    """A device on which three images never fit."""

    name = "fake"
    left_to_turbo = frozenset({"cmyk"})

    def rungs(self, *, upright):
        return (FakeRung(fits=2, upright=upright, num_backends=2),)
