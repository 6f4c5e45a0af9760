"""The rows of the ledger table: what is shown of a report, in which order and words; not how it looks.

Every text that came out of a shard goes through `label`, so a row is safe to print.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from tarlight.ledger import LossReason, SkipReason
from tarlight.report.figure import count, digits, duration, num_bytes, plural, rate
from tarlight.report.label import label
from tarlight.report.stage import stage_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tarlight.ledger import Loss, Note, Report, Skip

Tone = Literal["plain", "good", "warn", "bad"]

SKIP_HINTS = {
    SkipReason.NOT_JPEG: "named as a JPEG, but something else",
    SkipReason.EMPTY: "has no bytes",
    SkipReason.TRUNCATED: "ends too early",
    SkipReason.CORRUPT: "the image data is damaged",
    SkipReason.UNSUPPORTED: "a kind of JPEG that no decoder here reads",
    SkipReason.TOO_MANY_PIXELS: "more than max_pixels allows",
    SkipReason.TOO_MANY_SCANS: "more than max_scans allows",
    SkipReason.TOO_LARGE: "more bytes than max_member_bytes allows",
    SkipReason.DUPLICATE_KEY: "the same name came before it",
    SkipReason.NAME_LOST: "its long name was damaged",
}
"""What each reason means, in a few words."""

LOSS_HINTS = {
    LossReason.BAD_HEADER: "read on at the next sound header",
    LossReason.TRUNCATED_SHARD: "ends too early: was it copied completely?",
    LossReason.NOT_A_TAR: "holds no tar header",
    LossReason.UNSUPPORTED_COMPRESSION: "unpack it, or pack it with gzip",
    LossReason.GZIP_ERROR: "the gzip stream is damaged",
    LossReason.INFLATES_TOO_MUCH: "grows too much: a gzip bomb?",
    LossReason.CHECKSUM_MISMATCH: "not the bytes that were written",
    LossReason.READ_FAILED: "could not be read to its end",
}
"""What each reason means, in a few words."""

ACCOUNTED = "every image and byte accounted for"
"""Said of books that balance, where no shard of unknown size was lost."""

_FIRST = 5
"""Losses, notes of a kind and ignored kinds that are shown; the JSON has them all."""
_LOOKED_AT = 10_000
"""Entries searched for examples: those that a ledger keeps in memory."""
_KEY, _SHARD, _DETAIL, _SENTENCE = 40, 48, 120, 600
"""Characters of names, of what a decoder says, and of sentences of ours, which only long names can swell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the ledger table, and the sentences under it."""

    name: str
    """What is counted."""
    amount: str = ""
    """How much of it, to be aligned at the right."""
    remark: str = ""
    """A few words beside the amount."""
    details: tuple[str, ...] = ()
    """Sentences of their own below it."""
    depth: int = 0
    """0 for a sum, 1 and 2 for its parts."""
    tone: Tone = "plain"
    """How it should catch the eye."""


def headline(report: Report) -> Row:
    """One sentence that says how the run went."""
    delivered = f"{count(report.images_delivered)} of {plural(report.images_seen, 'image')} delivered"
    places = len(report.losses)
    lost = f"{plural(places, 'place')} lost ({_lost_amount(report)}), " if places else ""
    where = f"{plural(report.shards, 'shard')} in {duration(report.seconds)}"
    return Row(f"{report.outcome}: {delivered}, {lost}{where}", tone=_tone(report))


def rows(report: Report, encoding: str = "utf-8") -> Iterator[Row]:
    """Every row of the table, sums before their parts."""
    yield from _image_rows(report, encoding)
    yield from _count_rows("members ignored", report.ignored, encoding)
    yield from _byte_rows(report, encoding)
    yield from _count_rows("images decoded", report.decoders, encoding)
    if report.images_unchecked:
        yield Row(
            "not checked", count(report.images_unchecked), 'for damage; verify="strict" checks all', depth=1
        )
    yield from _count_rows("fallbacks", report.fallbacks, encoding)
    yield from _note_rows(report, encoding)
    yield from _rate_rows(report)
    yield from _stage_rows(report, encoding)
    yield from _balance_rows(report, encoding)


def _lost_amount(report: Report) -> str:
    amount = plural(report.bytes_lost, "byte")
    return f"{amount} and {unsized}" if (unsized := unsized_text(report)) else amount


def unsized_text(report: Report) -> str:
    """Return how many lost shards, or rests of them, nobody knows the size of; empty where there are none."""
    return f"{plural(report.unsized_losses, 'shard')} of unknown size" if report.unsized_losses else ""


def _tone(report: Report) -> Tone:
    if report.outcome == "failed" or not report.is_balanced:
        return "bad"
    return "good" if report.outcome == "finished" and not has_findings(report) else "warn"


def has_findings(report: Report) -> bool:
    """True when anything was skipped or lost, which `--strict` counts as failure."""
    return bool(report.num_skipped or report.bytes_lost or len(report.losses))


def _image_rows(report: Report, encoding: str) -> Iterator[Row]:
    yield Row("images seen", count(report.images_seen))
    if report.images_added:
        yield Row("added", count(report.images_added), "made by stages", depth=1)
    yield Row("delivered", count(report.images_delivered), depth=1, tone="good")
    yield from _skip_rows(report, encoding)
    yield from _part_rows("filtered", report.images_filtered, encoding)
    if report.undelivered:
        remark = "on their way when the run ended"
        yield Row("undelivered", count(report.undelivered), remark, depth=1, tone="warn")


def _skip_rows(report: Report, encoding: str) -> Iterator[Row]:
    yield Row("skipped", count(report.num_skipped), depth=1, tone="warn" if report.num_skipped else "plain")
    examples = _examples(report)
    for reason, number in _largest_first(report.images_skipped):
        example = examples.get(reason)
        details = () if example is None else (_example_text(example, encoding),)
        yield Row(reason, count(number), SKIP_HINTS[SkipReason(reason)], details, depth=2)


def _examples(report: Report) -> dict[str, Skip]:
    examples: dict[str, Skip] = {}
    for skip in islice(report.skips, _LOOKED_AT):
        examples.setdefault(skip.reason.value, skip)
        if len(examples) == len(report.images_skipped):
            break
    return examples


def _example_text(skip: Skip, encoding: str) -> str:
    where = f"e.g. {label(skip.key, _KEY, encoding)} in {label(skip.shard, _SHARD, encoding)}"
    return f"{where}: {label(skip.detail, _DETAIL, encoding)}" if skip.detail else where


def _count_rows(name: str, counts: Mapping[str, int], encoding: str) -> Iterator[Row]:
    """A sum and its largest parts, when there is anything to count."""
    if counts:
        yield Row(name, count(sum(counts.values())))
        yield from _largest(counts, encoding, depth=1)


def _part_rows(name: str, counts: Mapping[str, int], encoding: str) -> Iterator[Row]:
    if counts:
        yield Row(name, count(sum(counts.values())), depth=1)
        yield from _largest(counts, encoding, depth=2)


def _largest(counts: Mapping[str, int], encoding: str, depth: int) -> Iterator[Row]:
    ordered = _largest_first(counts)
    for kind, number in ordered[:_FIRST]:
        yield Row(label(kind, _KEY, encoding) or "(no name)", count(number), depth=depth)
    if rest := ordered[_FIRST:]:
        yield Row(f"{len(rest)} more", count(sum(number for _, number in rest)), depth=depth)


def _largest_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _byte_rows(report: Report, encoding: str) -> Iterator[Row]:
    yield Row("bytes read", count(report.bytes_read), num_bytes(report.bytes_read))
    places = len(report.losses)
    remark = f"in {plural(places, 'place')}" if places else ""
    if unsized := unsized_text(report):
        remark = f"{remark}, and {unsized}"
    yield Row("lost", count(report.bytes_lost), remark, depth=1, tone="warn" if places else "plain")
    for loss in islice(report.losses, _FIRST):
        yield Row(
            loss.reason.value,
            count(loss.end - loss.start) if loss.is_sized else "unknown",
            LOSS_HINTS[loss.reason],
            (_loss_text(loss, encoding),),
            depth=2,
        )
    if places > _FIRST:
        yield Row(f"{count(places - _FIRST)} more", depth=2)
    if report.shards_withheld:
        remark = "shards that did not come: a run that goes on from a checkpoint tries them again"
        yield Row("withheld", count(report.shards_withheld), remark, depth=1, tone="warn")


def _loss_text(loss: Loss, encoding: str) -> str:
    place = f"bytes {loss.start:,} to {loss.end:,}" if loss.is_sized else f"from byte {loss.start:,} on"
    where = f"{label(loss.shard, _SHARD, encoding)}, {place}"
    detail = loss.detail.removeprefix(f"{loss.shard}: ")  # errors name the shard, which is named already
    return f"{where}: {label(detail, _SENTENCE, encoding)}" if detail else where


def _note_rows(report: Report, encoding: str) -> Iterator[Row]:
    if not len(report.notes):
        return
    yield Row("notes", count(len(report.notes)))
    kinds: dict[str, list[Note]] = {}
    for note in islice(report.notes, _LOOKED_AT):
        kinds.setdefault(note.kind, []).append(note)
    for kind, notes in list(kinds.items())[:_FIRST]:
        of_the_run = [note for note in notes if not note.shard][:_FIRST]
        details = tuple(_note_text(note, encoding) for note in of_the_run or notes[:1])
        yield Row(label(kind, _KEY, encoding) or "note", count(len(notes)), "", details, depth=1)


def _note_text(note: Note, encoding: str) -> str:
    text = label(note.text, _SENTENCE, encoding)
    return f"{label(note.shard, _SHARD, encoding)}: {text}" if note.shard else text


def _rate_rows(report: Report) -> Iterator[Row]:
    seconds = report.seconds
    yield Row("seconds", f"{seconds:,.2f}")
    yield Row("images/s", digits(rate(report.images_delivered, seconds)), "delivered", depth=1)
    yield Row("MB/s", digits(rate(report.bytes_read, seconds) / 1e6), "read", depth=1)
    yield Row("Mpix/s", digits(rate(report.pixels, seconds) / 1e6), "decoded", depth=1)


def _stage_rows(report: Report, encoding: str) -> Iterator[Row]:
    """How much of its time each stage was at work, and what it waited for, over all workers."""
    figures = list(stage_figures(report.times, encoding))
    if report.workers:
        yield Row("workers", count(len(report.workers)))
    if figures:
        yield Row("busy", "", "part of the time; the rest it waited for others")
        for figure in figures:
            waits = f"waited for {', '.join(figure.waits)}" if figure.waits else ""
            yield Row(figure.name, figure.busy, waits, depth=1)


def _balance_rows(report: Report, encoding: str) -> Iterator[Row]:
    if report.is_balanced:
        unsized = unsized_text(report)
        remark = f"every image that was seen; {unsized} lost" if unsized else ACCOUNTED
        yield Row("balanced", "yes", remark, tone="warn" if unsized else "good")
        return
    gone = report.images_delivered + report.num_skipped + report.num_filtered + report.undelivered
    missing = report.images_seen + report.images_added - gone
    details = [f"{count(missing)} images unaccounted for"] if missing else []
    details += [label(text, _DETAIL, encoding) for text in report.unbalanced_shards[:_FIRST]]
    remark = "still running" if report.outcome == "running" else "a bug in tarlight: please report it"
    yield Row("balanced", "NO", remark, tuple(details), tone="bad")
