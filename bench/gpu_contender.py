"""One pass by one contender of `bench.gpu`: `python -m bench.gpu_contender NAME MACHINE SHARD...`.

MACHINE is `gpu`, or `cpu` for the rehearsal, in which the same libraries run on their CPU back ends.
"""

from __future__ import annotations

import itertools
import os
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench.contender import floor
from bench.measure import print_timing, timed
from tarlight.decode.nvimgcodec import Engine, NvimgcodecRung

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], int]

CORES = len(os.sched_getaffinity(0))
BATCH = 64
SHARE = 0.25


@dataclass(frozen=True)
class Contender:
    """Who takes part, and as what."""

    make: Callable[..., Work]
    kind: str
    """`ceiling`, `peer` or `ours`."""
    needs: str = ""
    """Module that has to be there."""
    on: tuple[str, ...] = ("gpu", "cpu")
    """Machines on which it can run."""

    def missing(self, machine: str) -> str:
        """Why it cannot take part here; empty when it can."""
        if machine not in self.on:
            return "needs a GPU"
        return f"{self.needs} is not installed" if self.needs and not _has(self.needs) else ""


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _encoded(shards: list[str]) -> list[bytes]:
    images = []
    for shard in shards:
        with tarfile.open(shard) as archive:
            images += [archive.extractfile(member).read() for member in archive]
    return images


def cpu(shards: list[str], machine: str) -> Work:  # noqa: ARG001 (the same everywhere)
    """All cores with libjpeg-turbo, bytes in RAM."""
    return floor(shards)


def _engine(shards: list[str], machine: str, engine: Engine) -> Work:
    images = _encoded(shards)
    engine = engine if machine == "gpu" else Engine.CPU
    rung = NvimgcodecRung(engine, 1 << 40, on_device=machine == "gpu", max_images=BATCH)
    backends = [rung.make() for _ in range(2)]

    def work() -> int:
        with ThreadPoolExecutor(len(backends)) as pool:
            return sum(pool.map(decode_half, range(len(backends))))

    def decode_half(number: int) -> int:
        mine, count = images[number :: len(backends)], 0
        for start in range(0, len(mine), BATCH):
            decoded = backends[number].decode(mine[start : start + BATCH])
            count += sum(pixels is not None for pixels in decoded)
        return count

    return work


def hardware(shards: list[str], machine: str) -> Work:
    """Decode with nvImageCodec on the hardware engine only, bytes in RAM, pixels dropped on the device."""
    return _engine(shards, machine, Engine.HARDWARE)


def cuda(shards: list[str], machine: str) -> Work:
    """Decode with nvImageCodec on CUDA only, bytes in RAM, pixels dropped on the device."""
    return _engine(shards, machine, Engine.CUDA)


def torchvision(shards: list[str], machine: str) -> Work:
    """Decode with torchvision's batched `decode_jpeg`, bytes in RAM."""
    import torch  # noqa: PLC0415
    from torchvision.io import ImageReadMode, decode_jpeg  # noqa: PLC0415

    device = "cuda" if machine == "gpu" else "cpu"
    images = [torch.frombuffer(bytearray(image), dtype=torch.uint8) for image in _encoded(shards)]

    def work() -> int:
        count = 0
        for start in range(0, len(images), BATCH):
            count += len(decode_jpeg(images[start : start + BATCH], mode=ImageReadMode.RGB, device=device))
        if machine == "gpu":
            torch.cuda.synchronize()
        return count

    return work


def dali_webdataset(shards: list[str], machine: str) -> Work:
    """DALI's own `readers.webdataset` and mixed decode."""
    from nvidia.dali import fn, pipeline_def  # noqa: PLC0415

    device_id, kind = (0, "mixed") if machine == "gpu" else (None, "cpu")

    @pipeline_def(batch_size=BATCH, num_threads=CORES, device_id=device_id)
    def definition() -> object:
        encoded = fn.readers.webdataset(paths=shards, ext=["jpg"], name="reader")
        return fn.decoders.image(encoded, device=kind)

    pipe = definition()
    pipe.build()
    size = pipe.epoch_size("reader")

    def work() -> int:
        for _ in itertools.repeat(None, -(-size // BATCH)):
            pipe.run()
        return size

    return work


def ours(shards: list[str], machine: str, **options: object) -> Work:
    """Tarlight's stream, pixels dropped as they come."""
    from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline  # noqa: PLC0415

    share = SHARE if machine == "gpu" else 0
    options = {"decoder": "auto" if machine == "gpu" else "dali", **options}

    def work() -> int:
        reader = ImageReaderStage(num_threads=CORES, num_gpus_per_worker=share, verbose=False, **options)
        pipeline = Pipeline(stages=[FilePartitioningStage(shards), reader])
        return sum(len(batch.data) for batch in pipeline.stream())

    return work


def ours_device(shards: list[str], machine: str) -> Work:
    """As `ours`, pixels dropped on the device."""
    return ours(shards, machine, output="device")


def ours_strict(shards: list[str], machine: str) -> Work:
    """As `ours`, with libjpeg-turbo's look at all data."""
    return ours(shards, machine, verify="strict")


CONTENDERS = {
    "all cores, libjpeg-turbo": Contender(cpu, "ceiling"),
    "hardware engine only": Contender(hardware, "ceiling", "nvidia.nvimgcodec", on=("gpu",)),
    "CUDA only": Contender(cuda, "ceiling", "nvidia.nvimgcodec"),
    "torchvision decode_jpeg": Contender(torchvision, "ceiling", "torchvision"),
    "DALI readers.webdataset": Contender(dali_webdataset, "peer", "nvidia.dali"),
    "ours, host output": Contender(ours, "ours", "nvidia.dali"),
    "ours, device output": Contender(ours_device, "ours", "nvidia.dali"),
    "ours, verify=strict": Contender(ours_strict, "strict", "nvidia.dali"),
}


def main(name: str, machine: str, shards: list[str]) -> None:
    """Warm up with one pass, then time one."""
    work = CONTENDERS[name].make(shards, machine)
    work()
    print_timing(timed(work))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
