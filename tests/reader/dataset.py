"""Small datasets for tests of the reader: real JPEGs in real tars."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import simplejpeg

from tarlight.pipeline import Pipeline
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.stages.image.io.image_reader import ImageReaderStage


def jpeg(seed=0, width=24, height=16):
    """A small picture, different for every seed."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.stack(
        [(x * 9 + seed * 37) % 256, (y * 13 + seed * 11) % 256, (x + y + seed * 71) % 256], axis=-1
    )
    return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels.astype(np.uint8)), quality=90)


def pixels(data):
    """What the image must be delivered as."""
    return simplejpeg.decode_jpeg(data, "RGB")


def write_tar(path, members, tar_format=tarfile.USTAR_FORMAT):
    """Write (name, bytes) pairs as a tar; a `.gz` path is compressed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w", format=tar_format) as shard:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))
    return str(path)


def record(index, *, seed=None):
    """The members of one record: an image, its caption and its json."""
    key = f"{index:06d}"
    return [
        (f"{key}.jpg", jpeg(index if seed is None else seed)),
        (f"{key}.txt", f"picture number {index}".encode()),
        (f"{key}.json", json.dumps({"index": index}).encode()),
    ]


def write_shards(folder, shards=3, records=5):
    """Write shards of sound records; keys count on from shard to shard."""
    return [
        write_tar(
            Path(folder) / f"{shard:05d}.tar",
            [member for index in range(records) for member in record(shard * records + index)],
        )
        for shard in range(shards)
    ]


def pipeline(paths, *, files_per_partition=None, **options):
    """The documented pipeline over `paths`, silent."""
    reader = ImageReaderStage(**{"num_threads": 2, "verbose": False, **options})
    return Pipeline("test", stages=[FilePartitioningStage(paths, files_per_partition), reader])


def load(paths, **options):
    """Run the documented pipeline."""
    return pipeline(paths, **options).run()


def images(result):
    """All images of a result, in order."""
    return [image for batch in result for image in batch.data]


def ids(result):
    """Their ids."""
    return [image.image_id for image in images(result)]
