"""The data that benchmarks run on: the photos of the corpus, or a drawn sample where there is none."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import simplejpeg

from bench.measure import ROOT

CACHE = ROOT / "build" / "bench"


def corpus() -> Path | None:
    """The test corpus, if it is there."""
    folder = Path(os.environ.get("TARLIGHT_CORPUS") or ROOT.parent / "shared" / "corpus")
    return folder if (folder / "photos").is_dir() else None


def photos() -> list[Path]:
    """Shards of photographs of about 0.2 Mpix, each with its caption and json."""
    found = corpus()
    if found is not None:
        return sorted((found / "photos").glob("*.tar"))
    from tarlight.sample import write_sample  # noqa: PLC0415 (only where there is no corpus)

    folder = CACHE / "sample"
    if not folder.is_dir():
        write_sample(folder, num_images=900, num_shards=5)
    return sorted(folder.glob("*.tar"))


def mixed() -> Path | None:
    """One shard of 1,000 good photographs with 56 broken images between them."""
    found = corpus()
    return None if found is None else found / "mixed" / "00000.tar"


def without_broken(shard: Path, good: set[str]) -> Path:
    """A copy of a shard with only the records in `good`."""
    target = CACHE / f"good-{shard.parent.name}-{shard.name}"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tarfile.open(shard) as source, tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as copy:
            for member in source:
                if member.name.partition(".")[0] in good:
                    copy.addfile(member, source.extractfile(member))
    return target


def tiny_shards(num_shards: int) -> list[Path]:
    """As many shards of one record each: links to one file, which are not resolved and so are read each."""
    shard = tiny_records(1)
    folder = CACHE / f"tiny-shards-{num_shards}"
    folder.mkdir(parents=True, exist_ok=True)
    links = [folder / f"{number:05d}.tar" for number in range(num_shards)]
    for link in links:
        if not link.is_symlink():
            link.symlink_to(shard.resolve())
    return links


def tiny_records(num_records: int) -> Path:
    """A shard of one-pixel JPEGs with captions and json beside them: all cost, no decoding."""
    target = CACHE / f"tiny-{num_records}.tar"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        pixel = simplejpeg.encode_jpeg(np.full((1, 1, 3), 128, np.uint8))
        with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as shard:
            for index in range(num_records):
                for field, data in (("jpg", pixel), ("txt", b"one gray pixel"), ("json", b'{"width": 1}')):
                    member = tarfile.TarInfo(f"{index:09d}.{field}")
                    member.size = len(data)
                    shard.addfile(member, io.BytesIO(data))
    return target
