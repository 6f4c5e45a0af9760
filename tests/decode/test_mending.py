"""Faults before the first scan are mended; damage behind them is still found (C8)."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from tarlight.decode import Decoded, Refusal, select_decoder
from tarlight.decode.mend import mend_header
from tarlight.decode.segment import SOS
from tarlight.ledger import SkipReason
from tests.decode.jpegs import drop, encoded, find, flat_jpeg, insert, paint, save, see, segment

GOOD = save(paint(64, 64))
ICC = b"ICC_PROFILE\x00"


def scan_parameters(jpeg: bytes, parameters: bytes) -> bytes:
    """Change spectral start, end and approximation of the first scan."""
    at = find(jpeg, SOS) + 2
    at += int.from_bytes(jpeg[at : at + 2], "big") - 3
    return jpeg[:at] + parameters + jpeg[at + 3 :]


def adobe(transform: int) -> bytes:
    return segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00" + bytes((transform,)))


FAULTS = {
    "ICC chunk with a wrong count": insert(GOOD, segment(0xE2, ICC + b"\x01\x02profile")),
    "ICC chunk twice": insert(GOOD, segment(0xE2, ICC + b"\x01\x01profile") * 2),
    "ICC chunk numbered 0": insert(GOOD, segment(0xE2, ICC + b"\x00\x01profile")),
    "JFIF version 7": GOOD.replace(b"JFIF\x00\x01", b"JFIF\x00\x07"),
    "junk before the first segment": insert(GOOD, b"junk", before=0xE0)[:2]
    + insert(GOOD, b"\xff\x00ju", before=0xDB)[2:],
    "junk before the frame header": insert(GOOD, b"junk", before=0xC0),
    "junk before the scan header": insert(GOOD, b"\x00\x00\x00", before=SOS),
    "junk between tables": insert(GOOD, b"\x00\x00\x00", before=0xC4),
    "stray restart marker and junk": insert(GOOD, b"\xff\xd3..", before=0xC4),
    "unknown Adobe transform": insert(drop(GOOD, 0xE0), adobe(9)),
    "unknown Adobe transform of CMYK": drop(save(mode="CMYK"), 0xEE)[:2]
    + adobe(7)
    + drop(save(mode="CMYK"), 0xEE)[2:],
    "scan parameters Ss=1": scan_parameters(GOOD, b"\x01\x3f\x00"),
    "scan parameters Se=0": scan_parameters(GOOD, b"\x00\x00\x00"),
    "scan parameters Ah, Al": scan_parameters(GOOD, b"\x00\x3f\x11"),
    "several": insert(scan_parameters(GOOD, bytes(3)), segment(0xE2, ICC + b"\x00\x00") + b"junk"),
}


def strict_complaint(jpeg: bytes) -> str:
    try:
        simplejpeg.decode_jpeg(jpeg, "RGB", strict=True)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("decoder", ["turbo", "pillow"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_the_scan_does_not_cost_the_image(fault, decoder):
    """Strict libjpeg-turbo refuses the file for this fault alone; it is delivered with Pillow's pixels."""
    jpeg = FAULTS[fault]
    assert strict_complaint(jpeg)
    (result,) = select_decoder(decoder).decode([encoded(jpeg)])
    assert isinstance(result, Decoded), result
    difference = np.abs(result.pixels.astype(int) - see(jpeg)).max()
    assert difference <= (2 if "CMYK" in fault else 0)
    assert result[1:] == (decoder, False, True, "")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_the_scan_does_not_hide_damage(fault):
    """The same files with their last bytes cut, or junk before their end, are refused as damaged."""
    jpeg = FAULTS[fault]
    cut, junk = jpeg[:-30], jpeg[:-2] + b"junk" * 16 + b"\xff\xd9"
    results = select_decoder("turbo").decode([encoded(cut), encoded(junk)])
    assert [result.reason for result in results] == [SkipReason.TRUNCATED, SkipReason.CORRUPT]


@pytest.mark.parametrize(
    "jpeg",
    [
        GOOD,
        save(mode="L"),
        save(mode="CMYK"),
        save(progressive=True),
        save(keep_rgb=True),
        drop(GOOD, 0xE0),
        insert(drop(GOOD, 0xE0), adobe(0)),
        insert(drop(GOOD, 0xE0), adobe(1)),
        insert(GOOD, adobe(0)),
        drop(save(keep_rgb=True), 0xEE),
        insert(drop(save(mode="CMYK"), 0xEE), adobe(2)),
        save(restart_marker_blocks=3),
    ],
)
def test_a_rebuilt_header_changes_no_pixel(jpeg):
    """Color space, tables and restart interval survive the rebuilding, and what follows is untouched."""
    image = encoded(jpeg)
    mended = mend_header(*image)
    expected = simplejpeg.decode_jpeg(jpeg, "RGB", strict=True)
    assert np.array_equal(simplejpeg.decode_jpeg(mended, "RGB", strict=True), expected)
    assert mended.endswith(jpeg[image.facts.scan_start + 14 :])


ODD = flat_jpeg(64, 48, (0x42, 0x11, 0x11))


def test_odd_sampling_goes_to_pillow_and_says_so():
    """4:1:0, which libjpeg-turbo's interface does not do, is Pillow's, unchecked, with the reason."""
    for name in ("turbo", "pillow"):
        (result,) = select_decoder(name).decode([encoded(ODD)])
        assert np.array_equal(result.pixels, see(ODD))
        assert (result.decoder, result.damaged, result.damage_checked) == ("pillow", False, False)
        assert result.fallback == ("sampling that libjpeg-turbo does not do" if name == "turbo" else "")


def test_metadata_does_not_keep_odd_sampling_from_pillow():
    """An odd sampling with EXIF, a bad ICC chunk and an unknown JFIF version is still a sound header."""
    jpeg = insert(ODD, segment(0xE1, b"Exif\x00\x00broken") + segment(0xE2, ICC + b"\x00\x01"))
    (result,) = select_decoder("turbo").decode([encoded(jpeg.replace(b"JFIF\x00\x01", b"JFIF\x00\x09"))])
    assert np.array_equal(result.pixels, see(ODD))


TABLES = b"\x03\x01\x00\x02\x11\x03\x11"
"""Which Huffman tables the scan header of `ODD` names for its three components."""


def with_table(marker: int, payload: bytes) -> bytes:
    return insert(ODD, segment(marker, payload), before=0xC4)


UNSOUND = {
    "no end": (ODD[:-2], "EOI"),
    "cut": (ODD[:-10], "EOI"),
    "junk between segments": (insert(ODD, b"junk", before=0xC4), "no segment"),
    "no quantization table": (drop(ODD, 0xDB), "quantization table"),
    "no rows of blocks": (flat_jpeg(64, 48, (0x42, 0x11, 0x01)), "sampling factors"),
    "too many blocks": (flat_jpeg(64, 48, (0x44, 0x11, 0x11)), "18 blocks in a unit"),
    "nine codes of one bit": (with_table(0xC4, b"\x00\x09" + bytes(15) + bytes(9)), "Huffman"),
    "Huffman table 4": (with_table(0xC4, b"\x44" + bytes(16)), "Huffman"),
    "short quantization table": (with_table(0xDB, bytes(64)), "quantization"),
    "quantization table 7": (with_table(0xDB, b"\x07" + bytes(64)), "quantization"),
    "short restart interval": (with_table(0xDD, b"\x00"), "restart interval"),
    "foreign component": (ODD.replace(TABLES, TABLES[:-2] + b"\x07\x11"), "does not have"),
    "component twice": (ODD.replace(TABLES, TABLES[:-2] + b"\x02\x11"), "does not have"),
    "missing Huffman table": (ODD.replace(TABLES, TABLES[:-1] + b"\x33"), "Huffman"),
    "one id for two": (ODD.replace(b"\x42\x00\x02\x11\x01\x03", b"\x42\x00\x02\x11\x01\x02"), "one id"),
}


@pytest.mark.parametrize("fault", UNSOUND)
def test_only_sound_headers_go_to_pillow(fault):
    """A header beyond libjpeg-turbo that is not sound is refused, and the detail names the fault."""
    jpeg, told = UNSOUND[fault]
    reason = SkipReason.TRUNCATED if told == "EOI" else SkipReason.CORRUPT
    for name in ("turbo", "pillow"):
        (result,) = select_decoder(name).decode([encoded(jpeg)])
        assert isinstance(result, Refusal)
        assert result.reason == reason
        assert told in result.detail
