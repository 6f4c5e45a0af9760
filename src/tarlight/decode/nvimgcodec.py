"""Decodes with NVIDIA nvImageCodec. The one place that imports it.

Sources: its Python API reference ("Decoder", "DecodeParams", "Backend", "Decoder options format") and what
its docstrings say. It gives None for an image that it cannot decode, so a bad image costs no batch. It can be
told which of its back ends to use, and so it makes two rungs: the hardware engine, and CUDA below it. The
third, `CPU`, is for tests: it runs the same code with nvImageCodec's own libjpeg-turbo.

It writes lines of its own to stderr for a file that it cannot decode (`PYNVIMGCODEC_VERBOSITY=0` turns most
of them off).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tarlight.decode.backend import BackendLostError, OutOfMemoryError
from tarlight.decode.device_array import DeviceArray
from tarlight.decode.scope import refuse_beyond_cuda, refuse_beyond_hardware, refuse_beyond_turbo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tarlight.decode.backend import Array, BackendError
    from tarlight.decode.protocol import JpegFacts

PACKAGE: Final = "nvidia.nvimgcodec"
"""What has to be importable."""

_OUT_OF_MEMORY: Final = ("out of memory", "Out of memory", "cudaErrorMemoryAllocation", "bad_alloc")


class Engine(StrEnum):
    """Which part of a machine decodes."""

    HARDWARE = "nvimgcodec-hardware"
    CUDA = "nvimgcodec"
    CPU = "nvimgcodec-cpu"


_KINDS: Final = {
    Engine.HARDWARE: ("HW_GPU_ONLY",),
    Engine.CUDA: ("GPU_ONLY", "HYBRID_CPU_GPU"),
    Engine.CPU: ("CPU_ONLY",),
}
_SCOPES: Final[dict[Engine, Callable[[JpegFacts], str]]] = {
    Engine.HARDWARE: refuse_beyond_hardware,
    Engine.CUDA: refuse_beyond_cuda,
    Engine.CPU: refuse_beyond_turbo,
}


@dataclass(frozen=True, slots=True)
class NvimgcodecRung:
    """One of nvImageCodec's back ends."""

    engine: Engine
    """Which one."""
    budget_bytes: int
    """Bytes of the device that it may use."""
    device: int = 0
    """Which GPU, as CUDA counts them."""
    upright: bool = True
    """Whether images come turned as their EXIF segment says."""
    on_device: bool = False
    """Whether pixels stay on the GPU."""
    num_backends: int = 2
    """Decoders; each has one thread on the CPU."""
    max_images: int = 64
    """Images in one call, at most."""

    @property
    def name(self) -> str:
        """Name of the decoder on its images."""
        return str(self.engine)

    def refuses(self, facts: JpegFacts) -> str:
        """Say why this engine should not be given such an image."""
        return _SCOPES[self.engine](facts)

    def make(self) -> NvimgcodecBackend:
        """Make a decoder."""
        return NvimgcodecBackend(self)


class NvimgcodecBackend:
    """One nvImageCodec decoder."""

    def __init__(self, rung: NvimgcodecRung) -> None:
        try:
            from nvidia import nvimgcodec  # noqa: PLC0415 (only where it is used)
        except (ImportError, OSError) as error:
            raise BackendLostError(f"nvImageCodec cannot be imported: {error}") from error
        try:
            self._decoder = _make_decoder(nvimgcodec, rung)
        except RuntimeError as error:
            raise _translate(error) from error
        self._library: Any = nvimgcodec
        self._params = nvimgcodec.DecodeParams(
            apply_exif_orientation=rung.upright, sample_format=nvimgcodec.SampleFormat.I_RGB
        )
        self._on_device = rung.on_device

    def decode(self, files: Sequence[bytes]) -> list[Array | None]:
        """Decode each file, None for one that could not be decoded."""
        try:
            streams = [self._library.CodeStream(file) for file in files]
            images = self._decoder.decode(streams, params=self._params)
            convert = _on_device if self._on_device else _to_host
            return [None if image is None else convert(image) for image in images]
        except RuntimeError as error:
            raise _translate(error) from error


def _make_decoder(library: Any, rung: NvimgcodecRung) -> Any:
    on_cpu = rung.engine is Engine.CPU
    return library.Decoder(
        device_id=library.NVIMGCODEC_DEVICE_CPU_ONLY if on_cpu else rung.device,
        max_num_cpu_threads=1,  # images are spread over our threads
        backends=[library.Backend(getattr(library.BackendKind, kind)) for kind in _KINDS[rung.engine]],
        options=":fancy_upsampling=1",  # as libjpeg-turbo does
    )


def _to_host(image: Any) -> Array:
    """Copy to memory of numpy's own."""
    return np.array(image.cpu())


def _on_device(image: Any) -> DeviceArray:
    height, width, components = image.shape
    return DeviceArray(image, (height, width, components), lambda: _to_host(image))


def _translate(error: RuntimeError) -> BackendError:
    message = str(error)
    is_memory = any(word in message for word in _OUT_OF_MEMORY)
    return OutOfMemoryError(message) if is_memory else BackendLostError(message)
