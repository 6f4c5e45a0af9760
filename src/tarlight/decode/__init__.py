"""The decode room: encoded JPEG bytes become pixels, or a reason why not (C3, C8).

`read_facts` looks at the headers and refuses what is not worth trying; a `Decoder` turns many images at once
into pixels or refusals. Nothing here reads files, and nothing raises for the content of an image.
"""

from tarlight.decode.decoder import PillowDecoder, TurboDecoder
from tarlight.decode.facts import read_facts
from tarlight.decode.ladder import Ladder, LadderDecoder
from tarlight.decode.protocol import Caps, Decoded, Decoder, Encoded, JpegFacts, Refusal
from tarlight.decode.selection import NAMES, VERIFY, Share, select_decoder

__all__ = [
    "NAMES",
    "VERIFY",
    "Caps",
    "Decoded",
    "Decoder",
    "Encoded",
    "JpegFacts",
    "Ladder",
    "LadderDecoder",
    "PillowDecoder",
    "Refusal",
    "Share",
    "TurboDecoder",
    "read_facts",
    "select_decoder",
]
