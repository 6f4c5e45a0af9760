"""Chooses a decoder by what is installed and what the driver says, here and now, and tells why.

`auto` goes by what is expected to be fastest: on a GPU nvImageCodec, which tells a bad image from a good one
by itself, then DALI; without one libjpeg-turbo, since DALI on the CPU takes a quarter more of it. Nothing
heavy is imported by choosing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from tarlight.argument import check_choice, check_number
from tarlight.decode import dali, nvimgcodec
from tarlight.decode.decoder import PillowDecoder, TurboDecoder
from tarlight.decode.device import Device, NoDevice, find_device
from tarlight.decode.ladder_decoder import LadderDecoder, Recipe
from tarlight.errors import ArgumentError, DecoderUnavailableError
from tarlight.resources import check_gpus

if TYPE_CHECKING:
    from tarlight.decode.backend import Rung
    from tarlight.decode.protocol import Decoder

NAMES: Final = ("auto", "turbo", "pillow", "dali", "nvimgcodec")
"""What `decoder=` may be."""
VERIFY: Final = ("headers", "strict")
"""What `verify=` may be."""
OUTPUTS: Final = ("numpy", "device")
"""What `output=` may be."""

_DAMAGED: Final = ("skip", "deliver")
_BY_NAME: Final = "asked for by name"
_MOST_IMAGES: Final = 256
_CPU_BACKENDS: Final = 64
_CPU_BACKEND_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a GPU a worker may use."""

    gpus: float = 0.25
    """Share of one GPU that the worker asked the executor for; 0 means CPU only."""
    memory_fraction: float | None = None
    """Part of the device's memory to decode in; None takes `gpus` of it, at most all."""

    def __post_init__(self) -> None:
        check_number("num_gpus_per_worker", self.gpus, minimum=0)
        check_gpus("num_gpus_per_worker", self.gpus)
        if self.memory_fraction is not None and not (
            check_number("gpu_memory_fraction", self.memory_fraction, minimum=0) and self.memory_fraction <= 1
        ):
            raise ArgumentError(
                f"gpu_memory_fraction must be above 0 and at most 1, got {self.memory_fraction}"
            )

    def find_device(self) -> Device | NoDevice:
        """Return the device to use, or why there is none."""
        return find_device() if self.gpus else NoDevice("num_gpus_per_worker=0 asks for the CPU only")

    def budget_bytes(self, device: Device) -> int:
        """Return the bytes of a device to decode in."""
        fraction = min(self.gpus, 1.0) if self.memory_fraction is None else self.memory_fraction
        return int(device.memory_bytes * fraction)


def select_decoder(
    name: str,
    *,
    damaged: str = "skip",
    exif_orientation: bool = True,
    verify: str = "headers",
    output: str = "numpy",
    share: Share | None = None,
    batch_size: int = 64,
) -> Decoder:
    """Return the decoder of that name, to be used in this process.

    Args:
        name: `turbo`, `pillow`, `dali`, `nvimgcodec`, or `auto` for the one that is expected to be the
            fastest here; the decoder's `reason` tells why.
        damaged: `skip` damaged images, or `deliver` them marked as damaged.
        exif_orientation: turn images upright.
        verify: what is looked at where the decoder itself does not see damage (`dali`, `nvimgcodec`):
            `headers` and markers, or also all data, with `strict` libjpeg-turbo. The other decoders always
            look at everything.
        output: `numpy` arrays, or arrays on the `device` that decoded them. What the CPU decodes is a numpy
            array either way; without a device `reason` says so.
        share: how much of a GPU may be used.
        batch_size: images that a GPU gets in one call, if its memory allows; at most 256.

    Raises:
        ArgumentError: an argument has a value that is not allowed.
        DecoderUnavailableError: a decoder was asked for by name and cannot be had here.
    """
    check_choice("decoder", name, NAMES)
    check_choice("damaged", damaged, _DAMAGED)
    check_choice("verify", verify, VERIFY)
    check_choice("output", output, OUTPUTS)
    bottom = TurboDecoder(damaged == "deliver", exif_orientation)
    if name == "turbo":
        return bottom
    if name == "pillow":
        return PillowDecoder(damaged == "deliver", exif_orientation)
    max_images = min(batch_size, _MOST_IMAGES)
    chosen = _Choice(bottom, share or Share(), verify == "strict", output == "device", max_images)
    return {"dali": chosen.dali, "nvimgcodec": chosen.nvimgcodec, "auto": chosen.fastest}[name]()


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is common to all decoders that stand on the ladder."""

    bottom: TurboDecoder
    share: Share
    strict: bool
    on_device: bool
    max_images: int

    def fastest(self) -> Decoder:
        device = self.share.find_device()
        if isinstance(device, NoDevice):
            return self._turbo(f"no GPU is used: {device.why}")
        if _is_installed(nvimgcodec.PACKAGE):
            return self._ladder("nvimgcodec", f"auto: {device.name} is there", self._engines(device))
        if _is_installed(dali.PACKAGE):
            return self._ladder("dali", f"auto: {device.name} is there", (self._dali_rung(device),))
        return self._turbo(
            f"the GPU ({device.name}) is not used: neither nvImageCodec nor DALI is installed "
            "(pip install 'tarlight[nvimgcodec]')"
        )

    def dali(self) -> Decoder:
        if not _is_installed(dali.PACKAGE):
            raise DecoderUnavailableError(
                "decoder='dali': NVIDIA DALI is not installed; pip install 'tarlight[dali]', or use "
                "decoder='auto'"
            )
        device = self.share.find_device()
        if isinstance(device, Device):
            return self._ladder("dali", f"{_BY_NAME}, on {device.name}", (self._dali_rung(device),))
        reason = f"{_BY_NAME}, on the CPU: {device.why}"
        rung = dali.DaliRung(
            None, _CPU_BACKENDS * _CPU_BACKEND_BYTES, self.bottom.exif_orientation, num_backends=_CPU_BACKENDS
        )
        return self._ladder("dali", reason + self._told_of_output(), (rung,), on_device=False)

    def nvimgcodec(self) -> Decoder:
        installed, device = _is_installed(nvimgcodec.PACKAGE), self.share.find_device()
        if installed and isinstance(device, Device):
            return self._ladder("nvimgcodec", f"{_BY_NAME}, on {device.name}", self._engines(device))
        missing = [] if installed else ["nvImageCodec is not installed; pip install 'tarlight[nvimgcodec]'"]
        if isinstance(device, NoDevice):
            missing.append(f"it decodes on a CUDA device, and {device.why}")
        raise DecoderUnavailableError(
            f"decoder='nvimgcodec': {'; and '.join(missing)}. decoder='auto' takes the fastest decoder that "
            "there is"
        )

    def _turbo(self, why: str) -> Decoder:
        reason = f"auto: libjpeg-turbo is the fastest decoder on the CPU; {why}"
        return TurboDecoder(
            self.bottom.deliver_damaged, self.bottom.exif_orientation, reason + self._told_of_output()
        )

    def _told_of_output(self) -> str:
        return "; output='device' gives numpy arrays here" if self.on_device else ""

    def _dali_rung(self, device: Device) -> Rung:
        budget = self.share.budget_bytes(device)
        upright = self.bottom.exif_orientation
        return dali.DaliRung(device.index, budget, upright, self.on_device, max_images=self.max_images)

    def _engines(self, device: Device) -> tuple[Rung, ...]:
        engines = [nvimgcodec.Engine.HARDWARE, nvimgcodec.Engine.CUDA][device.has_hardware_jpeg is False :]
        budget = self.share.budget_bytes(device) // len(engines)
        upright = self.bottom.exif_orientation
        return tuple(
            nvimgcodec.NvimgcodecRung(
                engine, budget, device.index, upright, self.on_device, max_images=self.max_images
            )
            for engine in engines
        )

    def _ladder(
        self, name: str, reason: str, rungs: tuple[Rung, ...], *, on_device: bool = True
    ) -> LadderDecoder:
        by_name = reason.startswith(_BY_NAME)
        recipe = Recipe(
            name,
            reason,
            rungs,
            self.bottom,
            strict=self.strict,
            is_required=by_name,
            on_device=on_device,
            is_shared=on_device and not by_name and not self.on_device,
            keeps_on_device=on_device and self.on_device,
        )
        return LadderDecoder(recipe)


def _is_installed(package: str) -> bool:
    """Return whether a package is there, without running anything of it but its namespace."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False
