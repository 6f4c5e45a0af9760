"""Turns pixels upright, by the EXIF orientation (CIPA DC-008, tag 274)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tarlight.tasks import Pixels

_PIXEL = np.dtype((np.void, 3))


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return the pixels as they are to be looked at.

    Args:
        pixels: (H, W, 3) uint8, C-contiguous, as stored.
        orientation: 1 to 8; 5 to 8 swap height and width.

    Returns:
        `pixels` itself when it is upright, else a new C-contiguous array.
    """
    if orientation == 1:
        return pixels
    # One item a pixel: numpy copies items of three bytes faster than it copies triples of items.
    grid = pixels.view(_PIXEL)[:, :, 0]
    if orientation >= 5:  # noqa: PLR2004 (stored with rows and columns exchanged)
        grid = grid.T
    if orientation in (3, 4, 7, 8):
        grid = grid[::-1]
    if orientation in (2, 3, 6, 7):
        grid = grid[:, ::-1]
    turned = np.empty((*grid.shape, 3), np.uint8)
    turned.view(_PIXEL)[:, :, 0] = grid
    return turned
