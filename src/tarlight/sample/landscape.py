"""Painters of places: hills at dusk, a skyline by night, a meadow of flowers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tarlight.sample.canvas import (
    blend,
    cover,
    finish,
    glow,
    grid,
    layered_noise,
    length,
    noise,
    planes,
    ramp,
    ridge,
)

if TYPE_CHECKING:
    from PIL import Image

    from tarlight.sample.canvas import Field, Pixels, Size
    from tarlight.sample.palette import Colours


def hills(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint a low sun behind rows of hills, the nearest with firs."""
    width, height = size
    x, y = grid(size)
    horizon = rng.uniform(0.42, 0.6) * height
    image = ramp(
        np.broadcast_to(y / np.float32(horizon * 1.15), (height, width)) + noise(rng, size, 3) * 0.08,
        colours[1:],
    )
    sun = rng.uniform(0.2, 0.8) * width, horizon * rng.uniform(0.55, 0.95)
    away = length(x - sun[0], y - sun[1]).astype(np.float32)
    radius = min(size) * rng.uniform(0.06, 0.11)
    glow(image, colours[4], np.exp(-away / np.float32(radius * 2.2)) * np.float32(0.75))
    blend(image, np.float32(0.6) * colours[4] + np.float32(0.4), cover(np.float32(radius) - away))
    rows = int(rng.integers(4, 7))
    for row in range(rows):
        near = (row + 1) / rows
        line = horizon + (height - horizon) * 0.85 * near**1.5 - height * 0.07
        top = line - ridge(rng, width, 2 + row, 5) * height * (0.09 - 0.03 * near)
        if row == rows - 1:
            top = np.minimum(top, _firs(rng, top, height))
        tone = colours[3] * np.float32(1 - near) ** 1.4 + colours[0] * np.float32(0.9) * near
        _hill(image, top, tone, colours[4], 0.16 * (1 - near))
    return finish(rng, image), f"A low sun behind {rows} rows of hills"


def _hill(image: Pixels, top: Field, tone: Colours, mist: Colours, amount: float) -> None:
    """Paint everything below the line `top`, (W,), in `tone`, with mist along the line."""
    first = max(0, int(top.min()) - 1)
    below = np.arange(first, image.shape[1], dtype=np.float32)[:, None] - top[None, :]
    haze = np.clip(1 - below / np.float32(image.shape[1] * 0.3), 0, 1) * np.float32(amount)
    inside = cover(below)
    blend(image[:, first:], tone, inside)
    blend(image[:, first:], mist, inside * haze)


def _firs(rng: np.random.Generator, ground: Field, height: int) -> Field:
    """Return the outline of firs that stand on `ground`: (W,) y of their tops."""
    at = np.arange(len(ground), dtype=np.float32)
    top = ground.copy()
    for trunk in rng.uniform(0, len(ground), int(len(ground) * rng.uniform(0.06, 0.16))):
        tall = height * rng.uniform(0.04, 0.13)
        part = np.clip(np.abs(at - trunk) / (tall * 0.2), 0, 1)
        boughs = (1 - part) * tall + (part * 5 % 1) * tall * 0.09 * (part < 1)
        foot = ground[int(trunk)] + tall * 0.12
        top = np.where(part < 1, np.minimum(top, foot - boughs), top)
    return np.asarray(top, dtype=np.float32)


def skyline(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint a town by night over water: stars, a moon, lit windows, and all of it once more in the water."""
    width, height = size
    shore = round(height * rng.uniform(0.68, 0.78))
    x, y = grid((width, shore))
    sky = np.concatenate([colours[:1] * np.float32(0.5), colours[0:3]])
    image = ramp(
        np.broadcast_to((y / shore) ** 1.3, (shore, width)) * 0.95 + noise(rng, (width, shore), 3) * 0.06, sky
    )
    stars = rng.random((shore, width)) < 0.0016
    image[:, stars] += rng.uniform(0.2, 0.75, int(stars.sum())).astype(np.float32)
    moon = rng.uniform(0.15, 0.85) * width, rng.uniform(0.14, 0.34) * shore
    radius = np.float32(min(size) * rng.uniform(0.045, 0.08))
    away = length(x - moon[0], y - moon[1]).astype(np.float32)
    glow(image, colours[4], np.exp(-np.maximum(away - radius, 0) / (radius * 2.5)) * np.float32(0.5))
    face = np.float32(0.5) * colours[4] + np.float32(0.5)
    blend(image, face, cover(radius - away) * (0.86 + 0.14 * layered_noise(rng, (width, shore), 24, 2)))
    towers = _towers(rng, image, colours[1] * np.float32(0.62) + colours[2] * np.float32(0.12), colours, 0.75)
    towers += _towers(rng, image, colours[0] * np.float32(0.55), colours, 1.0)
    image = np.concatenate([image, _water(rng, image, height - shore, colours)], axis=1)
    return finish(rng, image), f"A moonlit skyline of {towers} towers above still water"


def _towers(rng: np.random.Generator, image: Pixels, wall: Colours, colours: Colours, scale: float) -> int:
    """Paint a row of towers with lit windows onto `image`, and return how many."""
    height, width = image.shape[1:]
    left, count = -int(rng.integers(0, 20)), 0
    while left < width:
        wide = int(rng.integers(22, 58) * scale) + 6
        tall = int(height * rng.triangular(0.1, 0.28, 0.68) * (1.25 - 0.35 * scale))
        right, top = left + wide, height - tall
        tower = image[:, top:, max(left, 0) : right]
        tower[:] = planes(wall) * np.linspace(1.25, 0.9, tall, dtype=np.float32)[None, :, None]
        _windows(rng, tower, colours)
        if rng.random() < 0.22 and 0 < left + wide // 2 < width:
            image[:, top - int(tall * 0.18) : top, left + wide // 2 : left + wide // 2 + 2] = planes(wall)
        left, count = right + int(rng.integers(-4, 7)), count + 1
    return count


def _windows(rng: np.random.Generator, tower: Pixels, colours: Colours) -> None:
    pitch = int(rng.integers(5, 8))
    panes = tower[:, 6:-4, 4:-3]
    if min(panes.shape) == 0:
        return
    lit = rng.random((panes.shape[1] // pitch + 1, panes.shape[2] // pitch + 1)) < rng.uniform(0.12, 0.5)
    warm = colours[4] * np.float32(0.75) + colours[3] * np.float32(0.25)
    light = planes(warm) * rng.uniform(0.55, 1.0, lit.shape).astype(np.float32)
    for down in range(pitch - 2):
        for right in range(pitch - 3):
            spots = panes[:, down::pitch, right::pitch]
            rows, columns = spots.shape[1:]
            np.copyto(spots, light[:, :rows, :columns], where=lit[:rows, :columns])


def _water(rng: np.random.Generator, above: Pixels, height: int, colours: Colours) -> Pixels:
    """Return the mirror image of `above`, pressed to `height` rows, rippled and darker with the distance."""
    down = np.arange(height)
    last = above.shape[1] - 1
    source = np.clip(last - (down * rng.uniform(1.3, 1.9)).astype(int), 0, last)
    ripple = np.sin(down * rng.uniform(0.5, 0.9) + 3 * np.sin(down * 0.13)) * (1 + down * 0.06)
    across = np.arange(above.shape[2])[None, :] + ripple[:, None].astype(int)
    mirror = above[:, source[:, None], np.clip(across, 0, above.shape[2] - 1)]
    fade = np.linspace(0.72, 0.38, height, dtype=np.float32)[:, None]
    return np.asarray(mirror * fade + planes(colours[1]) * np.float32(0.1), dtype=np.float32)


def meadow(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint flowers seen from above, small ones below large ones, on a dark ground of leaves."""
    leaves = layered_noise(rng, size, 14, 4)
    image = ramp(
        leaves * 0.9, np.stack([colours[0] * np.float32(0.45), colours[0], colours[1] * np.float32(0.8)])
    )
    area = size[0] * size[1]
    radii = np.sort(rng.triangular(0.045, 0.08, 0.2, int(rng.integers(20, 34)))) * area**0.5
    petals = 0
    for radius in radii:
        centre = rng.uniform(0, size[0]), rng.uniform(0, size[1])
        petals += _flower(rng, image, centre, float(radius), colours)
    return finish(rng, image), f"{len(radii)} flowers with {petals} petals among dark leaves"


def _flower(
    rng: np.random.Generator, image: Pixels, centre: tuple[float, float], radius: float, colours: Colours
) -> int:
    """Paint one flower and its shadow onto `image`, and return how many petals it has."""
    reach = radius * 1.25
    left, top = (max(0, int(at - reach)) for at in centre)
    patch = image[:, top : int(centre[1] + reach), left : int(centre[0] + reach)]
    if not patch.size:
        return 0
    x, y = grid((patch.shape[2], patch.shape[1]))
    x, y = x + np.float32(left - centre[0]), y + np.float32(top - centre[1])
    count, turn = int(rng.choice([5, 5, 6, 8, 8, 12])), rng.uniform(0, 6.3)
    inner, outer, heart = rng.permutation(4)[:3] + 1
    shadow = length(x - radius * 0.06, y - radius * 0.1)
    blend(
        patch,
        colours[0] * np.float32(0.2),
        np.clip(1.25 - shadow / np.float32(radius), 0, 1) * np.float32(0.6),
    )
    away, angle = length(x, y), np.arctan2(y, x)
    for ring, reach_of_ring in enumerate((1.0, 0.66)):
        wave = np.sqrt(np.abs(np.cos(angle * np.float32(count / 2) + np.float32(turn + ring * 1.571))))
        edge = np.float32(radius * reach_of_ring) * (np.float32(0.5) + np.float32(0.5) * wave)
        light = np.minimum(away / np.maximum(edge, 1), 1)
        tone = ramp(light * light, np.stack([colours[inner] * np.float32(0.85), colours[outer]]))
        tone *= np.float32(0.62) + np.float32(0.38) * wave
        blend(patch, tone, cover(edge - away))
    core = radius * 0.2
    blend(patch, colours[0] * np.float32(0.6), cover(core * 1.12 - away))
    blend(patch, colours[heart], cover(core - away) * (0.55 + 0.45 * np.cos(away * 2.1) * np.cos(angle * 9)))
    return 2 * count
