"""Says from header facts what kinds of JPEG each sort of decoder does, in phrases that reports count by.

Sources: the nvJPEG documentation ("nvJPEG Decoder": 8 bits, Huffman, baseline and progressive, samplings
4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1, 4:1:0; the hardware engine: baseline). Four components, and RGB that is
stored as RGB, are kept from all of them: each library converts these in a way of its own, and only
libjpeg-turbo's and Pillow's are known to us (C8). 4:1:0 and other samplings that libjpeg-turbo does not do
could not be checked against anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tarlight.decode.protocol import JpegFacts

FOUR_COMPONENTS: Final = "four components (CMYK, YCCK)"
STORED_AS_RGB: Final = "stored as RGB"
CODING: Final = "coding other than baseline, extended or progressive"
EXTENDED: Final = "extended sequential coding"
PROGRESSIVE: Final = "progressive coding"
SAMPLING: Final = "unusual chroma sampling"

_COMMON: Final = frozenset({(1, 1), (2, 1), (2, 2), (1, 2), (4, 1)})
_HARDWARE: Final = frozenset({(1, 1), (2, 1), (2, 2), (1, 2)})
_GRAY, _YCBCR = 1, 3
_RGB_IDS: Final = b"RGB"


def refuse_beyond_turbo(facts: JpegFacts) -> str:
    """Return a phrase for what a library's own libjpeg-turbo should not be given."""
    if facts.components not in (_GRAY, _YCBCR):
        return FOUR_COMPONENTS
    if _is_rgb(facts):
        return STORED_AS_RGB
    if facts.process not in ("baseline", "extended", "progressive"):
        return CODING
    return "" if _has_sampling(facts, _COMMON) else SAMPLING


def refuse_beyond_cuda(facts: JpegFacts) -> str:
    """Return a phrase for what nvJPEG on CUDA should not be given."""
    return refuse_beyond_turbo(facts) or (EXTENDED if facts.process == "extended" else "")


def refuse_beyond_hardware(facts: JpegFacts) -> str:
    """Return a phrase for what the hardware engine does not do."""
    if facts.progressive:
        return PROGRESSIVE
    return refuse_beyond_cuda(facts) or ("" if _has_sampling(facts, _HARDWARE) else SAMPLING)


def _is_rgb(facts: JpegFacts) -> bool:
    """Return whether libjpeg would take three components for RGB: no JFIF, and Adobe or the ids say so."""
    if facts.components != _YCBCR or facts.jfif:
        return False
    return facts.adobe_transform == 0 or (facts.adobe_transform < 0 and facts.layout[0::3] == _RGB_IDS)


def _has_sampling(facts: JpegFacts, allowed: frozenset[tuple[int, int]]) -> bool:
    """Return whether luma has one of these factors and chroma none of its own; gray has no say."""
    luma, *chroma = facts.sampling
    return not chroma or (luma in allowed and set(chroma) == {(1, 1)})
