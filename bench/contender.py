"""One pass over shards by one contender, in its own process: `python -m bench.contender NAME SHARD...`."""

from __future__ import annotations

import io
import itertools
import os
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor

from bench.measure import print_timing, timed

CORES = len(os.sched_getaffinity(0))

Work = "Callable[[], int]"


def floor(shards: list[str]) -> Work:
    """Bare libjpeg-turbo on all cores over bytes in RAM: what no loader can beat."""
    import simplejpeg  # noqa: PLC0415

    images = []
    for shard in shards:
        with tarfile.open(shard) as archive:
            images += [archive.extractfile(m).read() for m in archive if m.name.endswith((".jpg", ".jpeg"))]

    def decode_some(first: int) -> int:
        mine = images[first::CORES]
        for image in mine:
            simplejpeg.decode_jpeg(image, "RGB", strict=True)
        return len(mine)

    def work() -> int:
        with ThreadPoolExecutor(CORES) as pool:
            return sum(pool.map(decode_some, range(CORES)))

    return work


def ours(shards: list[str], *, fields: tuple[str, ...] = ()) -> Work:
    """Tarlight's stream, pixels dropped as they come."""
    from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline  # noqa: PLC0415

    def work() -> int:
        reader = ImageReaderStage(num_threads=CORES, fields=fields, verbose=False)
        pipeline = Pipeline(stages=[FilePartitioningStage(shards), reader])
        return sum(len(batch.data) for batch in pipeline.stream())

    return work


def ours_fields(shards: list[str]) -> Work:
    """As `ours`, with captions and json attached."""
    return ours(shards, fields=("txt", "json"))


def tarfile_pillow(shards: list[str]) -> Work:
    """Stdlib tarfile and Pillow, as a loop that people write."""
    import numpy as np  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    def work() -> int:
        count = 0
        for shard in shards:
            with tarfile.open(shard) as archive:
                for member in archive:
                    if member.name.endswith(".jpg"):
                        data = archive.extractfile(member).read()
                        np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
                        count += 1
        return count

    return work


def webdataset(shards: list[str]) -> Work:
    """WebDataset with its `rgb8` decoder (Pillow)."""
    import webdataset as wds  # noqa: PLC0415

    def work() -> int:
        dataset = wds.WebDataset(shards, shardshuffle=False, empty_check=False).decode("rgb8").to_tuple("jpg")
        return sum(1 for _ in dataset)

    return work


def dali_cpu(shards: list[str]) -> Work:
    """DALI's own webdataset reader and decoder on the CPU."""
    from nvidia.dali import fn, pipeline_def  # noqa: PLC0415

    @pipeline_def(batch_size=100, num_threads=CORES, device_id=None)
    def definition() -> object:
        encoded = fn.readers.webdataset(
            paths=shards, ext=["jpg"], missing_component_behavior="skip", name="reader"
        )
        return fn.decoders.image(encoded, device="cpu")

    pipe = definition()
    pipe.build()
    size = pipe.epoch_size("reader")

    def work() -> int:
        count = 0
        for _ in itertools.repeat(None, -(-size // 100)):
            count += len(pipe.run()[0])
        return min(count, size)

    return work


CONTENDERS = {
    "floor": floor,
    "ours": ours,
    "ours+fields": ours_fields,
    "tarfile+Pillow": tarfile_pillow,
    "WebDataset": webdataset,
    "DALI CPU": dali_cpu,
}

NEEDS = {"WebDataset": "webdataset", "DALI CPU": "nvidia-dali-cuda120"}
"""Peers that are left out, by name, where their distribution is not installed."""


def main(name: str, shards: list[str]) -> None:
    """Warm up with one pass, then time one."""
    work = CONTENDERS[name](shards)
    work()
    print_timing(timed(work))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
