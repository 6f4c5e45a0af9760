"""Finds the CUDA device that a decoder would use, without CUDA.

The driver's management library (NVML) is asked, through ctypes: it makes no CUDA context. `cuInit` would be
the plainer question, but a process that has called it cannot fork children that use CUDA, and asking in a
child process costs a start of Python. NVML does not know `CUDA_VISIBLE_DEVICES`, so it is applied here by the
rules of the CUDA Programming Guide. Two things follow: a machine whose driver comes without NVML (Jetson)
counts as one without a device, and where several devices are visible, CUDA may number them in another order
than NVML does, so the smallest of them is described.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIBRARY: Final = "libnvidia-ml.so.1"
"""Comes with every NVIDIA driver for Linux but Jetson's."""

_TEXT_BYTES: Final = 96
_WITH_ENGINE: Final = frozenset({(8, 0), (9, 0), (10, 0)})
_FIRST_WITH_ENGINE: Final = (8, 0)


@dataclass(frozen=True, slots=True)
class Device:
    """One CUDA device. `index` is CUDA's, counted among the visible ones."""

    index: int
    """What CUDA libraries call it in this process."""
    name: str
    """Name of the product."""
    memory_bytes: int
    """All of its memory, used or not."""
    compute_capability: tuple[int, int]
    """Major and minor; (0, 0) where the driver does not say."""

    @property
    def has_hardware_jpeg(self) -> bool | None:
        """True for the data-center chips that are known to have a JPEG engine (A100, H100, B200 and kin).

        False for older ones; None where it is not known and has to be tried.
        """
        if self.compute_capability in _WITH_ENGINE:
            return True
        return False if (0, 0) < self.compute_capability < _FIRST_WITH_ENGINE else None


@dataclass(frozen=True, slots=True)
class NoDevice:
    """There is no CUDA device to use."""

    why: str
    """What is missing, for people."""


class _Memory(ctypes.Structure):
    """`nvmlMemory_t` of nvml.h."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _NvmlError(Exception):
    """A call of NVML did not succeed."""


def find_device(library: str = LIBRARY) -> Device | NoDevice:
    """Return the CUDA device that this process would use first, or why there is none.

    Loads no CUDA, makes no context, and may be called before a fork; never raises.

    Args:
        library: file name of NVML.
    """
    try:
        nvml = ctypes.CDLL(library)
    except OSError:
        return NoDevice(f"no NVIDIA driver was found ({library} is not there)")
    try:
        with _session(nvml):
            return _first_visible(nvml)
    except (_NvmlError, AttributeError) as error:
        return NoDevice(f"the NVIDIA driver does not answer ({error})")


def visible(uuids: Sequence[str], setting: str | None) -> list[int]:
    """Return which devices `CUDA_VISIBLE_DEVICES` leaves, as indices into `uuids`, in its order.

    Args:
        uuids: of all devices, such as `GPU-4b0c...`.
        setting: the value of the variable; None where it is not set, which leaves all.
    """
    if setting is None:
        return list(range(len(uuids)))
    chosen: list[int] = []
    for word in setting.split(","):
        index = _index_of(word.strip(), uuids)
        if index is None:  # what follows an invalid entry is not visible
            break
        if index in chosen:  # a device named twice hides all of them
            return []
        chosen.append(index)
    return chosen


def _index_of(word: str, uuids: Sequence[str]) -> int | None:
    if word.isascii() and word.isdigit():
        return int(word) if int(word) < len(uuids) else None
    if word.startswith("MIG-GPU-"):  # MIG-GPU-<uuid>/<gpu instance>/<compute instance>
        word = word.removeprefix("MIG-").partition("/")[0]
    found = [index for index, uuid in enumerate(uuids) if word.startswith("GPU-") and uuid.startswith(word)]
    return found[0] if len(found) == 1 else None


@contextmanager
def _session(nvml: ctypes.CDLL) -> Iterator[None]:
    _call(nvml, "nvmlInit_v2")
    try:
        yield
    finally:
        _call(nvml, "nvmlShutdown")


def _first_visible(nvml: ctypes.CDLL) -> Device | NoDevice:
    handles = _handles(nvml)
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = visible([_text(nvml, "nvmlDeviceGetUUID", handle) for handle in handles], setting)
    if not chosen:
        told = "" if setting is None else f", CUDA_VISIBLE_DEVICES={setting!r} leaves none"
        return NoDevice(f"the NVIDIA driver knows {len(handles)} devices{told}")
    if os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID":
        chosen = chosen[:1]
    return min((_describe(nvml, handles[index]) for index in chosen), key=lambda device: device.memory_bytes)


def _handles(nvml: ctypes.CDLL) -> list[ctypes.c_void_p]:
    count = ctypes.c_uint()
    _call(nvml, "nvmlDeviceGetCount_v2", ctypes.byref(count))
    handles = [ctypes.c_void_p() for _ in range(count.value)]
    for index, handle in enumerate(handles):
        _call(nvml, "nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle))
    return handles


def _describe(nvml: ctypes.CDLL, handle: ctypes.c_void_p) -> Device:
    memory, major, minor = _Memory(), ctypes.c_int(), ctypes.c_int()
    _call(nvml, "nvmlDeviceGetMemoryInfo", handle, ctypes.byref(memory))
    _call(nvml, "nvmlDeviceGetCudaComputeCapability", handle, ctypes.byref(major), ctypes.byref(minor))
    name = _text(nvml, "nvmlDeviceGetName", handle)
    return Device(0, name, int(memory.total), (major.value, minor.value))


def _text(nvml: ctypes.CDLL, function: str, handle: ctypes.c_void_p) -> str:
    text = ctypes.create_string_buffer(_TEXT_BYTES)
    _call(nvml, function, handle, text, ctypes.c_uint(_TEXT_BYTES))
    return text.value.decode("ascii", "replace")


def _call(nvml: ctypes.CDLL, function: str, *arguments: object) -> None:
    """Call a function that returns `nvmlReturn_t`, where 0 is success."""
    status = getattr(nvml, function)(*arguments)
    if status != 0:
        raise _NvmlError(f"{function} returned {status}")
