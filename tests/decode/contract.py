"""What every decoder promises (C3, C6, C8, C9). A new decoder passes by one line in `test_contract.py`."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tarlight.decode import Decoded, Decoder, Encoded, JpegFacts, Refusal, read_facts, select_decoder
from tarlight.ledger import SkipReason
from tests.decode.jpegs import CAPS, encoded, flat_jpeg, paint, save, see


@cache
def sound_jpegs() -> dict[str, bytes]:
    """Return one JPEG of each common kind."""
    jpegs = {
        "gray": save(mode="L"),
        "gray progressive": save(mode="L", progressive=True),
        "cmyk": save(mode="CMYK"),
        "rgb-coded": save(keep_rgb=True),
        "progressive": save(progressive=True),
        "restart markers": save(restart_marker_blocks=2),
        "one pixel": save(paint(1, 1)),
        "one column": save(paint(1, 50)),
        "one row": save(paint(50, 1)),
        "trailing bytes": save() + b"trailing \xff\xd9 bytes \xff\xda",
        "optimized": save(optimize=True),
    }
    for subsampling in ("444", "422", "420", "440", "411"):
        jpegs[subsampling] = simplejpeg.encode_jpeg(paint(), 85, "RGB", subsampling)
        jpegs[f"{subsampling} odd size"] = simplejpeg.encode_jpeg(paint(37, 29), 85, "RGB", subsampling)
    return jpegs


@cache
def verdict_table() -> list[tuple[bytes, SkipReason | None]]:
    """Return images and the verdict each must get; None stands for delivered."""
    good = save(paint(64, 64))
    middle = len(good) // 2
    flipped = good[:middle] + bytes(byte ^ 0x55 for byte in good[middle : middle + 40]) + good[middle + 40 :]
    odd = flat_jpeg(64, 48, (0x42, 0x11, 0x11))
    return [
        (good, None),
        (good[:middle], SkipReason.TRUNCATED),
        (good[:-2], SkipReason.TRUNCATED),
        (good[:-1], SkipReason.TRUNCATED),
        (flipped, SkipReason.CORRUPT),
        (good[:-2] + b"junk" * 16 + b"\xff\xd9", SkipReason.CORRUPT),
        (save(mode="L"), None),
        (odd, None),
        (odd[:-2], SkipReason.TRUNCATED),
        (good, None),
    ]


@st.composite
def changed_jpegs(draw) -> bytes:
    """Draw a sound JPEG with up to eight bytes changed."""
    jpeg = bytearray(draw(st.sampled_from(list(sound_jpegs().values()))))
    for _ in range(draw(st.integers(0, 8))):
        jpeg[draw(st.integers(3, len(jpeg) - 1))] = draw(st.integers(0, 255))
    return bytes(jpeg)


class DecoderContract:
    """Subclass it as `Test...` and name the decoder."""

    name: str
    tolerance = 0
    """Greatest difference to Pillow's pixels, gray and YCbCr; CMYK may always differ by 2."""
    checks_damage = True
    """Whether it sees damage between markers, so that every damaged image is found."""
    left_to_turbo: frozenset[str] = frozenset()
    """Kinds of sound JPEGs that it leaves to libjpeg-turbo, and says so."""

    def make(self, **options) -> Decoder:
        return select_decoder(self.name, **options)

    def may_be(self, reason: SkipReason | None) -> tuple[SkipReason | None, ...]:
        """What may become of an image that must get this verdict where all damage is seen."""
        return (reason, None) if reason == SkipReason.CORRUPT and not self.checks_damage else (reason,)

    def decode(self, jpeg: bytes, **options) -> Decoded | Refusal:
        (result,) = self.make(**options).decode([encoded(jpeg)])
        return result

    @pytest.mark.parametrize("kind", sound_jpegs())
    def test_pixels_are_those_of_pillow(self, kind):
        """A sound image of any common kind has Pillow's pixels and nothing to be excused for."""
        result = self.decode(sound_jpegs()[kind])
        expected = see(sound_jpegs()[kind])
        assert isinstance(result, Decoded)
        assert result.pixels.shape == expected.shape
        difference = np.abs(result.pixels.astype(int) - expected).max()
        assert difference <= (max(2, self.tolerance) if kind == "cmyk" else self.tolerance)
        if kind in self.left_to_turbo:
            assert result[1:4] == ("turbo", False, True)
            assert result.fallback.startswith(f"{self.name}: ")
        else:
            assert result[1:] == (self.name, False, self.checks_damage, "")

    @pytest.mark.parametrize("orientation", range(10))
    def test_pixels_are_turned_upright(self, orientation):
        """Every EXIF orientation is applied as Pillow does, and not when that is turned off."""
        exif = Image.Exif()
        exif[274] = orientation
        jpeg = save(paint(40, 24), exif=exif)
        turned, stored = self.decode(jpeg), self.decode(jpeg, exif_orientation=False)
        assert np.abs(turned.pixels.astype(int) - see(jpeg)).max() <= self.tolerance
        assert np.array_equal(stored.pixels, self.decode(save(paint(40, 24))).pixels)
        for result in (turned, stored):
            assert result.pixels.flags.c_contiguous
            assert result.pixels.flags.owndata
            assert result.pixels.flags.writeable
            assert result.pixels.dtype == np.uint8

    def test_each_image_gets_its_own_verdict_in_order(self):
        """One call with good and bad images returns one verdict an image, in order."""
        table = verdict_table()
        results = self.make().decode([encoded(jpeg) for jpeg, _ in table])
        found = [getattr(result, "reason", None) for result in results]
        assert len(found) == len(table)
        assert all(reason in self.may_be(due) for reason, (_, due) in zip(found, table, strict=True))

    def test_nothing_gives_nothing(self):
        """No images are no results."""
        assert self.make().decode([]) == []

    def test_damaged_images_are_delivered_on_request_and_marked(self):
        """With `damaged="deliver"` damaged images come with pixels and say so, good ones do not."""
        images = [encoded(jpeg) for jpeg, _ in verdict_table()]
        results = self.make(damaged="deliver").decode(images)
        assert all(isinstance(result, Decoded) for result in results)
        for result, (_, reason) in zip(results, verdict_table(), strict=True):
            assert result.damaged in [due is not None for due in self.may_be(reason)]
        shapes = [(image.facts.height, image.facts.width, 3) for image in images]
        assert [result.pixels.shape for result in results] == shapes

    def test_a_damaged_image_keeps_what_came_before_the_damage(self):
        """The upper half of an image that was cut in its middle is delivered as it was."""
        jpeg = save(paint(64, 64), subsampling="4:4:4")
        whole = self.decode(jpeg).pixels
        cut = self.decode(jpeg[: len(jpeg) * 3 // 4], damaged="deliver").pixels
        assert np.array_equal(cut[:24], whole[:24])

    def test_threads_get_the_same_pixels(self):
        """One decoder used by several threads gives each of them bit-equal results."""
        decoder, images = self.make(), [encoded(jpeg) for jpeg in sound_jpegs().values()]
        expected = [result.pixels.tobytes() for result in decoder.decode(images)]
        with ThreadPoolExecutor(4) as pool:
            for results in pool.map(decoder.decode, [images] * 8):
                assert [result.pixels.tobytes() for result in results] == expected

    def test_pickled_decoders_decode(self):
        """A decoder survives pickling with its options."""
        decoder = pickle.loads(pickle.dumps(self.make(damaged="deliver")))
        (result,) = decoder.decode([encoded(save()[:-20])])
        assert result.damaged

    def test_name_and_reason_say_what_was_chosen(self):
        """A decoder says its name and why it was chosen."""
        assert self.make().name == self.name
        assert self.make().reason.startswith("asked for by name")

    def test_random_changes_never_raise(self):
        """Whatever bytes are changed after the start marker, there is one verdict and no exception."""
        decoder = self.make()

        @settings(deadline=None)
        @given(changed_jpegs())
        def check(jpeg: bytes) -> None:
            facts = read_facts(jpeg, CAPS)
            if isinstance(facts, JpegFacts) and facts.num_pixels < 1 << 22:
                (result,) = decoder.decode([Encoded(jpeg, facts)])
                assert isinstance(result, Refusal) or result.pixels.shape[2] == 3

        check()

    def test_facts_that_lie_cost_one_image(self):
        """An image whose bytes are not those of its facts is refused, with the message of whoever noticed."""
        liar = Encoded(b"", encoded(save()).facts)
        good = encoded(save())
        refused, delivered = self.make().decode([liar, good])
        assert isinstance(refused, Refusal)
        assert refused.detail
        assert isinstance(delivered, Decoded)
