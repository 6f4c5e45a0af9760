"""An image goes down the ladder alone, as far as it must, and says why (C3, C9)."""

from __future__ import annotations

import numpy as np
import pytest

from tarlight.decode import (
    Decoded,
    Encoded,
    Ladder,
    LadderDecoder,
    Recipe,
    Refusal,
    Share,
    TurboDecoder,
    select_decoder,
)
from tarlight.decode.batching import LOST, NOT_DECODED
from tarlight.decode.ladder import COMPLAINT, WRONG_SIZE, working_bytes
from tarlight.decode.precheck import MARKER_FAULT
from tarlight.decode.segment import DHT
from tarlight.errors import DecoderUnavailableError
from tarlight.ledger import SkipReason
from tests.decode.fakes import REFUSED, FakeRung
from tests.decode.jpegs import encoded, find, paint, save

GOOD = [save(paint(24 + index, 16)) for index in range(6)]


def ladder(*rungs, strict=False):
    return Ladder(rungs, TurboDecoder(), strict=strict)


def decode(stairs, jpegs=GOOD):
    results = stairs.decode([encoded(jpeg) for jpeg in jpegs])
    for jpeg, result in zip(jpegs, results, strict=True):
        if isinstance(result, Decoded):
            (expected,) = TurboDecoder().decode([encoded(jpeg)])
            assert np.array_equal(result.pixels, expected.pixels)
    return results


def test_the_first_rung_that_takes_an_image_decodes_it():
    """A kind that the first rung refuses goes to the second, with the reason; the others stay."""
    progressive = save(progressive=True)
    stairs = ladder(FakeRung("hardware", refuses_progressive=True), FakeRung("cuda"))
    results = decode(stairs, [GOOD[0], progressive, GOOD[1]])
    assert [result.decoder for result in results] == ["hardware", "cuda", "hardware"]
    assert [result.fallback for result in results] == ["", f"hardware: {REFUSED}", ""]
    assert not any(result.damage_checked for result in results)


@pytest.mark.parametrize(
    ("broken", "phrase"),
    [
        (FakeRung("top", is_missing=True), LOST),
        (FakeRung("top", lost_after=0), LOST),
        (FakeRung("top", bad=frozenset(GOOD)), NOT_DECODED),
        (FakeRung("top", bad=frozenset(GOOD), tells_bad=True), NOT_DECODED),
        (FakeRung("top", fits=0), "out of memory there"),
        (FakeRung("top", grows=True), WRONG_SIZE),
    ],
)
@pytest.mark.parametrize("middle", [(), (FakeRung("middle"),)])
def test_a_rung_that_fails_hands_all_its_images_down(broken, phrase, middle):
    """However a rung fails, the next one decodes every image, on the device or on the CPU, and says why."""
    results = decode(ladder(broken, *middle))
    assert {result.decoder for result in results} == {"middle" if middle else "turbo"}
    assert {result.fallback for result in results} == {f"top: {phrase}"}


def test_every_rung_may_fail():
    """When all rungs are gone the CPU decodes everything, and each loss is noted once."""
    stairs = ladder(FakeRung("a", is_missing=True), FakeRung("b", lost_after=0))
    decode(stairs)
    results = decode(stairs)
    assert [result.decoder for result in results] == ["turbo"] * len(GOOD)
    assert {result.fallback for result in results} == {LOST}
    assert [note.partition(":")[0] for note in stairs.notes] == ["a", "b"]


def test_visible_damage_never_reaches_a_device():
    """A file without its end is judged on the CPU; its neighbours go to the device in one batch."""
    rung = FakeRung()
    results = decode(ladder(rung), [*GOOD[:3], GOOD[3][:-40], *GOOD[4:]])
    assert isinstance(results[3], Refusal)
    assert results[3].reason == SkipReason.TRUNCATED
    assert rung.log.batches == [5]


def test_strict_verification_sees_what_the_device_does_not():
    """Damage between markers passes with `headers`, unchecked; `strict` refuses it, and checks good ones."""
    jpeg = save(paint(64, 64))
    damaged = jpeg[:-2] + b"junk" * 16 + jpeg[-2:]
    (passed,) = ladder(FakeRung()).decode([encoded(damaged)])
    assert isinstance(passed, Decoded)
    assert not passed.damage_checked
    refused, checked = ladder(FakeRung(), strict=True).decode([encoded(damaged), encoded(jpeg)])
    assert refused.reason == SkipReason.CORRUPT
    assert checked.damage_checked
    assert checked.decoder == "fake"


def test_what_is_mended_is_mended_on_the_cpu():
    """An image that needs a mended header is delivered by libjpeg-turbo, with the complaint as the reason."""
    at = GOOD[0].index(b"\xff\xda")
    jpeg = GOOD[0][:at] + b"junk" + GOOD[0][at:]
    (result,) = decode(ladder(FakeRung(), strict=True), [jpeg])
    assert (result.decoder, result.fallback) == ("turbo", COMPLAINT)


def test_restart_markers_out_of_order_are_left_to_the_cpu():
    """Restart markers that are not in sequence are seen before the device is asked."""
    jpeg = save(paint(64, 64), restart_marker_blocks=2)
    swapped = jpeg.replace(b"\xff\xd1", b"\xff\xd5", 1)
    stairs = ladder(FakeRung())
    assert stairs.check(encoded(jpeg)) == ""
    assert stairs.check(encoded(swapped)) == MARKER_FAULT
    (result,) = stairs.decode([encoded(swapped)])
    assert isinstance(result, Refusal)


def test_a_rung_can_be_asked_and_used_by_itself():
    """The ladder says what a rung would take, and runs images on that rung alone."""
    stairs = ladder(FakeRung("one", bad=frozenset({GOOD[0]}), tells_bad=True), FakeRung("two"))
    images = [encoded(jpeg) for jpeg in GOOD[:2]]
    assert [stairs.refuses(0, image.facts) for image in images] == ["", ""]
    failed, decoded = stairs.run_on(0, images)
    assert failed == NOT_DECODED
    assert decoded.decoder == "one"
    assert stairs.refuses(1, encoded(save(mode="CMYK")).facts) == REFUSED


def test_working_memory_covers_the_pixels():
    """What an image takes on a device is never less than its file and its pixels, more if progressive."""
    plain, progressive = encoded(save()), encoded(save(progressive=True))
    assert working_bytes(plain) >= len(plain.data) + plain.facts.num_bytes
    assert working_bytes(progressive) > working_bytes(plain)


def test_a_hundred_images_with_thirty_bad_ones_give_seventy():
    """Through DALI on the CPU, bad images of four kinds cost themselves only, and its pipeline is rebuilt."""
    good = save(paint(48, 40))
    code = find(good, DHT) + 21
    bogus = good[:code] + b"\x4d" + good[code + 1 :]  # a Huffman code that stands for 77 bits
    kinds = [good[: len(good) // 2], bogus, good[:-1], good.replace(b"\xff\xdb", b"\xff\xd8", 1)]
    jpegs = [kinds[index % 4] if index % 10 in (2, 5, 6) else good for index in range(100)]
    decoder = select_decoder("dali", share=Share(gpus=0))
    assert isinstance(decoder, LadderDecoder)
    facts = encoded(good).facts
    results = decoder.decode([Encoded(jpeg, facts) for jpeg in jpegs])
    for jpeg, result in zip(jpegs, results, strict=True):
        assert isinstance(result, Decoded) == (jpeg is good)
    assert sum(isinstance(result, Decoded) for result in results) == 70
    assert sum(getattr(result, "decoder", "") == "dali" for result in results) > 35


def test_a_required_decoder_that_cannot_start_is_an_error():
    """Asked for by name and not working from the start is an error that says why; `auto` notes it."""
    rungs = [FakeRung("a", is_missing=True), FakeRung("b", is_missing=True)]
    with pytest.raises(DecoderUnavailableError, match=r"libfake\.so is not there"):
        LadderDecoder(Recipe("fake", "", tuple(rungs), TurboDecoder(), is_required=True)).prepare()
    decoder = LadderDecoder(Recipe("fake", "", tuple(rungs), TurboDecoder()))
    decoder.prepare()
    assert len(decoder.notes) == 2
    half = LadderDecoder(Recipe("fake", "", (rungs[0], FakeRung()), TurboDecoder(), is_required=True))
    half.prepare()
    assert half.decode([encoded(GOOD[0])])[0].decoder == "fake"
