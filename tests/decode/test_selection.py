"""Who is chosen, by what is here, and how the choice is told (C9)."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest

from tarlight.decode import Share, select_decoder
from tarlight.decode import selection as rules
from tarlight.decode.device import Device, NoDevice, find_device
from tarlight.errors import ArgumentError, DecoderUnavailableError, TarlightError
from tests.decode.jpegs import encoded, save

CPU_ONLY = Share(gpus=0)
H100 = Device(0, "NVIDIA H100", 80 << 30, (9, 0))


def choice(*, on_device=False, share=None):
    return rules._Choice(rules.TurboDecoder(), share or Share(), False, on_device, 64)


def test_auto_without_a_device_is_turbo_and_says_so():
    """`auto` on the CPU is libjpeg-turbo, and the reason says why no GPU is used."""
    decoder = select_decoder("auto", share=CPU_ONLY)
    assert decoder.name == "turbo"
    assert decoder.reason == (
        "auto: libjpeg-turbo is the fastest decoder on the CPU; no GPU is used: num_gpus_per_worker=0 asks "
        "for the CPU only"
    )


def test_dali_by_name_works_on_the_cpu_and_says_so():
    """`dali` without a device decodes on the CPU, and its reason says why."""
    decoder = select_decoder("dali", share=CPU_ONLY)
    assert decoder.reason.startswith("asked for by name, on the CPU: num_gpus_per_worker=0")
    (result,) = decoder.decode([encoded(save())])
    assert result.decoder == "dali"


def test_nvimgcodec_without_a_device_is_an_error_that_helps():
    """`nvimgcodec` without a device says what is missing, and what to do instead."""
    with pytest.raises(DecoderUnavailableError, match="CUDA device") as caught:
        select_decoder("nvimgcodec", share=CPU_ONLY)
    is_installed = importlib.util.find_spec("nvidia.nvimgcodec") is not None
    assert ("tarlight[nvimgcodec]" in str(caught.value)) is not is_installed
    assert str(caught.value).endswith(". decoder='auto' takes the fastest decoder that there is")
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, TarlightError | RuntimeError)
    assert str(again) == str(caught.value)


def test_a_library_that_is_not_installed_is_named_with_its_extra():
    """Without its library a decoder asked for by name is an error that names the extra."""
    code = (
        "import sys, importlib.abc\n"
        "class Hide(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'nvidia': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hide())\n"
        "from tarlight.decode import select_decoder\n"
        "print(select_decoder('auto').name)\n"
        "for name in ('dali', 'nvimgcodec'):\n"
        "    try: select_decoder(name)\n"
        "    except RuntimeError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    auto, dali, nvimgcodec = ran.stdout.splitlines()
    assert auto == "turbo"
    assert "not installed" in dali
    assert "tarlight[dali]" in dali
    assert "not installed" in nvimgcodec
    assert "tarlight[nvimgcodec]" in nvimgcodec


def test_choosing_imports_no_gpu_library():
    """Selecting a decoder, even DALI, imports nothing of it, nor torch: the first image does."""
    code = (
        "import sys\n"
        "from tarlight.decode import select_decoder\n"
        "select_decoder('auto'), select_decoder('dali')\n"
        "print(*[name for name in sys.modules if name.startswith(('nvidia.', 'torch', 'cupy'))])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


def test_output_on_a_device_that_is_not_there_is_told():
    """`output="device"` without a device gives numpy arrays, and the reason says so."""
    for name in ("auto", "dali"):
        decoder = select_decoder(name, output="device", share=CPU_ONLY)
        assert "numpy arrays" in decoder.reason
        (result,) = decoder.decode([encoded(save())])
        assert result.pixels.shape == (28, 40, 3)


@pytest.mark.parametrize("package", ["dali", "nvimgcodec"])
def test_a_device_that_a_library_cannot_use_costs_no_image(package):
    """When a library fails on the device that the driver names, the CPU decodes, or the name is an error."""
    chosen, nowhere = choice(), replace(H100, index=99)
    rungs = chosen._engines(nowhere) if package == "nvimgcodec" else (chosen._dali_rung(nowhere),)
    decoder = chosen._ladder(package, "auto: it was there", rungs)
    decoder.prepare()
    (result,) = decoder.decode([encoded(save())])
    assert (result.decoder, result.fallback) == ("turbo", "decoder or device lost")
    assert len(decoder.notes) == len(rungs)
    with pytest.raises(DecoderUnavailableError, match=f"decoder='{package}' does not work here"):
        chosen._ladder(package, "asked for by name, on a GPU", rungs).prepare()


@pytest.mark.parametrize(
    ("capability", "engines"),
    [
        ((9, 0), ["nvimgcodec-hardware", "nvimgcodec"]),
        ((8, 9), ["nvimgcodec-hardware", "nvimgcodec"]),
        ((7, 5), ["nvimgcodec"]),
    ],
)
def test_the_hardware_engine_is_tried_unless_there_is_none(capability, engines):
    """Rungs on a device: the engine where it may exist, then CUDA; together they keep to the budget."""
    rungs = choice()._engines(replace(H100, compute_capability=capability))
    assert [rung.name for rung in rungs] == engines
    assert sum(rung.budget_bytes for rung in rungs) <= 20 << 30


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (Share(), 20 << 30),
        (Share(1), 80 << 30),
        (Share(2), 80 << 30),
        (Share(1, 0.5), 40 << 30),
        (Share(0.5, 1), 80 << 30),
    ],
)
def test_the_share_of_memory_follows_the_share_of_the_gpu(share, expected):
    """A quarter of a GPU is a quarter of its memory, unless another fraction is asked for."""
    assert share.budget_bytes(H100) == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "jpeg2000"}, "decoder must be one of 'auto', 'turbo', 'pillow', 'dali', 'nvimgcodec'"),
        ({"verify": "never"}, "verify must be one of 'headers', 'strict'"),
        ({"output": "disk"}, "output must be one of 'numpy', 'device'"),
        ({"damaged": "hide"}, "damaged must be one of 'skip', 'deliver'"),
    ],
)
def test_values_that_are_not_allowed_are_named(options, told):
    """Each option says what it may be."""
    with pytest.raises(ArgumentError, match=told):
        select_decoder(**{"name": "auto", **options})


@pytest.mark.parametrize("fraction", [0, -1, 1.5])
def test_fractions_of_memory_are_checked(fraction):
    """`gpu_memory_fraction` is above 0 and at most 1."""
    with pytest.raises(ArgumentError, match="gpu_memory_fraction"):
        Share(0.25, fraction)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["dali", "nvimgcodec"])
@pytest.mark.parametrize("output", ["numpy", "device"])
def test_a_device_decodes(name, output):
    """Where there is a device, each library decodes on it, into host or device memory."""
    device = find_device()
    if isinstance(device, NoDevice):
        pytest.skip(device.why)
    (result,) = select_decoder(name, output=output).decode([encoded(save())])
    assert result.decoder.startswith(name)
    assert tuple(result.pixels.shape) == (28, 40, 3)
    assert (output == "device") == hasattr(result.pixels, "__cuda_array_interface__")
