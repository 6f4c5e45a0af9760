"""Painters of patterns: tiles, glass, waves, agate, blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tarlight.sample.canvas import blend, cover, finish, grid, layered_noise, length, noise, planes, ramp

if TYPE_CHECKING:
    from PIL import Image

    from tarlight.sample.canvas import Field, Numbers, Size
    from tarlight.sample.palette import Colours


def truchet(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint quarter circles on square tiles, each turned at random, so that they join into ribbons."""
    cell = float(rng.uniform(34, 76))
    x, y = grid(size)
    column, row = np.floor(x / cell), np.floor(y / cell)
    turned = rng.random((int(row.max()) + 1, int(column.max()) + 1)) < 0.5
    u, v = x / cell - column, y / cell - row
    u = np.where(turned[row.astype(int), column.astype(int)], u, 1 - u).astype(np.float32)
    away = np.minimum(length(u, v), length(1 - u, 1 - v))
    distance = np.abs(away - np.float32(0.5)) * np.float32(cell)
    drift = noise(rng, size, 3)
    image = ramp(drift * 0.25, colours[:2]) * np.float32(0.9)
    hue = ramp((drift * 1.3 + x / size[0] * 0.5) % 1, np.concatenate([colours[2:], colours[2:3]]))
    blend(image, colours[0] * np.float32(0.45), cover(np.float32(cell * 0.27) - distance))
    blend(image, hue, cover(np.float32(cell * 0.21) - distance))
    blend(image, colours[4], cover(np.float32(cell * 0.045) - distance) * 0.85)
    return finish(rng, image), f"Truchet tiles: {turned.size} quarter turns that join into winding ribbons"


def stained_glass(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint a window of irregular panes (Voronoi cells of a shaken grid) between lead lines."""
    cell = float(rng.uniform(42, 84))
    nearest, second, pane = _panes(rng, size, cell)
    tints = colours[rng.integers(1, 5, 4096)] * rng.uniform(0.75, 1.12, (4096, 1)).astype(np.float32)
    image = np.take(tints.T, pane % 4096, axis=1)
    x, y = grid(size)
    sun = rng.uniform(0.2, 0.8) * size[0], rng.uniform(0.0, 0.5) * size[1]
    light = np.exp(-length(x - sun[0], y - sun[1]) / np.float32(0.55 * max(size)))
    image *= 0.55 + 0.75 * light + 0.22 * layered_noise(rng, size, 40, 2)
    border = (second - nearest) / 2
    image *= 0.72 + 0.28 * np.clip(border / np.float32(cell * 0.22), 0, 1)
    blend(image, colours[0] * np.float32(0.35), cover(np.float32(max(2.0, cell * 0.05)) - border))
    return finish(rng, image), f"A stained glass window of {len(np.unique(pane))} panes"


def _panes(rng: np.random.Generator, size: Size, cell: float) -> tuple[Field, Field, Numbers]:
    """Return each pixel's distance to the nearest and second nearest seed, and the nearest's number.

    Each seed is compared with the pixels around it only. The second distance is infinite where no other seed
    is near, which is never at a border.
    """
    x, y = grid(size)
    nearest = np.full((size[1], size[0]), np.inf, dtype=np.float32)
    second, pane = nearest.copy(), np.zeros(nearest.shape, dtype=np.int32)
    columns, rows = (int(side / cell) + 4 for side in size)
    reach = 1.6 * cell
    for number, (right, down) in enumerate(rng.uniform(-1.4, -0.6, (rows * columns, 2)).tolist()):
        centre = (right + number % columns) * cell, (down + number // columns) * cell
        across, along = (slice(max(0, int(at - reach)), max(0, int(at + reach))) for at in centre)
        far = (x[:, across] - centre[0]) ** 2 + (y[along] - centre[1]) ** 2
        near = nearest[along, across]
        np.copyto(pane[along, across], number, where=far < near)
        np.minimum(second[along, across], np.maximum(far, near), out=second[along, across])
        np.minimum(far, near, out=near)
    return np.sqrt(nearest), np.sqrt(second), pane


def waves(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint seigaiha: rows of overlapping scales, each of a few rings, as on Japanese cloth."""
    radius = float(rng.uniform(30, 64))
    rings = int(rng.integers(3, 6))
    distance, scale = _scales(size, radius)
    shade = noise(rng, size, 2.5) * 0.55 + rng.random(8192, dtype=np.float32)[scale % 8192] * 0.45
    phase = (1 - distance / np.float32(radius)) * np.float32(rings)
    image = ramp(shade, colours[1:4])
    width = np.float32(radius / rings)
    line = np.abs(phase - np.round(phase)) * width
    within = np.clip(phase / rings, 0, 1)
    blend(image, colours[0], (1 - within) * np.float32(0.55))
    blend(image, colours[4], cover(width * np.float32(0.16) - line) * (0.35 + 0.65 * within))
    blend(
        image,
        colours[0] * np.float32(0.6),
        cover(np.float32(1.6) - np.abs(distance - np.float32(radius - 1))),
    )
    return finish(rng, image), f"Seigaiha waves, scales of {rings} rings"


def _scales(size: Size, radius: float) -> tuple[Field, Numbers]:
    """Return each pixel's distance to the centre of the topmost scale over it, and that scale's number."""
    x, y = grid(size)
    step = np.float32(radius / 2)
    lowest = np.floor((y + np.float32(radius)) / step)
    distance = np.full((size[1], size[0]), -1, dtype=np.float32)
    scale = np.zeros(distance.shape, dtype=np.int32)
    for above in range(5):
        row = lowest - above
        shift = (row % 2) * np.float32(radius)
        column = np.round((x - shift) / np.float32(2 * radius))
        far = length(x - shift - column * np.float32(2 * radius), y - row * step)
        free = (distance < 0) & (far <= radius)
        distance = np.where(free, far, distance)
        scale = np.where(free, (row * 131 + column + 4096).astype(np.int32), scale)
    return np.abs(distance), scale


def agate(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint the bands of a cut stone: noise bent by noise, sliced into rings."""
    bands = int(rng.integers(5, 11))
    bend = layered_noise(rng, size, rng.uniform(2.5, 4), 4)
    x, y = grid(size)
    middle = rng.uniform(0.25, 0.75, 2)
    away = length(x / size[0] - middle[0], (y / size[1] - middle[1]) * (size[1] / size[0])).astype(np.float32)
    depth = away * np.float32(0.9) + bend * np.float32(0.85)
    fine = np.sin(depth * np.float32(bands * 6.2832 * 3)) * 0.06 + layered_noise(rng, size, 30, 2) * 0.06
    value = np.abs((depth * bands / 2 + fine) % 2 - 1)
    image = ramp(value.astype(np.float32), colours)
    edge = np.abs((depth * bands + 0.5) % 1 - 0.5)
    blend(image, colours[4], np.clip(1 - edge / np.float32(0.035), 0, 1) * 0.6)
    return finish(rng, image), f"A polished agate with {bands} bands"


def blocks(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint a composition of blocks between black bars, after Mondrian."""
    areas = _split(rng, (0, 0, *size), 0)
    bar = max(3, round(min(size) * rng.uniform(0.012, 0.022)))
    image = np.empty((3, size[1], size[0]), dtype=np.float32)
    image[:] = planes(colours[0]) * np.float32(0.5)
    plain = colours[4] * np.float32(0.4) + np.float32(0.6)
    for left, top, right, bottom in areas:
        colour = colours[rng.integers(1, 4)] if rng.random() < 0.6 else plain
        image[:, top + bar : bottom, left + bar : right] = planes(colour)
    image[:, -bar:] = image[:, :, -bar:] = planes(colours[0]) * np.float32(0.5)
    brush = layered_noise(rng, (size[0], size[1]), 60, 2) * 0.08 + noise(rng, size, 3) * 0.1
    image *= 0.9 + brush
    return finish(rng, image, 0.1), f"A composition of {len(areas)} blocks between dark bars"


Box = tuple[int, int, int, int]


def _split(rng: np.random.Generator, box: Box, depth: int) -> list[Box]:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if max(width, height) < 90 or (depth > 2 and rng.random() < 0.3):
        return [box]
    cut = float(rng.choice([0.28, 0.38, 0.5, 0.62, 0.72]))
    if width * rng.uniform(0.7, 1.4) > height:
        at = left + round(width * cut)
        halves: list[Box] = [(left, top, at, bottom), (at, top, right, bottom)]
    else:
        at = top + round(height * cut)
        halves = [(left, top, right, at), (left, at, right, bottom)]
    return [box for half in halves for box in _split(rng, half, depth + 1)]
