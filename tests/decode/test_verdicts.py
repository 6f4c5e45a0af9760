"""One verdict an image, whatever the decoder (C6), and nothing damaged passes as good (C8)."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from PIL import Image

from tarlight.decode import (
    Caps,
    Decoded,
    Encoded,
    JpegFacts,
    PillowDecoder,
    Refusal,
    Share,
    TurboDecoder,
    read_facts,
    select_decoder,
)
from tarlight.decode.turbo import refuse
from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.ledger import SkipReason
from tests.decode.contract import changed_jpegs, sound_jpegs
from tests.decode.jpegs import CAPS, encoded, paint, save, see
from tests.soak import repetitions

TURBO, PILLOW = select_decoder("turbo"), select_decoder("pillow")


def verdict(result: Decoded | Refusal) -> tuple[object, ...]:
    """Return what must not depend on the decoder."""
    if isinstance(result, Refusal):
        return tuple(result)
    return result.pixels.shape, result.damaged, result.damage_checked


@settings(deadline=None, max_examples=repetitions(150, 3000))
@given(changed_jpegs())
def test_verdicts_do_not_depend_on_the_decoder(jpeg):
    """Turbo and Pillow agree on every changed JPEG, and show the same pixels of those they deliver."""
    facts = read_facts(jpeg, CAPS)
    if isinstance(facts, Refusal) or facts.num_pixels > 1 << 22:
        return
    (ours,), (theirs,) = TURBO.decode([Encoded(jpeg, facts)]), PILLOW.decode([Encoded(jpeg, facts)])
    assert verdict(ours) == verdict(theirs)
    if isinstance(ours, Decoded):
        limit = 2 if facts.components == 4 else 0
        assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= limit


@settings(deadline=None, max_examples=repetitions(150, 3000))
@given(changed_jpegs())
def test_what_strict_libjpeg_turbo_decodes_is_delivered(jpeg):
    """Whatever strict libjpeg-turbo accepts is delivered with its pixels, unless its header is refused."""
    facts = read_facts(jpeg, CAPS)
    if isinstance(facts, Refusal) or facts.num_pixels > 1 << 22:
        return
    try:
        expected = simplejpeg.decode_jpeg(jpeg, "RGB", strict=True)
    except ValueError:
        return
    (result,) = select_decoder("turbo", exif_orientation=False).decode([Encoded(jpeg, facts)])
    assert np.array_equal(result.pixels, expected)


@pytest.mark.parametrize("kind", ["420", "progressive", "gray", "cmyk", "restart markers"])
def test_no_cut_passes_as_good(kind):
    """A JPEG cut at any byte before its end is refused as truncated, its last two bytes included."""
    jpeg = sound_jpegs()[kind]
    for size in range(2, len(jpeg)):
        facts = read_facts(jpeg[:size], CAPS)
        if isinstance(facts, JpegFacts):
            (facts,) = TURBO.decode([Encoded(jpeg[:size], facts)])
        assert isinstance(facts, Refusal), size
        assert facts.reason == SkipReason.TRUNCATED, (size, facts)


def test_restart_markers_out_of_order_are_damage():
    """Restart markers exchanged inside the scan are found."""
    jpeg = sound_jpegs()["restart markers"]
    swapped = jpeg.replace(b"\xff\xd1", b"\xff\xd9"[:1] + b"\xd5", 1)
    (result,) = TURBO.decode([encoded(swapped)])
    assert result.reason == SkipReason.CORRUPT


def test_pillows_limit_on_pixels_does_not_leak(monkeypatch):
    """Our cap rules: an image beyond Pillow's own limit is decoded without its warning or error."""
    jpeg = save(paint(64, 64))
    expected = see(jpeg)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    (result,) = PILLOW.decode([encoded(jpeg)])
    assert result.decoder == "pillow"
    assert np.array_equal(result.pixels, expected)


def test_facts_are_refused_before_decoding():
    """The caps are those of `read_facts`; an image above them never reaches a decoder."""
    assert read_facts(save(), Caps(max_pixels=10))[0] == SkipReason.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    ("error", "reason", "told"),
    [
        (ValueError("Premature end of JPEG file"), SkipReason.TRUNCATED, "libjpeg-turbo: Premature end"),
        (ValueError("Corrupt JPEG data: bad Huffman code"), SkipReason.CORRUPT, "bad Huffman code"),
        (ValueError("Insufficient memory (case 4)"), SkipReason.TOO_MANY_PIXELS, "Insufficient memory"),
        (MemoryError("Unable to allocate 500. MiB"), SkipReason.TOO_MANY_PIXELS, "500. MiB"),
        (
            TypeError("an integer is required"),
            SkipReason.CORRUPT,
            "unexpected TypeError: an integer is required",
        ),
    ],
)
def test_errors_become_refusals_that_name_them(error, reason, told):
    """Whatever a decoder raises for one image keeps its text, and what nobody expected also its type."""
    refusal = refuse(error)
    assert refusal.reason == reason
    assert told in refusal.detail


def test_what_goes_wrong_in_our_own_code_is_told():
    """An image that is not even bytes costs itself only, and the refusal names the exception."""
    broken = Encoded(None, encoded(save()).facts)
    for decoder in (TURBO, PILLOW):
        refused, delivered = decoder.decode([broken, encoded(save())])
        assert refused.detail.startswith("unexpected TypeError: ")
        assert isinstance(delivered, Decoded)


def test_auto_is_turbo_and_says_why():
    """Where no GPU may be used, `auto` is libjpeg-turbo on the CPU."""
    decoder = select_decoder("auto", share=Share(gpus=0))
    assert decoder.name == "turbo"
    assert decoder.reason.startswith("auto: libjpeg-turbo is the fastest decoder on the CPU")
    assert select_decoder("turbo") == TurboDecoder()
    assert select_decoder("pillow", damaged="deliver") == PillowDecoder(deliver_damaged=True)


@pytest.mark.parametrize("name", ["", "TURBO", None, "jpeg"])
def test_unknown_decoders_are_refused_with_the_allowed_ones(name):
    """A decoder that does not exist is an error that names the argument and those that do."""
    with pytest.raises((ArgumentError, ArgumentTypeError), match="decoder must be "):
        select_decoder(name)


def test_unknown_damage_policies_are_refused():
    """`damaged` takes two values, and says which."""
    with pytest.raises(ArgumentError, match="damaged must be one of 'skip', 'deliver', got 'keep'"):
        select_decoder("turbo", damaged="keep")


def test_importing_and_decoding_do_not_load_pillow():
    """Pillow is loaded only when an image needs it."""
    program = (
        "import sys, numpy, simplejpeg\n"
        "from tarlight.decode import *\n"
        "jpeg = simplejpeg.encode_jpeg(numpy.zeros((8, 8, 3), 'u1'))\n"
        "result, = select_decoder('auto').decode([Encoded(jpeg, read_facts(jpeg, Caps()))])\n"
        "assert result.pixels.shape == (8, 8, 3)\n"
        "assert 'PIL' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
