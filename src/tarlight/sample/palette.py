"""Palettes: five colours that go together, each with the name that captions use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.floating[Any]]
"""(N, 3), or (3,) for one: sRGB, 0 to 1."""

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue in brightness, ITU-R BT.601."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Five colours and the mood they make."""

    name: str
    """One word."""
    mood: str
    """An adjective for captions."""
    colours: tuple[tuple[str, str], ...]
    """(name, `#rrggbb`), from the darkest to the lightest."""

    @property
    def hexes(self) -> list[str]:
        """The colours as `#rrggbb`."""
        return [code for _, code in self.colours]

    @property
    def names(self) -> list[str]:
        """The colours' names."""
        return [name for name, _ in self.colours]

    @property
    def rgb(self) -> Colours:
        """The colours, (5, 3) float32 in 0 to 1, dark to light."""
        return np.array([_rgb(code) for code in self.hexes], dtype=np.float32)


def _rgb(code: str) -> list[float]:
    return [value / 255 for value in bytes.fromhex(code[1:])]


def _palette(name: str, mood: str, colours: str) -> Palette:
    words = colours.split()
    named = [(word.replace("_", " "), f"#{code}") for word, code in zip(words[::2], words[1::2], strict=True)]
    named.sort(key=lambda item: float(np.dot(_rgb(item[1]), _LUMA)))
    return Palette(name, mood, tuple(named))


PALETTES = (
    _palette("ember", "warm", "ink 1d1128 plum 5c1f50 brick b8384a apricot f7935a cream fcd8ac"),
    _palette("lagoon", "calm", "midnight 0a1f3d petrol 15566f teal 2a9d8f mint 9ddac9 sand f5ead0"),
    _palette("orchard", "fresh", "bottle_green 16302a moss 4b6f3c rust cf5c36 pear b6c454 straw f3dc82"),
    _palette("aurora", "dreamy", "night 0a0e2e indigo 2d2f86 violet 8045b0 emerald 2fc9a4 ice d6faf3"),
    _palette("candy", "playful", "grape 3a1648 magenta c4275f coral ff6f69 sky_blue 86cbea lemon ffe873"),
    _palette("desert", "sunlit", "umber 30201b terracotta aa4b30 turquoise 3aa6a0 ochre df9d40 bone f5e6c8"),
    _palette("porcelain", "serene", "navy 0e2250 cobalt 2449a8 cornflower 6f9fee haze c6dafa white fbfaf4"),
    _palette("autumn", "mellow", "bark 2a1a17 wine 7b1e2b pumpkin dc6b22 gold eeb13c wheat f7e3b0"),
    _palette("nordic", "quiet", "slate 1f2d3a fjord 47708a berry cf4a5c fog abc0ca snow f3f6f4"),
    _palette("tropics", "lively", "jungle 05352e hibiscus e62d6a palm 179a58 mango ffb22f lime d3ea6a"),
    _palette("dusk", "wistful", "deep_blue 18133f purple 4f2d82 rose b0487f salmon f4876d peach ffdca6"),
    _palette("graphite", "bold", "charcoal 15171c steel 3e4651 silver 8d97a3 yellow f6c71c paper eef0f1"),
)
