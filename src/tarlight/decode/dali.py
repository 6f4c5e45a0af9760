"""Decodes with NVIDIA DALI, on a GPU or on the CPU. The one place that imports it.

Sources: the DALI user guide (`fn.decoders.image`, `fn.external_source`, "Pipeline"). What is not said there
and was tried with DALI 2.4: one bad image fails the batch and leaves the pipeline unusable; a pipeline is for
one thread; `TensorListCPU.at` copies; on the CPU DALI's libjpeg-turbo gives the same pixels as ours. Outputs
of the default execution model stay valid while somebody holds them (DALI's own PyTorch plug-in relies on it);
an image on the device therefore keeps the memory of its whole batch.

DALI writes lines of its own to stderr for a file that it cannot parse; it has no switch against that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from tarlight.decode.backend import BackendLostError, BatchFailedError, OutOfMemoryError
from tarlight.decode.device_array import DeviceArray
from tarlight.decode.scope import refuse_beyond_cuda, refuse_beyond_turbo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.decode.backend import Array, BackendError
    from tarlight.decode.protocol import JpegFacts

PACKAGE: Final = "nvidia.dali"
"""What has to be importable."""

_INPUT: Final = "files"
_OUT_OF_MEMORY: Final = ("out of memory", "cudaErrorMemoryAllocation", "bad_alloc", "bad allocation")
_LOST: Final = ("CUDA is not available", "driver", "cudaError", "CUDA_ERROR", "CUDA runtime API error")
"""Words of DALI's messages; any other means that an image in the batch is bad."""


@dataclass(frozen=True, slots=True)
class DaliRung:
    """DALI's `decoders.image`. On a GPU it spreads images over hardware engine and CUDA by itself."""

    device: int | None
    """Which GPU, as CUDA counts them; None for the CPU."""
    budget_bytes: int
    """Bytes of the device that it may use."""
    upright: bool = True
    """Whether images come turned as their EXIF segment says."""
    on_device: bool = False
    """Whether pixels stay on the GPU."""
    num_backends: int = 2
    """Pipelines; each has one thread on the CPU."""
    max_images: int = 64
    """Images in one call, at most."""

    name: ClassVar[str] = "dali"

    def refuses(self, facts: JpegFacts) -> str:
        """Say why DALI should not be given such an image."""
        return refuse_beyond_turbo(facts) if self.device is None else refuse_beyond_cuda(facts)

    def make(self) -> DaliBackend:
        """Build a pipeline: about 2 ms on the CPU."""
        return DaliBackend(self)


class DaliBackend:
    """One pipeline that decodes JPEG files given as bytes."""

    def __init__(self, rung: DaliRung) -> None:
        try:
            self._pipeline = _build(rung)
        except (ImportError, OSError) as error:
            raise BackendLostError(f"DALI cannot be imported: {error}") from error
        except RuntimeError as error:
            raise _translate(error) from error
        self._on_device = rung.on_device

    def decode(self, files: Sequence[bytes]) -> list[Array | None]:
        """Decode all of them, or none."""
        try:
            self._pipeline.feed_input(_INPUT, [np.frombuffer(file, np.uint8) for file in files])
            (output,) = self._pipeline.run()
            if self._on_device:
                return [_on_device(output[index]) for index in range(len(files))]
            on_host = output.as_cpu()  # one copy for the batch; none on the CPU
            return [on_host.at(index) for index in range(len(files))]
        except RuntimeError as error:
            raise _translate(error) from error


def _on_device(image: Any) -> DeviceArray:
    height, width, components = image.shape()
    return DeviceArray(image, (height, width, components), lambda: np.array(image.as_cpu()))


def _build(rung: DaliRung) -> Any:
    from nvidia.dali import fn, types  # noqa: PLC0415 (a second and 200 MB, only where it is used)
    from nvidia.dali.pipeline import Pipeline  # noqa: PLC0415

    pipeline = Pipeline(
        batch_size=rung.max_images,
        num_threads=1,  # images are spread over our threads, which hold one pipeline each
        device_id=rung.device,
        prefetch_queue_depth=1,  # one call, one batch: nothing is decoded ahead
    )
    with pipeline:
        files = fn.external_source(name=_INPUT, batch=True, ndim=1, dtype=types.UINT8, no_copy=True)
        images = fn.decoders.image(
            files,
            device="cpu" if rung.device is None else "mixed",
            output_type=types.RGB,
            adjust_orientation=rung.upright,
            jpeg_fancy_upsampling=True,  # as libjpeg-turbo does
            use_fast_idct=False,
        )
        pipeline.set_outputs(images)
    pipeline.build()
    return pipeline


def _translate(error: RuntimeError) -> BackendError:
    # Before that word DALI quotes the lines of code that made the pipeline.
    message = str(error).rpartition("encountered:")[2].strip()
    if any(word in message for word in _OUT_OF_MEMORY):
        return OutOfMemoryError(message)
    if any(word in message for word in _LOST):
        return BackendLostError(message)
    return BatchFailedError(message)
