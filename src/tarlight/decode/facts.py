"""Reads the facts of a JPEG from its headers, and refuses what no decoder should be asked to try.

May know: the segments, EXIF, the caps. Never decodes, never allocates by what the file claims, never raises
for content. The common photo costs a few microseconds: one walk over some ten segments. Scans are counted
only where a file may have many, first by an upper bound that a C search gives.
"""

from __future__ import annotations

import struct
from typing import Final

from tarlight.decode.exif import EXIF_NAME, UPRIGHT, XMP_NAME, read_orientation
from tarlight.decode.kind import describe_kind
from tarlight.decode.protocol import Caps, JpegFacts, Refusal
from tarlight.decode.segment import (
    APP0,
    APP1,
    APP14,
    EOI,
    MAX_SEGMENTS,
    SOI,
    SOS,
    Segment,
    find_marker,
    walk_header,
    walk_scans,
)
from tarlight.ledger import SkipReason

_PROCESSES: Final = {
    0xC0: "baseline",
    0xC1: "extended",
    0xC2: "progressive",
    0xC3: "lossless",
    0xC9: "arithmetic",
    0xCA: "arithmetic_progressive",
}
_FOREIGN: Final = {
    0xC5: "differential sequential",
    0xC6: "differential progressive",
    0xC7: "differential lossless",
    0xCB: "lossless with arithmetic coding",
    0xCD: "differential sequential with arithmetic coding",
    0xCE: "differential progressive with arithmetic coding",
    0xCF: "differential lossless with arithmetic coding",
    0xDE: "hierarchical",
    0xF7: "JPEG-LS",
}
_FRAMES: Final = _PROCESSES.keys() | _FOREIGN.keys()
_TOLD: Final = bytes(code in _FRAMES or code in (SOI, SOS, EOI, APP0, APP1, APP14) for code in range(256))
"""Nonzero for the markers that a header walk looks at; tables pass by."""

_FRAME = struct.Struct(">BHHB")
_JFIF_BYTES: Final = 14
_ADOBE_BYTES: Final = 12
_IMPLAUSIBLE_FROM: Final = 1 << 22
"""Pixels above which a frame must be plausible for the bytes there are: 12 MiB of RGB."""


def read_facts(data: bytes, caps: Caps) -> JpegFacts | Refusal:
    """Return what the headers of a JPEG file say, or why it is not worth decoding.

    Args:
        data: the whole file; any length, any content.
        caps: limits on what the headers may ask for.

    Thread-safe; never raises for content. Time and memory are bounded, whatever the file claims.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        return _refuse_start(data)
    frame: Segment | None = None
    end, jfif, adobe = 2, False, -1
    exif: list[bytes] = []
    xmp = b""
    for marker, start, end in walk_header(data):
        if not _TOLD[marker]:
            continue
        if marker == SOS:
            orientation = read_orientation(b"".join(exif), xmp) if exif or xmp else UPRIGHT
            return _conclude(data, caps, frame, (jfif, adobe, orientation), (marker, start, end))
        if marker == APP0:
            jfif = jfif or (end - start >= _JFIF_BYTES and data.startswith(b"JFIF\x00", start))
        elif marker == APP14:
            if end - start >= _ADOBE_BYTES and end <= len(data) and data.startswith(b"Adobe", start):
                adobe = data[start + 11]
        elif marker == APP1:
            xmp = _add_metadata(data[start:end], exif, xmp)
        elif marker in _FRAMES and frame is None:
            frame = (marker, start, end)
        else:
            return _refuse_order(marker, start)
    return _refuse_end(data, end)


def _add_metadata(payload: bytes, exif: list[bytes], xmp: bytes) -> bytes:
    """Take one APP1 segment, return the XMP; EXIF segments are joined, of XMP the last counts (Pillow)."""
    if payload.startswith(EXIF_NAME):
        exif.append(payload.removeprefix(EXIF_NAME) if exif else payload)
    return payload.removeprefix(XMP_NAME) if payload.startswith(XMP_NAME) else xmp


def _conclude(
    data: bytes, caps: Caps, frame: Segment | None, found: tuple[bool, int, int], scan: Segment
) -> JpegFacts | Refusal:
    """Make facts of the frame header and the first scan header, or refuse."""
    _, start, end = scan
    if frame is None:
        return Refusal(SkipReason.CORRUPT, f"a scan at byte {start - 4} before any frame header (SOF)")
    if end >= len(data):
        return Refusal(SkipReason.TRUNCATED, f"the file ends at byte {len(data)}, in its first scan header")
    code, at, frame_end = frame
    if frame_end - at < _FRAME.size:
        return Refusal(SkipReason.CORRUPT, f"frame header at byte {at - 4} has only {frame_end - at} bytes")
    precision, height, width, components = _FRAME.unpack_from(data, at)
    process = _PROCESSES.get(code, "")
    if not (process and precision == 8 and width and height and components in (1, 3, 4)) or (  # noqa: PLR2004
        frame_end - at != 6 + 3 * components
    ):
        return _refuse_frame(data, frame)
    jfif, adobe, orientation = found
    facts = JpegFacts(
        width,
        height,
        components,
        precision,
        process,
        code in (0xC2, 0xCA),
        orientation,
        data[at + 6 : frame_end],
        jfif,
        adobe,
        start - 4,
    )
    return _check_size(data, caps, facts) or _check_scans(data, caps, facts) or facts


def _refuse_start(data: bytes) -> Refusal:
    if not data:
        return Refusal(SkipReason.EMPTY, "0 bytes")
    if b"\xff\xd8\xff".startswith(data) and len(data) > 1:
        return Refusal(SkipReason.TRUNCATED, "only the start-of-image marker is there")
    if data.startswith(b"\xff\xd8"):
        return Refusal(
            SkipReason.NOT_JPEG, f"a start-of-image marker, then no marker but 0x{data[2:10].hex()}"
        )
    return Refusal(SkipReason.NOT_JPEG, describe_kind(data))


def _refuse_order(marker: int, start: int) -> Refusal:
    name = {SOI: "a second SOI", EOI: "EOI"}.get(marker, f"a second frame header 0x{marker:02x}")
    return Refusal(SkipReason.CORRUPT, f"{name} at byte {start - 2} before the first scan")


def _refuse_end(data: bytes, end: int) -> Refusal:
    if end > len(data):
        return Refusal(
            SkipReason.TRUNCATED, f"the header claims bytes up to {end}, but the file ends at {len(data)}"
        )
    if find_marker(data, end) is not None:  # the walk gave up
        return Refusal(SkipReason.CORRUPT, f"more than {MAX_SEGMENTS:,} segments before the first scan")
    return Refusal(SkipReason.TRUNCATED, f"the file ends at byte {len(data)}, before its first scan")


def _refuse_frame(data: bytes, frame: Segment) -> Refusal:
    code, at, end = frame
    precision, height, width, components = _FRAME.unpack_from(data, at)
    if code in _FOREIGN:
        return Refusal(SkipReason.UNSUPPORTED, f"{_FOREIGN[code]} coding (marker 0x{code:02x})")
    if end - at != 6 + 3 * components or not components:
        return Refusal(
            SkipReason.CORRUPT, f"frame header at byte {at - 4}: {end - at} bytes for {components} components"
        )
    if not width or not height:
        has_dnl = bool(width) and b"\xff\xdc\x00\x04" in data
        reason = SkipReason.UNSUPPORTED if has_dnl else SkipReason.CORRUPT
        told = "its height comes after the scan (DNL)" if has_dnl else f"{width} x {height} pixels"
        return Refusal(reason, f"frame header at byte {at - 4}: {told}")
    if precision in range(2, 17) and precision != 8:  # noqa: PLR2004 (bits a sample)
        return Refusal(SkipReason.UNSUPPORTED, f"{precision} bits a sample; 8 are supported")
    if precision != 8:  # noqa: PLR2004
        return Refusal(SkipReason.CORRUPT, f"frame header at byte {at - 4}: {precision} bits a sample")
    return Refusal(SkipReason.UNSUPPORTED, f"{components} components; 1, 3 and 4 are supported")


def _check_size(data: bytes, caps: Caps, facts: JpegFacts) -> Refusal | None:
    """Refuse more pixels than allowed, and many pixels that so few bytes cannot hold."""
    num_pixels = facts.width * facts.height
    if num_pixels <= _IMPLAUSIBLE_FROM and num_pixels <= caps.max_pixels:
        return None
    told = f"{facts.width} x {facts.height} = {num_pixels:,} pixels"
    if num_pixels > caps.max_pixels:
        return Refusal(SkipReason.TOO_MANY_PIXELS, f"{told}, more than {caps.max_pixels:,}")
    if num_pixels > _IMPLAUSIBLE_FROM:
        least = _least_bytes(facts, num_in_scan=data[facts.scan_start + 4])
        there = len(data) - facts.scan_start
        if there < least:
            return Refusal(SkipReason.TRUNCATED, f"{told} need {least:,} bytes at least, {there:,} are there")
    return None


def _check_scans(data: bytes, caps: Caps, facts: JpegFacts) -> Refusal | None:
    """Refuse more scans than allowed; a file whose first scan holds all of the picture has only that one."""
    if not facts.progressive and data[facts.scan_start + 4] >= facts.components:
        return None
    if data.count(b"\xff\xda", facts.scan_start) <= caps.max_scans:
        return None  # an upper bound: other segments may hold these bytes too
    markers = [marker for marker, _, _ in walk_scans(data, facts.scan_start)]
    if markers.count(SOS) > caps.max_scans:
        return Refusal(SkipReason.TOO_MANY_SCANS, f"more than {caps.max_scans:,} scans")
    if len(markers) >= MAX_SEGMENTS:
        return Refusal(SkipReason.CORRUPT, f"more than {MAX_SEGMENTS:,} segments after the first scan")
    return None


def _least_bytes(facts: JpegFacts, num_in_scan: int) -> int:
    """Return the fewest bytes that the first scan can take.

    Huffman codes are at least one bit long. A block of a sequential scan has two (its DC, its end), one of a
    progressive DC scan has one. Arithmetic coding has no such floor.
    """
    if facts.process.startswith("arithmetic"):
        return 0
    sampling = facts.sampling if facts.components > 1 else ((1, 1),)
    across = 8 * max(1, *(h for h, _ in sampling))
    down = 8 * max(1, *(v for _, v in sampling))
    units = (facts.width // across) * (facts.height // down)
    bits = 2 if facts.process in ("baseline", "extended") else 1
    return units * min(num_in_scan, facts.components) * bits // 8
