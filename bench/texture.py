"""JPEGs that look like photographs to a decoder: smooth shapes, edges and grain at every scale."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = {"small": (560, 360), "medium": (1632, 1224), "large": (4000, 3000)}
"""Width and height: 0.2, 2 and 12 Mpix."""

_QUALITY = 85


def texture(width: int, height: int, seed: int) -> np.ndarray:
    """Noise whose strength halves from each scale to the next finer one, as in photographs: (H, W, 3)."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    strength, cells = 90.0, 3
    while cells < max(width, height):
        coarse = random.integers(0, 256, (max(cells * height // width, 2), cells, 3), np.uint8)
        fine = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        total += (np.asarray(fine, np.float32) - 128) * (strength / 128)
        strength, cells = strength / 2, cells * 2
    return np.clip(total + 128, 0, 255).astype(np.uint8)


def jpegs(size: str, count: int, shrink: int = 1) -> list[bytes]:
    """Different JPEGs of one size, 4:2:0; `shrink` divides width and height."""
    width, height = (side // shrink for side in SIZES[size])
    return [
        simplejpeg.encode_jpeg(texture(width, height, seed), _QUALITY, "RGB", "420") for seed in range(count)
    ]


def odd_jpegs(shrink: int = 1) -> list[bytes]:
    """Kinds that a device may treat in a way of its own: gray, progressive, CMYK, 4:4:4, turned by EXIF."""
    width, height = (side // shrink for side in SIZES["small"])
    picture, turned = Image.fromarray(texture(width, height, 99)), Image.Exif()
    turned[274] = 6
    return [
        _save(picture.convert("L")),
        _save(picture, progressive=True),
        _save(picture.convert("CMYK")),
        _save(picture, subsampling="4:4:4"),
        _save(picture, exif=turned),
    ]


def _save(picture: Image.Image, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=_QUALITY, **options)
    return target.getvalue()


def write_shards(folder: Path, images: list[bytes], count: int, bad_every: int = 0) -> list[str]:
    """Write `count` images, round and round, in four shards; every `bad_every`th loses its second half."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05d}.tar" for number in range(4)]
    for number, path in enumerate(paths):
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as shard:
            for index, data in _share(images, count, number, bad_every):
                member = tarfile.TarInfo(f"{index:09d}.jpg")
                member.size = len(data)
                shard.addfile(member, io.BytesIO(data))
    return [str(path) for path in paths]


def _share(images: list[bytes], count: int, number: int, bad_every: int) -> Iterator[tuple[int, bytes]]:
    for index in range(number * count // 4, (number + 1) * count // 4):
        data = images[index % len(images)]
        is_bad = bad_every and index % bad_every == bad_every // 2
        yield index, data[: len(data) // 2] if is_bad else data
