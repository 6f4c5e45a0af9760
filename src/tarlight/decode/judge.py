"""Decides whether an image is good, and gives its pixels: the ladder that every CPU decoder stands on (C8).

1. Strict libjpeg-turbo decodes the file as it is. Nearly all images end here.
2. It complained. The header is rebuilt and judged again: a complaint about what stands before the first SOS
   is gone now, one about the picture itself comes back, and is final.
3. libjpeg-turbo does not do such files at all. If the header is sound and the scans end properly, Pillow
   reads it, and the image is marked as not checked for damage.

Verdicts therefore never depend on which decoder makes the pixels (C6). Functions here return a verdict for
any content; what they raise is a fault of ours or of the machine, and the decoders turn it into a refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tarlight.decode.mend import mend_header
from tarlight.decode.pillow import refuse_with_pillow, run_pillow
from tarlight.decode.protocol import Decoded, Encoded, Refusal
from tarlight.decode.sound import find_fault, is_complete, is_cut_in_segment
from tarlight.decode.turbo import is_warning, name_limit, refuse, run_turbo
from tarlight.ledger import SkipReason

if TYPE_CHECKING:
    from tarlight.decode.protocol import JpegFacts

_EOI: Final = b"\xff\xd9"
_DAMAGE: Final = (SkipReason.TRUNCATED, SkipReason.CORRUPT)


def judge(image: Encoded, *, deliver_damaged: bool = False) -> Decoded | Refusal:
    """Return the pixels as stored, not yet turned, or why there are none."""
    data, facts = image
    try:
        return Decoded(run_turbo(data, facts), "turbo")
    except ValueError:
        return _judge_mended(data, facts, deliver_damaged=deliver_damaged)


def _judge_mended(data: bytes, facts: JpegFacts, *, deliver_damaged: bool) -> Decoded | Refusal:
    mended = mend_header(data, facts)
    try:
        return Decoded(run_turbo(mended, facts), "turbo")
    except ValueError as complaint:
        error = complaint
    limit, refusal = name_limit(error), refuse(error)
    if limit:
        return _judge_without_turbo(data, facts, limit, deliver_damaged=deliver_damaged)
    if refusal.reason == SkipReason.CORRUPT and not is_warning(error) and is_cut_in_segment(data, facts):
        # libjpeg went on with made-up bytes and stumbled over them, which hides that the file ended.
        refusal = Refusal(SkipReason.TRUNCATED, f"the file ends inside a segment ({refusal.detail})")
    if deliver_damaged and refusal.reason in _DAMAGE:
        return _decode_damaged(mended, facts) or refusal
    return refusal


def _decode_damaged(mended: bytes, facts: JpegFacts) -> Decoded | None:
    try:
        return Decoded(run_turbo(mended, facts, strict=False), "turbo", damaged=True)
    except ValueError:  # not decodable at all: the first verdict stands
        return None


def _judge_without_turbo(
    data: bytes, facts: JpegFacts, limit: str, *, deliver_damaged: bool
) -> Decoded | Refusal:
    fault = find_fault(data, facts)
    if fault:
        return Refusal(SkipReason.CORRUPT, fault)
    mended = mend_header(data, facts)
    refusal = Refusal(SkipReason.TRUNCATED, f"no end marker (EOI) in {len(data):,} bytes")
    if is_complete(data, facts):
        outcome = _try_pillow(mended, facts, limit)
        if isinstance(outcome, Decoded):
            return outcome
        refusal = outcome
    if deliver_damaged and refusal.reason in _DAMAGE:
        outcome = _try_pillow(mended + _EOI, facts, limit)
        if isinstance(outcome, Decoded):
            return outcome._replace(damaged=True)
    return refusal


def _try_pillow(mended: bytes, facts: JpegFacts, limit: str) -> Decoded | Refusal:
    try:
        return Decoded(run_pillow(mended), "pillow", damage_checked=False, fallback=limit)
    except (OSError, SyntaxError, ValueError) as error:
        if facts.process == "lossless":
            return Refusal(SkipReason.UNSUPPORTED, f"lossless {limit}, nor Pillow ({error})")
        return refuse_with_pillow(error)
