"""Header facts, and what is refused by its header alone."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tarlight.decode import Caps, Encoded, JpegFacts, Refusal, read_facts, select_decoder
from tarlight.decode.segment import MAX_SEGMENTS, SOS, walk_header
from tarlight.ledger import SkipReason
from tests.decode.contract import sound_jpegs
from tests.decode.jpegs import CAPS, find, flat_jpeg, insert, paint, save, segment, with_frame

MiB = 1 << 20


@pytest.mark.parametrize("kind", sound_jpegs())
def test_size_and_components_are_those_of_pillow(kind):
    """Width, height, components and progression are what Pillow's own header reader finds."""
    jpeg = sound_jpegs()[kind]
    facts = read_facts(jpeg, CAPS)
    with Image.open(io.BytesIO(jpeg)) as image:
        assert (facts.width, facts.height) == image.size
        assert facts.components == len(image.getbands())
        assert facts.progressive == bool(image.info.get("progressive"))
        assert facts.sampling == tuple(layer[1:3] for layer in image.layer)
        assert facts.jfif == ("jfif" in image.info)
        assert facts.adobe_transform == image.info.get("adobe_transform", -1)
    assert jpeg[facts.scan_start : facts.scan_start + 2] == b"\xff\xda"
    assert facts.num_bytes == 3 * facts.num_pixels == 3 * facts.width * facts.height


@pytest.mark.parametrize(
    ("marker", "process", "progressive"),
    [
        (0xC0, "baseline", False),
        (0xC1, "extended", False),
        (0xC2, "progressive", True),
        (0xC3, "lossless", False),
        (0xC9, "arithmetic", False),
        (0xCA, "arithmetic_progressive", True),
    ],
)
def test_the_process_is_told_by_the_frame_marker(marker, process, progressive):
    """Each frame marker that some decoder does has its name."""
    facts = read_facts(with_frame(save(), marker=marker), CAPS)
    assert (facts.process, facts.progressive) == (process, progressive)


GOOD = save()
SCAN = find(GOOD, SOS)


@pytest.mark.parametrize(
    ("data", "reason", "told"),
    [
        (b"", SkipReason.EMPTY, "0 bytes"),
        (b"\xff\xd8", SkipReason.TRUNCATED, "start-of-image"),
        (b"\xff\xd8\xff", SkipReason.TRUNCATED, "before its first scan"),
        (b"\xff\xd8\x00\x00", SkipReason.NOT_JPEG, "no marker but 0x0000"),
        (b"\xff\xd8 text", SkipReason.NOT_JPEG, "no marker"),
        (b"\x89PNG\r\n\x1a\n", SkipReason.NOT_JPEG, "a PNG image"),
        (b"\xff", SkipReason.NOT_JPEG, "unknown bytes 0xff"),
        (b"\xff\xd8\xff\xd9", SkipReason.CORRUPT, "EOI"),
        (insert(GOOD, b"\xff\xd8"), SkipReason.CORRUPT, "second SOI"),
        (GOOD[:SCAN], SkipReason.TRUNCATED, "before its first scan"),
        (GOOD[: SCAN - 10], SkipReason.TRUNCATED, "claims bytes up to"),
        (GOOD[: SCAN + 6], SkipReason.TRUNCATED, "first scan header"),
        (GOOD[:2] + GOOD[SCAN:], SkipReason.CORRUPT, "before any frame header"),
        (insert(GOOD, GOOD[find(GOOD, 0xC0) :][:19], before=0xC4), SkipReason.CORRUPT, "second frame header"),
        (with_frame(GOOD, precision=12), SkipReason.UNSUPPORTED, "12 bits"),
        (with_frame(GOOD, precision=16, marker=0xC3), SkipReason.UNSUPPORTED, "16 bits"),
        (with_frame(GOOD, precision=77), SkipReason.CORRUPT, "77 bits"),
        (with_frame(GOOD, components=2), SkipReason.CORRUPT, "bytes for 2 components"),
        (with_frame(GOOD, components=0), SkipReason.CORRUPT, "bytes for 0 components"),
        (with_frame(GOOD, width=0), SkipReason.CORRUPT, "0 x 28 pixels"),
        (with_frame(GOOD, height=0), SkipReason.CORRUPT, "40 x 0 pixels"),
        (with_frame(GOOD, height=0) + b"\xff\xdc\x00\x04\x00\x1c", SkipReason.UNSUPPORTED, "DNL"),
        (with_frame(GOOD, marker=0xC5), SkipReason.UNSUPPORTED, "differential"),
        (with_frame(GOOD, marker=0xCB), SkipReason.UNSUPPORTED, "arithmetic"),
        (with_frame(GOOD, marker=0xF7), SkipReason.UNSUPPORTED, "JPEG-LS"),
        (b"\xff\xd8" + segment(0xC0, b"\x08") + GOOD[SCAN:], SkipReason.CORRUPT, "only 1 bytes"),
        (
            b"\xff\xd8" + segment(0xC0, b"\x08\x00\x09\x00\x09\x02" + bytes(6)) + GOOD[SCAN:],
            SkipReason.UNSUPPORTED,
            "2 components",
        ),
    ],
)
def test_bad_headers_are_refused_with_what_is_wrong(data, reason, told):
    """Each fault that the header shows has its reason, and the detail names it."""
    refusal = read_facts(data, CAPS)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason
    assert told in refusal.detail


def test_every_cut_before_the_scan_is_refused():
    """A file that ends anywhere in its header is truncated, never sound."""
    reasons = {read_facts(GOOD[:size], CAPS)[0] for size in range(2, SCAN + 14)}
    assert reasons == {SkipReason.TRUNCATED}


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_random_bytes_never_raise(data):
    """Any bytes, with or without the start of a JPEG before them, give facts or a refusal."""
    for start in (b"", b"\xff\xd8\xff", GOOD[:SCAN], GOOD[: SCAN // 2]):
        assert isinstance(read_facts(start + data, CAPS), JpegFacts | Refusal)


@given(st.lists(st.tuples(st.integers(0xE2, 0xEF), st.binary(max_size=300)), max_size=5), st.integers(0, 3))
@settings(deadline=None)
def test_other_segments_and_fill_bytes_do_not_change_the_facts(segments, fill):
    """Application segments with any content, and fill bytes between segments, leave the facts as they are."""
    plain = read_facts(GOOD, CAPS)
    extra = b"".join(b"\xff" * fill + segment(code, payload) for code, payload in segments if code != 0xEE)
    facts = read_facts(insert(GOOD, extra), CAPS)
    assert facts._replace(scan_start=0) == plain._replace(scan_start=0)


def test_more_pixels_than_allowed_are_refused():
    """The cap is exact: as many pixels as allowed pass, one row more does not."""
    assert isinstance(read_facts(GOOD, Caps(max_pixels=40 * 28)), JpegFacts)
    refusal = read_facts(GOOD, Caps(max_pixels=40 * 28 - 1))
    assert refusal == (SkipReason.TOO_MANY_PIXELS, "40 x 28 = 1,120 pixels, more than 1,119")


def test_more_scans_than_allowed_are_refused():
    """The scans of a progressive file are counted exactly, whatever its other segments hold."""
    jpeg = save(progressive=True)
    num_scans = jpeg.count(b"\xff\xda")
    decoy = insert(jpeg, segment(0xFE, b"\xff\xda" * 200))
    between = jpeg.rindex(b"\xff\xda")
    inner = jpeg[:between] + segment(0xFE, b"\xff\xda" * 200) + jpeg[between:]
    for data in (jpeg, decoy, inner):
        assert isinstance(read_facts(data, Caps(max_scans=num_scans)), JpegFacts)
        assert read_facts(data, Caps(max_scans=num_scans - 1))[0] == SkipReason.TOO_MANY_SCANS


HOSTILE = {
    "12 GB": with_frame(GOOD, width=65535, height=65535),
    "pixels just under the cap": with_frame(GOOD, width=13_377, height=13_377),
    "progressive, just under the cap": with_frame(save(progressive=True), width=13_377, height=13_377),
    "scan bomb": save(progressive=True)[:-2]
    + (segment(0xDA, b"\x01\x01\x00\x01\x01\x00") + b"\x00") * 40_000,
    "a million tiny segments": b"\xff\xd8" + segment(0xFE, b"") * 1_000_000,
    "a million restart markers": b"\xff\xd8" + b"\xff\xd0" * 1_000_000,
    "a million tiny segments after the scan": save(progressive=True)[:-2]
    + b"\xff\xda" * 200
    + segment(0xFE, b"") * 1_000_000,
    "many EXIF segments": b"\xff\xd8" + segment(0xE1, b"Exif\x00\x00" + bytes(65_000)) * 120 + b"\xff\xd9",
    "fill bytes": b"\xff\xd8" + b"\xff" * 4_000_000,
    "stuffed bytes": b"\xff\xd8\xff" + b"\x00\xff" * 2_000_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_headers_cost_little_memory(kind):
    """A header made to waste memory is refused before anything is allocated for it."""
    tracemalloc.start()
    refusal = read_facts(HOSTILE[kind], CAPS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(refusal, Refusal)
    assert peak < 16 * MiB


def test_walks_look_at_a_bounded_number_of_segments():
    """A walk over a million segments ends early."""
    data = HOSTILE["a million tiny segments"]
    assert sum(1 for _ in walk_header(data)) == MAX_SEGMENTS
    assert "16,384 segments" in read_facts(data, CAPS).detail


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"mode": "L"}, {"restart_marker_blocks": 8}])
def test_large_flat_pictures_are_plausible(options):
    """The emptiest large picture that an encoder makes is not taken for a truncated one."""
    mode = options.get("mode", "RGB")
    jpeg = save(np.zeros((2100, 2100, 1 if mode == "L" else 3), np.uint8), optimize=True, **options)
    facts = read_facts(jpeg, CAPS)
    assert isinstance(facts, JpegFacts)
    (result,) = select_decoder("turbo").decode([Encoded(jpeg, facts)])
    assert not result.pixels.any()


@pytest.mark.parametrize("sampling", [(0x11, 0x11, 0x11), (0x41, 0x11, 0x11), (0x22, 0x11, 0x11)])
def test_the_smallest_scans_are_plausible(sampling):
    """Scans with the fewest bits that the standard tables allow pass for any sampling."""
    assert isinstance(read_facts(flat_jpeg(2112, 2112, sampling), CAPS), JpegFacts)


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411"])
def test_sampling_factors_are_read(subsampling):
    """The sampling property gives the factors of the frame header."""
    facts = read_facts(simplejpeg.encode_jpeg(paint(), 85, "RGB", subsampling), CAPS)
    expected = {"444": (1, 1), "422": (2, 1), "420": (2, 2), "440": (1, 2), "411": (4, 1)}[subsampling]
    assert facts.sampling == (expected, (1, 1), (1, 1))
