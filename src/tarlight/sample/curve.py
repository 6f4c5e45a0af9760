"""Painters of lines: streams that follow a field, and spirographs.

Strategy: Pillow draws at twice the size, and halving that makes the lines smooth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tarlight.sample.canvas import finish, from_image, grid, length, noise, ramp, to_image

if TYPE_CHECKING:
    import numpy.typing as npt

    from tarlight.sample.canvas import Field, Size
    from tarlight.sample.palette import Colours

    Points = npt.NDArray[np.float64]
    """(N, 2): x and y in pixels."""

SCALE = 2


def stream(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint threads that drift along a smooth field of directions."""
    width, height = size
    x, y = grid(size)
    ground = ramp(
        (x / width * 0.3 + y / height * 0.7).astype(np.float32),
        np.stack([colours[0] * np.float32(0.6), colours[0]]),
    )
    picture = to_image(ground).resize((width * SCALE, height * SCALE))
    turn = noise(rng, size, rng.uniform(2.5, 5)) * np.float32(rng.uniform(4, 8)) + np.float32(
        rng.uniform(0, 6.3)
    )
    shade = noise(rng, size, 3)
    count = int(width * height / 330)
    paths = _follow(rng, turn, count)
    draw = ImageDraw.Draw(picture)
    tints = (
        np.clip(
            ramp(_at(shade, paths[0])[None, :], colours[1:])[:, 0].T * rng.uniform(0.8, 1.1, (count, 1)), 0, 1
        )
        * 255
    ).astype(int)
    thick = rng.choice([2, 3, 3, 4, 6], count)
    for number in rng.permutation(count):
        draw.line(
            (paths[:, number] * SCALE).ravel().tolist(),
            fill=tuple(tints[number].tolist()),
            width=int(thick[number]),
        )
    return finish(rng, from_image(picture.reduce(SCALE))), f"{count} threads drifting along a stream"


def _at(field: Field, points: Points) -> Field:
    """Return the value of `field` at each point, at its border for those outside: (N,)."""
    column = np.clip(points[:, 0], 0, field.shape[1] - 1).astype(int)
    values: Field = field[np.clip(points[:, 1], 0, field.shape[0] - 1).astype(int), column]
    return values


def _follow(rng: np.random.Generator, turn: Field, count: int) -> Points:
    """Return the ways of points that walk along the directions `turn`, in radians: (steps, count, 2)."""
    height, width = turn.shape
    points = rng.uniform((-20, -20), (width + 20, height + 20), (count, 2))
    way = [points]
    for _ in range(int(rng.integers(14, 24))):
        angle = _at(turn, points)
        points = points + np.stack([np.cos(angle), np.sin(angle)], axis=1) * 4.0
        way.append(points)
    return np.stack(way)


def spirograph(rng: np.random.Generator, size: Size, colours: Colours) -> tuple[Image.Image, str]:
    """Paint the curves of a wheel that rolls inside a ring (hypotrochoids), glowing on a dark ground."""
    width, height = size
    picture = Image.new("RGB", (width * SCALE, height * SCALE))
    draw = ImageDraw.Draw(picture)
    lobes, turns = _coprimes(rng)
    layers = int(rng.integers(4, 7))
    pens = np.linspace(rng.uniform(0.75, 1.05), rng.uniform(0.1, 0.4), layers)
    for layer, pen in enumerate(pens.tolist()):
        points = _roll(lobes, turns, pen) * (min(size) * 0.47) + np.array(size) / 2
        tint = (colours[4 - layer % 4] * 255).astype(int)
        draw.line((points * SCALE).ravel().tolist(), fill=tuple(tint.tolist()), width=3)
    lines = from_image(picture.reduce(SCALE))
    halo = (
        picture.reduce(SCALE * 4).filter(ImageFilter.GaussianBlur(3)).resize(size, Image.Resampling.BICUBIC)
    )
    x, y = grid(size)
    away = length(x / width - 0.5, y / height - 0.5)
    ground = ramp(away * 1.5, np.stack([colours[1] * np.float32(0.5), colours[0] * np.float32(0.55)]))
    light = np.clip(from_image(halo) * np.float32(0.7), 0, 1)
    image = 1 - (1 - ground) * (1 - light) * (1 - lines)
    return finish(rng, image), f"A spirograph of {layers} curves with {lobes} lobes, {turns} times around"


def _coprimes(rng: np.random.Generator) -> tuple[int, int]:
    """Return lobes and turns of a curve that closes only after all its turns."""
    lobes = int(rng.integers(7, 48))
    choices = [turns for turns in range(2, max(4, lobes // 2)) if np.gcd(lobes, turns) == 1]
    return lobes, int(rng.choice(choices))


def _roll(ring: int, wheel: int, pen: float) -> Points:
    """Return one closed curve within a radius of 1: a pen at `pen` radii of a wheel inside a ring."""
    turn = np.linspace(0, 2 * np.pi * wheel, min(4000, 80 * ring))
    arm, hand = ring - wheel, wheel * pen
    points = np.stack(
        [
            arm * np.cos(turn) + hand * np.cos(turn * arm / wheel),
            arm * np.sin(turn) - hand * np.sin(turn * arm / wheel),
        ],
        axis=1,
    )
    return np.asarray(points / (arm + wheel), dtype=np.float64)
