"""The decode room: encoded JPEG bytes become pixels, or a reason why not (C3, C8).

`read_facts` looks at the headers and refuses what is not worth trying; a `Decoder` turns many images at once
into pixels or refusals. Nothing here reads files, and nothing raises for the content of an image.
"""

from tarlight.decode.decoder import NAMES, PillowDecoder, TurboDecoder, select_decoder
from tarlight.decode.facts import read_facts
from tarlight.decode.protocol import Caps, Decoded, Decoder, Encoded, JpegFacts, Refusal

__all__ = [
    "NAMES",
    "Caps",
    "Decoded",
    "Decoder",
    "Encoded",
    "JpegFacts",
    "PillowDecoder",
    "Refusal",
    "TurboDecoder",
    "read_facts",
    "select_decoder",
]
