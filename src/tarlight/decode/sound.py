"""Judges whether a header is sound, for images that strict libjpeg-turbo cannot judge.

"Could not determine subsampling" is what libjpeg-turbo says of 4:1:0, and also of garbage; Pillow, which
reads both, says nothing. So the header is checked here, against ITU-T T.81 annex B, and the scans for a
proper end. What lies between stays unchecked, which is why such images are delivered as not checked for
damage. Never raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tarlight.decode.segment import APP0, COM, DAC, DHT, DQT, DRI, EOI, SOS, walk_header, walk_scans

if TYPE_CHECKING:
    from tarlight.decode.protocol import JpegFacts

_MAX_SAMPLING: Final = 4
_MAX_TABLE: Final = 3
_MAX_CODES: Final = 256
_MAX_BLOCKS_IN_UNIT: Final = 10
BETWEEN_SCANS: Final = frozenset({DHT, DAC, SOS, DQT, DRI, COM, *range(APP0, APP0 + 16)})
_STANDARD: Final = frozenset({0x00, 0x01, 0x10, 0x11})
"""Huffman tables that libjpeg-turbo supplies where a sequential file (Motion JPEG) leaves them out."""


def find_fault(data: bytes, facts: JpegFacts) -> str:
    """Return what is wrong with the header of `data`, or an empty string when it is sound."""
    quantizers: set[int] = set()
    codes: set[int] = set(_STANDARD) if facts.process in ("baseline", "extended") else set()
    position = 2
    for marker, start, end in walk_header(data):
        if data[position : start - 4].strip(b"\xff") or start - 4 < position:  # fill bytes are allowed
            return f"bytes that are no segment at {position}"
        position, payload = end, data[start:end]
        if marker == DQT and not _take_quantizers(payload, quantizers):
            return f"bad quantization table at byte {start - 4}"
        if marker == DHT and not _take_codes(payload, codes):
            return f"bad Huffman table at byte {start - 4}"
        if marker == DRI and len(payload) != 2:  # noqa: PLR2004 (one 16-bit number)
            return f"bad restart interval at byte {start - 4}"
        if marker == SOS:
            return _fault_in_frame(facts) or _fault_in_scan(payload, facts, quantizers, codes)
    return "no scan"


def is_complete(data: bytes, facts: JpegFacts) -> bool:
    """Return whether the scans end in an EOI marker; bytes after it do not matter."""
    return any(marker == EOI for marker, _, _ in walk_scans(data, facts.scan_start))


def is_cut_in_segment(data: bytes, facts: JpegFacts) -> bool:
    """Return whether the file ends in a segment that may stand between scans, after only such segments."""
    for marker, _, end in walk_scans(data, facts.scan_start):
        if marker not in BETWEEN_SCANS:
            return False
        if end > len(data):
            return True
    return False


def _take_quantizers(payload: bytes, quantizers: set[int]) -> bool:
    position = 0
    while position < len(payload):
        wide, index = divmod(payload[position], 16)
        position += 65 + 64 * wide
        if wide > 1 or index > _MAX_TABLE:
            return False
        quantizers.add(index)
    return position == len(payload)


def _take_codes(payload: bytes, codes: set[int]) -> bool:
    position = 0
    while position + 17 <= len(payload):
        table, counts = payload[position], payload[position + 1 : position + 17]
        position += 17 + sum(counts)
        # As many codes as fit: each length can hold only what the shorter ones leave free.
        used = sum(count << (15 - bits) for bits, count in enumerate(counts))
        if table >> 4 > 1 or table & 15 > _MAX_TABLE or sum(counts) > _MAX_CODES or used > 1 << 16:
            return False
        codes.add(table)
    return position == len(payload)


def _fault_in_frame(facts: JpegFacts) -> str:
    ids = facts.layout[0::3]
    if len(set(ids)) < len(ids):
        return "frame header: two components with one id"
    if any(not 1 <= factor <= _MAX_SAMPLING for pair in facts.sampling for factor in pair):
        return "frame header: sampling factors outside 1 to 4"
    return ""


def _fault_in_scan(payload: bytes, facts: JpegFacts, quantizers: set[int], codes: set[int]) -> str:
    num = payload[0] if payload else 0
    if not 1 <= num <= facts.components or len(payload) != 4 + 2 * num:
        return "first scan header: wrong length or number of components"
    frame = {facts.layout[at]: facts.layout[at + 1 : at + 3] for at in range(0, len(facts.layout), 3)}
    chosen = payload[1 : 1 + 2 * num : 2]
    if len(set(chosen)) < num or not set(chosen) <= frame.keys():
        return "first scan header: a component that the frame does not have"
    blocks = sum((frame[component][0] >> 4) * (frame[component][0] & 15) for component in chosen)
    if num > 1 and blocks > _MAX_BLOCKS_IN_UNIT:
        return f"first scan header: {blocks} blocks in a unit, 10 are allowed"
    if facts.process != "lossless" and not {frame[component][1] for component in chosen} <= quantizers:
        return "first scan header: a quantization table that is not there"
    needed = _needed_codes(payload, facts)
    return "" if needed <= codes else "first scan header: a Huffman table that is not there"


def _needed_codes(payload: bytes, facts: JpegFacts) -> set[int]:
    """Return the Huffman tables that the first scan uses: DC tables count from 0, AC tables from 16."""
    selectors, first = payload[2 : 1 + 2 * payload[0] : 2], payload[-3]
    if facts.process.startswith("arithmetic"):
        return set()
    dc = {selector >> 4 for selector in selectors}
    ac = {16 + (selector & 15) for selector in selectors}
    if facts.process in ("baseline", "extended"):
        return dc | ac
    return ac if facts.progressive and first else dc
