"""The decode room: encoded JPEG bytes become pixels, or a reason why not (C3, C8).

`read_facts` looks at the headers and refuses what is not worth trying; a `Decoder` turns many images at once
into pixels or refusals. Nothing here reads files, and nothing raises for the content of an image.
"""

from tarlight.decode.balance import Balance, Work
from tarlight.decode.decoder import PillowDecoder, TurboDecoder
from tarlight.decode.device_array import DeviceArray
from tarlight.decode.facts import read_facts
from tarlight.decode.ladder import Ladder
from tarlight.decode.ladder_decoder import LadderDecoder, Recipe
from tarlight.decode.protocol import (
    Appetite,
    Caps,
    Decoded,
    Decoder,
    Encoded,
    JpegFacts,
    Lane,
    Refusal,
)
from tarlight.decode.selection import NAMES, OUTPUTS, VERIFY, Share, select_decoder

__all__ = [
    "NAMES",
    "OUTPUTS",
    "VERIFY",
    "Appetite",
    "Balance",
    "Caps",
    "Decoded",
    "Decoder",
    "DeviceArray",
    "Encoded",
    "JpegFacts",
    "Ladder",
    "LadderDecoder",
    "Lane",
    "PillowDecoder",
    "Recipe",
    "Refusal",
    "Share",
    "TurboDecoder",
    "Work",
    "read_facts",
    "select_decoder",
]
