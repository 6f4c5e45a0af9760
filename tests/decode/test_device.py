"""Which device is found, by the driver's word and the environment's."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.decode.device import LIBRARY, Device, NoDevice, find_device, visible

UUIDS = ["GPU-aa00", "GPU-ab11", "GPU-cc22"]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("1", [1]),
        ("2,0", [2, 0]),
        ("0, 2", [0, 2]),
        ("0,-1,2", [0]),
        ("0,7,2", [0]),
        ("1,1", []),
        ("GPU-cc", [2]),
        ("GPU-a", []),
        ("GPU-ab11,0", [1, 0]),
        ("MIG-GPU-cc22/1/0", [2]),
        ("none", []),
    ],
)
def test_cuda_visible_devices_is_applied_as_cuda_does(setting, expected):
    """Indices and unique prefixes of UUIDs choose, in their order, up to the first invalid one."""
    assert visible(UUIDS, setting) == expected


@given(st.text(alphabet="0123,-GPUabc ²", max_size=12))
def test_any_setting_gives_devices_that_exist(setting):
    """Whatever the variable holds, what is left are different devices that are there."""
    chosen = visible(UUIDS, setting)
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= {0, 1, 2}


def test_without_a_driver_the_reason_names_the_library():
    """A machine without the driver's library has no device, and the reason says which file is missing."""
    found = find_device("libtarlight-no-such.so")
    assert isinstance(found, NoDevice)
    assert "libtarlight-no-such.so" in found.why


def test_a_library_that_is_none_of_the_driver_is_no_device():
    """A library without the functions of NVML leads to a reason, never to an exception."""
    found = find_device("libc.so.6")
    assert isinstance(found, NoDevice)
    assert "nvmlInit_v2" in found.why


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((8, 0), True), ((9, 0), True), ((7, 5), False), ((8, 9), None), ((0, 0), None)],
)
def test_hardware_engines_are_known_by_compute_capability(capability, expected):
    """A100 and H100 have the engine, Turing has none, others have to be tried."""
    assert Device(0, "a GPU", 1 << 30, capability).has_hardware_jpeg is expected


@pytest.mark.gpu
def test_a_machine_with_a_device_describes_it():
    """Where the driver knows a visible device, it has a name and memory."""
    found = find_device(LIBRARY)
    if isinstance(found, NoDevice):
        pytest.skip(found.why)
    assert found.name
    assert found.memory_bytes > 1 << 30
    assert "CUDA_VISIBLE_DEVICES" not in os.environ or os.environ["CUDA_VISIBLE_DEVICES"]
