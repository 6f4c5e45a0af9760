"""DALI on the CPU beside libjpeg-turbo, on real files: pixels and verdicts (C3, C6, C8)."""

from __future__ import annotations

import tarfile

import numpy as np
import pytest

from tarlight.decode import Decoded, Encoded, JpegFacts, Refusal, read_facts, select_decoder
from tarlight.stages.image.io.image_reader import ImageReaderStage
from tests.decode.jpegs import CAPS
from tests.decode.unseen import UNSEEN
from tests.reader.dataset import images, load

pytestmark = pytest.mark.corpus

TOLERANCE = 0
"""Levels by which DALI on the CPU and libjpeg-turbo differ: measured over all folders."""


def read(folder):
    """Return key and image of all that is worth decoding."""
    found = []
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as archive:
            for member in archive:
                if member.name.lower().endswith((".jpg", ".jpeg")):
                    jpeg = archive.extractfile(member).read()
                    facts = read_facts(jpeg, CAPS)
                    if isinstance(facts, JpegFacts):
                        found.append((member.name.split(".")[0], Encoded(jpeg, facts)))
    return found


def decode(keyed, **options):
    decoder = select_decoder(**options)
    results = []
    for start in range(0, len(keyed), 64):
        results += decoder.decode([image for _, image in keyed[start : start + 64]])
    return {key: result for (key, _), result in zip(keyed, results, strict=True)}


def ledger(results):
    return {key: result.reason for key, result in results.items() if isinstance(result, Refusal)}


def assert_equal_pixels(some, others):
    both = [key for key, result in some.items() if isinstance(result, Decoded)]
    compared = [key for key in both if isinstance(others[key], Decoded)]
    assert compared
    for key in compared:
        if np.array_equal(some[key].pixels, others[key].pixels):
            continue
        difference = some[key].pixels.astype(np.int16) - others[key].pixels
        assert np.abs(difference).max() <= TOLERANCE, key


def test_photos_are_those_of_turbo(corpus):
    """900 of 900 photos come from DALI itself, equal to libjpeg-turbo's, through the whole reader."""
    ours = images(load(str(corpus / "photos"), decoder="dali", num_gpus_per_worker=0))
    theirs = images(load(str(corpus / "photos"), decoder="turbo"))
    assert {image.decoder for image in ours} == {"dali"}
    assert not any(image.damage_checked for image in ours)
    assert [image.image_id for image in ours] == [image.image_id for image in theirs]
    assert len(ours) == 900
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(one.image_data.astype(np.int16) - other.image_data).max() <= TOLERANCE


@pytest.mark.parametrize(
    "folder",
    [
        "bad_jpegs",
        pytest.param("odd_jpegs", marks=pytest.mark.soak),
        pytest.param("mixed", marks=pytest.mark.soak),
    ],
)
def test_verdicts_are_those_of_turbo(corpus, folder):
    """With `strict` verdicts are libjpeg-turbo's; with `headers` only images that it calls corrupt differ."""
    keyed = read(corpus / folder)
    turbo = decode(keyed, name="turbo")
    strict = decode(keyed, name="dali", verify="strict")
    assert ledger(strict) == ledger(turbo)
    assert_equal_pixels(strict, turbo)
    quick = decode(keyed, name="dali", verify="headers")
    missed = ledger(turbo).items() - ledger(quick).items()
    assert sorted(key for key, _ in missed) == sorted(UNSEEN[folder])
    assert {reason for _, reason in missed} == {"corrupt"}
    assert ledger(quick).items() <= ledger(turbo).items()
    assert_equal_pixels(quick, turbo)


def test_the_ledger_of_a_run_is_that_of_turbo(corpus):
    """Through the reader, `verify="strict"` skips the same images for the same reasons, in balance."""
    ours = load(str(corpus / "mixed"), decoder="dali", verify="strict", num_gpus_per_worker=0).report
    theirs = load(str(corpus / "mixed"), decoder="turbo").report
    assert [(skip.key, skip.reason) for skip in ours.skips] == [
        (skip.key, skip.reason) for skip in theirs.skips
    ]
    assert ours.images_delivered == theirs.images_delivered
    assert ours.is_balanced
    assert ours.decoders["dali"] > 900
    assert ours.images_unchecked == theirs.images_unchecked
    quick = load(str(corpus / "mixed"), decoder="dali", num_gpus_per_worker=0).report
    assert quick.images_unchecked >= quick.decoders["dali"]
    assert ours.decoder_choice.startswith("dali (asked for by name, on the CPU")


def test_large_images_are_those_of_turbo(corpus):
    """Photos of many megapixels, turned ones among them, have libjpeg-turbo's pixels."""
    keyed = read(corpus / "large")
    assert_equal_pixels(decode(keyed, name="dali"), decode(keyed, name="turbo"))


def test_describe_says_what_would_be_chosen():
    """The stage tells the choice and its reason, also where a decoder asked for by name is not available."""
    told = ImageReaderStage(decoder="auto", num_gpus_per_worker=0).describe()["decoder"]
    assert told.startswith("auto (here turbo, auto: libjpeg-turbo")
    told = ImageReaderStage(decoder="nvimgcodec", num_gpus_per_worker=0).describe()["decoder"]
    assert "not available here" in told
