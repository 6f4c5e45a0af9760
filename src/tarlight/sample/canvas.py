"""What every painter needs: fields of coordinates, noise, colour ramps, blending.

Strategy: images are three planes, (3, H, W) in 0 to 1, painted back to front; planes blend ten times as fast
as pixels of three. Edges are made smooth from their distance in pixels (`cover`), which costs one pass, where
drawing at double size costs four.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from tarlight.sample.palette import Colours

Field = npt.NDArray[np.floating[Any]]
"""One value a pixel, (H, W); float32 wherever speed counts."""
Pixels = npt.NDArray[np.floating[Any]]
"""(3, H, W) sRGB, 0 to 1."""
Numbers = npt.NDArray[np.int32]
"""One whole number a pixel, (H, W)."""
Size = tuple[int, int]
"""Width and height in pixels."""

_STEPS = 1024


def grid(size: Size) -> tuple[Field, Field]:
    """Return the x and y of each pixel as fields that broadcast: (1, W) and (H, 1)."""
    width, height = size
    return np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]


def noise(rng: np.random.Generator, size: Size, cells: float) -> Field:
    """Return smooth noise in 0 to 1 with about `cells` bumps along the longer side."""
    step = max(size) / max(cells, 1.0)
    rough = rng.random((int(size[1] / step) + 3, int(size[0] / step) + 3), dtype=np.float32)
    smooth = Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC)
    return _limited(np.asarray(smooth))


def layered_noise(rng: np.random.Generator, size: Size, cells: float, layers: int = 4) -> Field:
    """Return noise of several scales, each half as strong as the one before, in 0 to 1.

    Made at half the size, which nobody sees in noise.
    """
    half = size[0] // 2 + 1, size[1] // 2 + 1
    total = np.zeros((half[1], half[0]), dtype=np.float32)
    for layer in range(layers):
        total += noise(rng, half, cells * 2**layer) * np.float32(0.5**layer)
    total /= np.float32(2 - 0.5 ** (layers - 1))
    return np.asarray(Image.fromarray(total).resize(size, Image.Resampling.BILINEAR))


def length(x: Field, y: Field) -> Field:
    """Return the distance of (x, y) from the origin; several times as fast as `np.hypot`."""
    return np.sqrt(x * x + y * y)


def ridge(rng: np.random.Generator, width: int, bumps: float, layers: int = 5) -> Field:
    """Return a mountain line: (W,) heights, about -1 to 1."""
    total = np.zeros(width, dtype=np.float32)
    for layer in range(layers):
        knots = rng.uniform(-1, 1, int(bumps * 2**layer) + 3)
        at = np.linspace(0, len(knots) - 1.001, width)
        part = at % 1
        ease = part * part * (3 - 2 * part)
        low = at.astype(int)
        total += ((knots[low] * (1 - ease) + knots[low + 1] * ease) * 0.5**layer).astype(np.float32)
    return total


def ramp(values: Field, colours: Colours) -> Pixels:
    """Map 0 to 1 onto a row of colours, with everything between them."""
    at = np.linspace(0, len(colours) - 1, _STEPS)
    table = np.stack([np.interp(at, range(len(colours)), colours[:, band]) for band in range(3)])
    index = (np.clip(values, 0, 1) * (_STEPS - 1)).astype(np.int16)
    return np.take(table.astype(np.float32), index, axis=1)


def cover(distance: Field) -> Field:
    """Return how much of a pixel is inside, 0 to 1, from its distance to the edge in pixels (inside > 0)."""
    return _limited(distance + 0.5)


def _limited(values: Field) -> Field:
    limited: Field = np.clip(values, 0, 1)
    return limited


def blend(image: Pixels, colour: Colours | Pixels, amount: Field) -> None:
    """Paint `colour`, one or one a pixel, onto `image`, in place; `amount` is 0 to 1 a pixel."""
    image += (planes(colour) - image) * amount


def glow(image: Pixels, colour: Colours, amount: Field) -> None:
    """Add light of a colour, in place, without burning out: 1 - (1 - a)(1 - b)."""
    image += (1 - image) * (planes(colour) * amount)


def planes(colour: Colours | Pixels) -> Pixels:
    """Return one colour, (3,), in a shape that goes with images."""
    return colour[:, None, None] if colour.ndim == 1 else colour


def from_image(picture: Image.Image) -> Pixels:
    """Return a Pillow RGB image as planes."""
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1)) / np.float32(255)


def to_image(image: Pixels) -> Image.Image:
    """Return planes as a Pillow RGB image; values outside 0 to 1 are cut off."""
    levels = np.clip(image * np.float32(255), 0, 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))


def finish(rng: np.random.Generator, image: Pixels, vignette: float = 0.18) -> Image.Image:
    """Darken the corners, add a breath of grain, and return an RGB image."""
    height, width = image.shape[1:]
    x, y = grid((width, height))
    edge = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * np.float32(2 * vignette)
    grain = rng.integers(-2, 4, (height, width), dtype=np.int8) * np.float32(1 / 255)
    return to_image(image * (1 - edge) + grain)
