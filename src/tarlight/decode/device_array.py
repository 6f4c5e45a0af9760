"""An image that stays on the GPU that decoded it (`output="device"`).

Sources: the Python specification of DLPack (`__dlpack__`, `__dlpack_device__`) and the CUDA Array Interface,
version 3. Both are handed through to the library that owns the memory, so nothing is copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from tarlight.errors import DevicePixelsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tarlight.tasks import Pixels


class DeviceArray:
    """(H, W, 3) uint8 RGB on a GPU, top row first; rows may be padded, as the strides say.

    `torch.from_dlpack`, `cupy.from_dlpack` and `jax.dlpack.from_dlpack` take it without a copy, and so does
    whatever takes `__cuda_array_interface__`. Its memory lives as long as it, or anything made from it, does.
    It stays in its process: it cannot be pickled.
    """

    __slots__ = ("_owner", "_read_back", "shape")

    def __init__(self, owner: Any, shape: tuple[int, int, int], read_back: Callable[[], Pixels]) -> None:
        """Wrap an image of a library.

        Args:
            owner: has `__dlpack__`, `__dlpack_device__` and `__cuda_array_interface__`.
            shape: height, width, 3.
            read_back: copies the pixels to the host.
        """
        self.shape = shape
        """Height, width, 3."""
        self._owner = owner
        self._read_back = read_back

    @property
    def ndim(self) -> int:
        """Always 3."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Always uint8."""
        return np.dtype(np.uint8)

    @property
    def nbytes(self) -> int:
        """Bytes of its pixels, without padding."""
        height, width, components = self.shape
        return height * width * components

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        interface: dict[str, Any] = self._owner.__cuda_array_interface__
        return interface

    def __dlpack__(self, **options: Any) -> Any:
        """Hand out the memory; options that the library does not know are its `TypeError`."""
        return self._owner.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return kind (2 is CUDA) and number of the device."""
        kind, number = self._owner.__dlpack_device__()
        return int(kind), int(number)

    def to_host(self) -> Pixels:
        """Return a copy as a numpy array, (H, W, 3) uint8."""
        return self._read_back()

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise DevicePixelsError(
            "these pixels are on the GPU, and numpy would copy them unseen: to_host() copies them, and "
            "ImageReaderStage(output='numpy') gives numpy arrays"
        )

    def __reduce__(self) -> NoReturn:
        raise DevicePixelsError(
            "pixels on the GPU stay in the process that decoded them; for stages in other processes, or "
            "copies, use ImageReaderStage(output='numpy')"
        )

    def __repr__(self) -> str:
        return f"DeviceArray(shape={self.shape}, device={self.__dlpack_device__()})"
