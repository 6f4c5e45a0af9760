"""The data that flows between stages: tasks, and the images that an `ImageBatch` carries.

A stage gets a task and hands on tasks. Tasks are small and picklable; images are mutable, because stages
annotate them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from tarlight.ledger import Section

    Pixels = npt.NDArray[np.uint8]


@runtime_checkable
class ImageSource(Protocol):
    """Where the encoded bytes of an image lie, and how to read them again."""

    @property
    def shard(self) -> str:
        """Path or URL of the shard."""

    @property
    def member(self) -> str:
        """Name of the member inside the shard."""

    @property
    def offset(self) -> int:
        """First byte of the payload, counted from the start of the (inflated) shard."""

    @property
    def size(self) -> int:
        """Length of the payload in bytes."""

    @property
    def inflated(self) -> bool:
        """True when the shard is compressed, and offsets count inflated bytes."""

    def open(self, storage_options: Mapping[str, Any] | None = None) -> bytes:
        """Read the encoded bytes again. Raises `ShardChangedError` when the shard is another one now."""


class PixelLoader(Protocol):
    """Decodes released pixels again, bit for bit as they were delivered."""

    def __call__(self, source: ImageSource) -> Pixels:
        """Return the pixels of the image at `source`, (H, W, 3) uint8."""


class ImageObject:
    """One image: its identity, its pixels, and what stages have found out about it.

    Not thread-safe: one thread at a time may write to an image.
    """

    __slots__ = (
        "_loader",
        "_pixels",
        "aesthetic_score",
        "damage_checked",
        "damaged",
        "decoder",
        "embedding",
        "image_id",
        "image_path",
        "metadata",
        "nsfw_score",
        "source",
    )

    def __init__(
        self,
        image_path: str = "",
        image_id: str = "",
        metadata: dict[str, Any] | None = None,
        image_data: Pixels | None = None,
        *,
        source: ImageSource | None = None,
        decoder: str = "",
        damaged: bool = False,
        damage_checked: bool = True,
    ) -> None:
        self.image_path = image_path
        """Shard path + `/` + member name; a label, not a path that can be opened."""
        self.image_id = image_id
        """The record key, unique in a dataset whose keys are."""
        self.metadata: dict[str, Any] = {} if metadata is None else metadata
        """Fields of the record (`fields=`), and whatever stages add."""
        self.source = source
        """Where the encoded bytes lie; None for images that were made in memory."""
        self.decoder = decoder
        """Name of the decoder that made the pixels."""
        self.damaged = damaged
        """True when the data is damaged and `damaged="deliver"` asked for it nevertheless."""
        self.damage_checked = damage_checked
        """False when a tolerant decoder made the pixels, which may hide damage."""
        self.embedding: Any = None
        """Set by stages that compute one."""
        self.aesthetic_score: float | None = None
        """Set by stages that compute one."""
        self.nsfw_score: float | None = None
        """Set by stages that compute one."""
        self._pixels = image_data
        self._loader: PixelLoader | None = None

    @property
    def image_data(self) -> Pixels | None:
        """Pixels, (H, W, 3) uint8 RGB, C-contiguous, top row first.

        With `ImageReaderStage(output="device")` and a GPU it is a `tarlight.decode.DeviceArray` there, which
        has the same `shape`, `dtype`, `ndim` and `nbytes`; its type here stays that of the default.

        A released image is decoded again on every access and not kept; hold the array to use it twice.

        Raises:
            ShardChangedError: the pixels were released and the shard has changed since.
            PixelsReleasedError: the pixels were released and this is another process.
        """
        if self._pixels is None and self._loader is not None and self.source is not None:
            return self._loader(self.source)
        return self._pixels

    @image_data.setter
    def image_data(self, pixels: Pixels | None) -> None:
        self._pixels = pixels
        self._loader = None

    @property
    def is_released(self) -> bool:
        """True when the pixels are not held and `image_data` decodes them again."""
        return self._pixels is None and self._loader is not None

    @property
    def num_bytes(self) -> int:
        """Bytes of pixels held in memory now, on the host or on a GPU; 0 for a released image."""
        return 0 if self._pixels is None else int(self._pixels.nbytes)

    def release(self, loader: PixelLoader) -> None:
        """Forget the pixels; from now on `image_data` asks `loader` for them."""
        self._pixels = None
        self._loader = loader

    def __repr__(self) -> str:
        shape = "released" if self.is_released else getattr(self._pixels, "shape", None)
        return f"ImageObject(image_id={self.image_id!r}, image_path={self.image_path!r}, shape={shape})"


@dataclass(kw_only=True)
class Task:
    """A unit of work that one stage hands to the next."""

    task_id: str = ""
    """Deterministic: the same pipeline over the same input gives the same ids. A batch of the reader is named
    after the place of its first image: `shard_000012_batch_00000300` for one that begins with image 300 of
    shard 12. So no other batch of the dataset has its id, in a resumed run neither, whatever options changed.
    """

    dataset_name: str = ""
    """Name of the pipeline that made the task."""

    data: Any = None
    """The payload; its type depends on the task."""

    metadata: dict[str, Any] = field(default_factory=dict)
    """Facts about the task as a whole. Partitions have `partition_index`, `total_partitions`, `source_files`;
    the batches made from them inherit these."""

    _section: Section | None = field(default=None, init=False, repr=False, compare=False)
    # What is settled once this task and all before it are consumed. Executors put it here and take it off.

    @property
    def num_items(self) -> int:
        """How many things the task carries."""
        return len(self.data) if hasattr(self.data, "__len__") else int(self.data is not None)

    @property
    def num_images(self) -> int:
        """How many images the ledger counts in this task; by default every item is one."""
        return self.num_items

    @property
    def num_bytes(self) -> int:
        """Bytes of array data that the task holds in memory, as far as it is known: `data.nbytes`, else 0."""
        return int(getattr(self.data, "nbytes", 0))


def put_section(task: Task, section: Section) -> None:
    """Let `section` travel with a task: it is settled once the task, and all before it, are consumed."""
    task._section = section  # noqa: SLF001 (private to users, not to the house)


def take_section(task: Task) -> Section | None:
    """Take the section off a task, so that a copy of the task does not bring it along once more."""
    section, task._section = task._section, None  # noqa: SLF001 (as above)
    return section


@dataclass(kw_only=True)
class EmptyTask(Task):
    """The task that starts a pipeline: it carries nothing."""

    @property
    def num_items(self) -> int:
        """Always 0."""
        return 0


@dataclass(kw_only=True)
class FileGroupTask(Task):
    """The shards that one task reads: a partition."""

    data: Sequence[str] = ()
    """Paths or URLs of the shards, in the order in which they are read."""

    sizes: Sequence[int | None] = ()
    """Bytes of each shard where the listing told them, else None."""

    @property
    def partition_index(self) -> int:
        """Position of this partition, from 0; kept in `metadata`, as is `total_partitions`."""
        return int(self.metadata.get("partition_index", 0))

    @property
    def num_images(self) -> int:
        """Always 0: nothing has been read yet."""
        return 0


@dataclass(kw_only=True)
class ImageBatch(Task):
    """Images that travel together, in tar order; never from two partitions."""

    data: list[ImageObject] = field(default_factory=list)

    @property
    def num_bytes(self) -> int:
        """Bytes of pixels that this batch holds in memory."""
        return sum(image.num_bytes for image in self.data)

    def __getstate__(self) -> object:
        """What pickle and `copy` keep. Images go by columns, where none of them is of a class of its own."""
        state = super().__getstate__()
        if isinstance(state, dict) and _fits_columns(self.data):
            return {**state, "data": _Columns(self.data)}
        return state

    def __setstate__(self, state: Any) -> None:
        """Take what was kept; a subclass may have slots, and none or some attributes beside them."""
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        for name, value in {**(attributes or {}), **(slots or {})}.items():
            setattr(self, name, value.images if isinstance(value, _Columns) else value)


def _fits_columns(images: Any) -> bool:
    """Whether these are plain images, and none of them twice."""
    is_plain = type(images) is list and all(type(image) is ImageObject for image in images)
    return is_plain and len(set(map(id, images))) == len(images)


class _Columns:
    """The images of a batch as pickle takes them, attribute by attribute: that halves what pickle costs.

    Arrays stay objects of their own, so that one which several images or tasks hold travels once. An image
    that is found outside of `data` too, in metadata or in another batch, arrives there as a copy.
    """

    def __init__(self, images: list[ImageObject]) -> None:
        self.images = images

    def __reduce__(self) -> tuple[Any, ...]:
        rows = map(attrgetter(*ImageObject.__slots__), self.images)
        return _from_columns, (len(self.images), *zip(*rows, strict=True))


def _from_columns(num_images: int, *columns: Sequence[Any]) -> _Columns:
    images = [ImageObject.__new__(ImageObject) for _ in range(num_images)]
    for name, column in zip(ImageObject.__slots__, columns, strict=False):  # no columns without images
        deque(map(getattr(ImageObject, name).__set__, images, column), maxlen=0)
    return _Columns(images)
