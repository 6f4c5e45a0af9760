"""One picture of the sample dataset: what it shows, how large it is, and what is said about it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tarlight.sample.curve import spirograph, stream
from tarlight.sample.landscape import hills, meadow, skyline
from tarlight.sample.palette import PALETTES, Palette
from tarlight.sample.pattern import agate, blocks, stained_glass, truchet, waves

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from tarlight.sample.canvas import Size
    from tarlight.sample.palette import Colours

    Painter = Callable[[np.random.Generator, Size, Colours], tuple[Image.Image, str]]

FAMILIES: dict[str, Painter] = {
    "hills": hills,
    "stained_glass": stained_glass,
    "stream": stream,
    "meadow": meadow,
    "truchet": truchet,
    "skyline": skyline,
    "agate": agate,
    "spirograph": spirograph,
    "waves": waves,
    "blocks": blocks,
}
"""Name -> painter; pictures take them in turn."""

SHAPES = ((1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (16, 9))
MIN_SIDE, MAX_SIDE = 256, 640
JPEG_QUALITY = 88
"""Of libjpeg's 100: no visible ringing at the lines, 20 to 90 kB a picture."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture with its caption and facts."""

    image: Image.Image
    """RGB."""
    caption: str
    """One sentence: what it shows, in which colours, in which mood."""
    facts: dict[str, Any]
    """`width`, `height`, `family`, `palette` (hex codes), `colours`, `mood`, `seed`, `index`."""

    def to_jpeg(self) -> bytes:
        """Return the picture as a baseline JPEG."""
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=JPEG_QUALITY)
        return buffer.getvalue()


def paint(seed: int, index: int) -> Scene:
    """Paint picture `index` of the dataset with `seed`; the same two numbers give the same picture."""
    rng = np.random.default_rng([seed, index])
    family = list(FAMILIES)[index % len(FAMILIES)]
    palette = _palette(seed, index)
    size = _size(rng)
    image, text = FAMILIES[family](rng, size, palette.rgb)
    facts = {
        "width": size[0],
        "height": size[1],
        "family": family,
        "palette": palette.hexes,
        "colours": palette.names,
        "mood": palette.mood,
        "seed": seed,
        "index": index,
    }
    return Scene(image, _caption(text, palette), facts)


def _palette(seed: int, index: int) -> Palette:
    """Return a palette; each family takes all of them in turn, and no two families in step."""
    turn, family = divmod(index, len(FAMILIES))
    return PALETTES[(turn + 5 * family + seed) % len(PALETTES)]


def _size(rng: np.random.Generator) -> Size:
    across, down = SHAPES[int(rng.integers(len(SHAPES)))]
    scale = int(rng.integers(360, MAX_SIDE + 1)) / max(across, down)
    return max(MIN_SIDE, round(across * scale)), max(MIN_SIDE, round(down * scale))


def _caption(text: str, palette: Palette) -> str:
    *first, last = palette.names
    return f"{text}, in {', '.join(first)} and {last}; a {palette.mood} picture."
