"""Pixels that stay on a device, on a device that is none: the memory of numpy, handed out as a GPU's is."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from tarlight.decode import DeviceArray
from tarlight.errors import DevicePixelsError, TarlightError
from tarlight.tasks import ImageObject
from tests.decode.fakes import on_fake_device
from tests.decode.jpegs import paint

PIXELS = paint(5, 4)


def test_memory_is_handed_out_without_a_copy():
    """DLPack and the CUDA array interface lead to the memory of the library, not to a copy of it."""
    pixels = PIXELS.copy()
    array = on_fake_device(pixels)
    shared = np.from_dlpack(array)
    pixels[0, 0] = (1, 2, 3)
    assert np.array_equal(shared, pixels)
    address, _ = array.__cuda_array_interface__["data"]
    assert address == pixels.ctypes.data
    assert array.__dlpack_device__() == pixels.__dlpack_device__()


def test_it_has_the_facts_of_an_array():
    """Shape, type, dimensions and bytes are those of a numpy array of the same image."""
    array = on_fake_device(PIXELS)
    assert (array.shape, array.dtype, array.ndim, array.nbytes) == (
        PIXELS.shape,
        PIXELS.dtype,
        PIXELS.ndim,
        PIXELS.nbytes,
    )
    image = ImageObject(image_data=array)
    assert image.image_data is array
    assert image.num_bytes == PIXELS.nbytes
    assert "(4, 5, 3)" in repr(image)


def test_numpy_does_not_take_it_for_an_array():
    """An unseen copy to the host is an error that names the two ways to ask for one."""
    array = on_fake_device(PIXELS)
    with pytest.raises(DevicePixelsError, match=r"to_host\(\).*output='numpy'"):
        np.asarray(array)
    host = array.to_host()
    assert np.array_equal(host, PIXELS)
    assert not np.shares_memory(host, PIXELS)


@pytest.mark.parametrize("send", [pickle.dumps, copy.deepcopy])
def test_it_stays_in_its_process(send):
    """Pickling or copying pixels on a device is an error that says what to ask for instead."""
    with pytest.raises(DevicePixelsError, match="output='numpy'") as caught:
        send(ImageObject(image_data=on_fake_device(PIXELS)))
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, TarlightError)
    assert isinstance(again, TypeError)


def test_options_of_dlpack_are_the_librarys():
    """An option that the library does not know is its own error, as callers of DLPack expect."""
    with pytest.raises(TypeError):
        on_fake_device(PIXELS).__dlpack__(no_such_option=1)


def test_dali_tensors_are_handed_out():
    """What DALI gives hands out its memory as such an array, here from its tensors on the CPU."""
    from nvidia.dali.tensors import TensorCPU  # noqa: PLC0415

    tensor = TensorCPU(PIXELS.copy())
    array = DeviceArray(tensor, tuple(tensor.shape()), lambda: np.array(tensor.as_cpu()))
    assert np.array_equal(np.from_dlpack(array), PIXELS)
    assert np.array_equal(array.to_host(), PIXELS)
