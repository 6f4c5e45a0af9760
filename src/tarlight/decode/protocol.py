"""What the decode room takes and gives: header facts, encoded images, pixels or a reason.

This file knows nothing of any decoder. Everything here is a value; nothing here raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.ledger import SkipReason
    from tarlight.tasks import Pixels


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits that are checked on headers, before anything is allocated."""

    max_pixels: int = 178_956_970
    """Width x height; the default is where Pillow refuses too: 2^30 / 6, half a GiB of RGB."""

    max_scans: int = 100
    """Scans of a progressive or multi-scan file; encoders write about ten, each costs a pass over all."""


class Refusal(NamedTuple):
    """Why an image gives no pixels."""

    reason: SkipReason
    """One of the closed list."""
    detail: str
    """What was found, for people."""


class JpegFacts(NamedTuple):
    """What a JPEG header says, without decoding. Values are as stored, before orientation."""

    width: int
    """Pixels a row, at least 1."""
    height: int
    """Rows, at least 1."""
    components: int
    """1 (gray), 3 or 4."""
    precision: int
    """Bits a sample: always 8, other depths are refused."""
    process: str
    """`baseline`, `extended`, `progressive`, `lossless`, `arithmetic` or `arithmetic_progressive`."""
    progressive: bool
    """True when the picture comes in several scans of growing quality."""
    orientation: int
    """How to turn it, 1 to 8 as in EXIF; 1 is upright."""
    layout: bytes
    """The frame's component table: three bytes each, id, sampling (horizontal x 16 + vertical), table."""
    jfif: bool
    """A JFIF segment is there, so three components are YCbCr."""
    adobe_transform: int
    """Color transform of the Adobe segment: 0 none, 1 YCbCr, 2 YCCK; -1 without one."""
    scan_start: int
    """Offset of the first SOS marker."""

    @property
    def num_pixels(self) -> int:
        """Width x height."""
        return self.width * self.height

    @property
    def num_bytes(self) -> int:
        """Bytes of the RGB pixels that decoding gives."""
        return self.width * self.height * 3

    @property
    def sampling(self) -> tuple[tuple[int, int], ...]:
        """Horizontal and vertical sampling factor of each component."""
        return tuple((byte >> 4, byte & 15) for byte in self.layout[1::3])


class Encoded(NamedTuple):
    """One image to decode."""

    data: bytes
    """The whole JPEG file."""
    facts: JpegFacts
    """What `read_facts` found in it."""


class Decoded(NamedTuple):
    """One decoded image."""

    pixels: Pixels
    """(H, W, 3) uint8 RGB, C-contiguous, top row first; owns its memory. With `output="device"`, where a
    device decoded it: a `DeviceArray`, which has shape, dtype, ndim and nbytes like one of numpy's."""
    decoder: str
    """Name of the decoder that made these pixels."""
    damaged: bool = False
    """True when the data is damaged and `damaged="deliver"` asked for it nevertheless."""
    damage_checked: bool = True
    """False when a decoder that does not look for damage made them, and nothing else looked at all data."""
    fallback: str = ""
    """Why an earlier decoder on the ladder did not make the pixels: a short, stable phrase to count by."""


class Appetite(NamedTuple):
    """How much a device wants at a time, and from how many threads."""

    num_feeders: int
    """Threads that bring it images: more than it works on at a time, so that it need not wait for checks."""
    num_images: int
    """Images at once."""
    num_bytes: int
    """Bytes of pixels at once."""


class Lane(Protocol):
    """A decoder's device, for those who spread work over it and the CPU. Thread-safe."""

    @property
    def appetite(self) -> Appetite:
        """What the device wants at a time."""

    @property
    def is_shared(self) -> bool:
        """Whether free CPU cores may take images that the device would take too."""

    @property
    def is_lost(self) -> bool:
        """Whether the device is gone for the rest of the run."""

    def decode(self, images: Sequence[Encoded]) -> list[Decoded | Refusal]:
        """Decode on the device, and what it cannot do on the CPU: one result an image, in the same order."""

    def decode_beside(self, images: Sequence[Encoded]) -> list[Decoded | Refusal]:
        """Decode on the CPU what a device would take too, with the verdicts that `decode` would give."""


class Decoder(Protocol):
    """Turns many encoded images into pixels, or a reason for each."""

    @property
    def name(self) -> str:
        """The name by which it is selected."""

    @property
    def reason(self) -> str:
        """Why it was selected, for people."""

    @property
    def pixel_copies(self) -> int:
        """How many times the bytes of an image's pixels are held while it is decoded, at most."""

    @property
    def lane(self) -> Lane | None:
        """Its device; None where it decodes on the CPU, on whatever threads call it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed up to now that the report should tell, for people."""

    def prepare(self) -> None:
        """Load what decoding needs, so that whatever is missing shows before the first image.

        Raises:
            DecoderUnavailableError: it was asked for by name, and does not work here.
        """

    def decode(self, images: Sequence[Encoded]) -> list[Decoded | Refusal]:
        """Decode every image: one result an image, in the same order.

        Thread-safe, and never raises for the content of an image.
        """

    def decode_as(self, name: str, image: Encoded) -> Decoded | Refusal:
        """Decode one image again as it was decoded by the decoder of that name, if that can still be had."""
