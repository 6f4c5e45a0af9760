"""What an `ImageReaderStage` was asked to do, checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tarlight.argument import check_bool, check_choice, check_int, check_number, check_texts
from tarlight.decode import NAMES as DECODERS
from tarlight.decode import OUTPUTS, VERIFY, Share
from tarlight.errors import ArgumentError
from tarlight.storage import DEFAULT_PLAN, Plan, check_option_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tarlight.decode import Decoder

MIB = 1 << 20

JPEG_EXTENSIONS = (".jpg", ".jpeg", ".jpe", ".jfif", ".jif")
"""Extensions under which JPEG files go; `extensions` may name these only."""

GPU_DECODERS = ("dali", "nvimgcodec")
"""Decoders that work on a GPU; asked for by name, none of them gives way to the CPU."""

GROUP_IMAGES = 64
"""Images that go to a decoding thread in one hand-over: at 64 the hand-over costs under 1 us an image."""

GROUP_BYTES = 4 * MIB
"""Pixels after which a group is closed early, so that large images spread over all threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOptions:
    """The options of an `ImageReaderStage`; see there for their meaning."""

    batch_size: int
    num_threads: int
    num_gpus_per_worker: float
    verbose: bool
    gpu_memory_fraction: float | None
    decoder: str
    verify: str
    output: str
    extensions: tuple[str, ...]
    fields: tuple[str, ...]
    on_error: str
    max_failures: float | None
    damaged: str
    exif_orientation: bool
    max_pixels: int
    max_scans: int
    max_member_bytes: int
    max_batch_bytes: int
    max_requests: int
    storage_options: Mapping[str, Any] | None = field(repr=False)
    is_part: bool = False
    """True where other processes read other partitions of the run: then nothing is said of all of it."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "num_threads", "max_pixels", "max_scans", "max_member_bytes"):
            check_int(name, getattr(self, name), minimum=1)
        check_int("max_batch_bytes", self.max_batch_bytes, minimum=1)
        check_int("max_requests", self.max_requests, minimum=1)
        Share(self.num_gpus_per_worker, self.gpu_memory_fraction)
        check_bool("verbose", self.verbose)
        check_bool("exif_orientation", self.exif_orientation)
        check_choice("decoder", self.decoder, DECODERS)
        check_choice("verify", self.verify, VERIFY)
        check_choice("output", self.output, OUTPUTS)
        check_choice("on_error", self.on_error, ("skip", "raise"))
        check_choice("damaged", self.damaged, ("skip", "deliver"))
        if self.max_failures is not None:
            check_failures(self.max_failures)
        check_option_names(self.storage_options)

    def read_ahead_bytes(self, decoder: Decoder) -> int:
        """Bytes of pixels and encoded images that are read ahead of the batch being filled.

        A quarter of `max_batch_bytes`: enough to keep all threads busy while the consumer works on a batch,
        and small beside the batch itself. A device gets its work in larger pieces, several at a time: for
        one, as much as a batch.
        """
        part = self.max_batch_bytes if decoder.lane is not None else self.max_batch_bytes // 4
        return max(part, GROUP_BYTES)

    @property
    def plan(self) -> Plan:
        """How remote shards are fetched: the window holds a range for every request."""
        window = max(self.max_requests, 2) * DEFAULT_PLAN.range_bytes
        return Plan(window_bytes=window, max_requests=self.max_requests)

    @property
    def tasks_ahead(self) -> int:
        """Partitions that wait for the reader, so that it does not run dry on tiny shards.

        More than there may be requests at once: a shard may be no more than one request.
        """
        return 2 * max(self.max_requests, DEFAULT_PLAN.max_requests)


def check_failures(value: Any) -> float:
    """Check `max_failures`: a count (int), or a fraction (float up to 1) of the images seen."""
    check_number("max_failures", value, minimum=0)
    if isinstance(value, float) and value > 1:
        raise ArgumentError(f"max_failures must be an int, or a fraction from 0.0 to 1.0, got {value}")
    return float(value) if isinstance(value, float) else value


def choose_batch_size(batch_size: Any, dali_batch_size: Any) -> int:
    """Return the batch size from either of its two documented names."""
    if dali_batch_size is None:
        return check_int("batch_size", batch_size, minimum=1)
    check_int("dali_batch_size", dali_batch_size, minimum=1)
    if batch_size not in (DEFAULT_BATCH_SIZE, dali_batch_size):
        raise ArgumentError(
            f"batch_size={batch_size} and dali_batch_size={dali_batch_size} differ; they are one option"
        )
    return int(dali_batch_size)


DEFAULT_BATCH_SIZE = 100
"""The documented default."""


def normal_extensions(value: Any) -> tuple[str, ...]:
    """Return `extensions` in lower case with their dot; only JPEG extensions are allowed."""
    texts = check_texts("extensions", value)
    if not texts:
        raise ArgumentError("extensions must name at least one, for example ('.jpg', '.jpeg')")
    dotted = tuple(dict.fromkeys("." + text.lower().removeprefix(".") for text in texts))
    for extension in dotted:
        if extension not in JPEG_EXTENSIONS:
            raise ArgumentError(
                f"extensions must be of JPEG ({', '.join(JPEG_EXTENSIONS)}), got {extension!r}"
            )
    return dotted


def normal_fields(value: Any) -> tuple[str, ...]:
    """Return `fields` in lower case without a leading dot."""
    for text in check_texts("fields", value):
        if set(text) & set(", /"):
            raise ArgumentError(f"fields must be a list of names such as ('txt', 'json'), got {text!r}")
    return tuple(dict.fromkeys(text.lower().removeprefix(".") for text in check_texts("fields", value)))
