"""What a decoding library has to look like to stand on the ladder, and how it says that a call failed.

A `Rung` says what it takes and makes a `Backend`; a backend decodes. Everything else is written once for all
of them: what to hand over, memory, retries, rebuilding, counting (`batching`, `ladder`). Libraries are
imported only where a rung makes its backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.decode.protocol import JpegFacts

Array = Any
"""(H, W, 3) uint8 RGB: a numpy array that owns its memory, or a `DeviceArray`."""


class BackendError(Exception):
    """A call failed as a whole, and the backend that raised it cannot be used any more."""


class BatchFailedError(BackendError):
    """At least one of its images could not be decoded, and the library does not say which."""


class OutOfMemoryError(BackendError):
    """The device has not enough memory for this batch; a smaller one may fit."""


class BackendLostError(BackendError):
    """The library or the device is missing or has failed, and will not come back in this process."""


class Backend(Protocol):
    """One instance of a decoding library. Used by one thread at a time."""

    def decode(self, files: Sequence[bytes]) -> list[Array | None]:
        """Decode JPEG files that the rung takes: pixels or None for each, in the same order.

        Raises:
            BackendError: the call failed as a whole.
        """


class Rung(Protocol):
    """One step of the ladder: what it takes, and how much at a time. A picklable value."""

    @property
    def name(self) -> str:
        """Name of the decoder on its images."""

    @property
    def upright(self) -> bool:
        """Whether images come turned as the EXIF segment of their file says."""

    @property
    def max_images(self) -> int:
        """Images in one call, at most."""

    @property
    def num_backends(self) -> int:
        """Backends that work at a time, at most."""

    @property
    def budget_bytes(self) -> int:
        """Bytes that all backends together may take for one call each."""

    def refuses(self, facts: JpegFacts) -> str:
        """Say in a short, stable phrase why it cannot decode such an image; empty when it can."""

    def make(self) -> Backend:
        """Make a backend.

        Raises:
            BackendLostError: the library or the device is not there.
            OutOfMemoryError: the device has not enough memory.
        """
