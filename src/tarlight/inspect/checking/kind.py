"""The kinds of findings: a closed list, most harmful first.

This is the one place that says what each kind means, how severe it is and what to do about it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from tarlight.errors import InputDeniedError, InputError, InputMissingError
from tarlight.ledger import LossReason, SkipReason


class Severity(StrEnum):
    """How much a finding matters; most harmful first."""

    ERROR = "error"
    """Images or bytes that a run does not deliver."""
    WARNING = "warning"
    """Everything is delivered, but the dataset is hardly what its maker meant."""
    NOTE = "note"
    """Odd, and harmless as it stands."""


class Kind(StrEnum):
    """What can be found. The order is that of harm."""

    NOT_A_TAR = "not_a_tar"
    TRUNCATED_SHARD = "truncated_shard"
    DAMAGED_SHARD = "damaged_shard"
    UNREADABLE_SHARD = "unreadable_shard"
    EMPTY_SHARD = "empty_shard"
    NAME_LOST = "name_lost"
    TRUNCATED_IMAGE = "truncated_image"
    CORRUPT_IMAGE = "corrupt_image"
    MISLABELLED_IMAGE = "mislabelled_image"
    EMPTY_IMAGE = "empty_image"
    UNSUPPORTED_IMAGE = "unsupported_image"
    TOO_LARGE_IMAGE = "too_large_image"
    LINKED_IMAGE = "linked_image"
    DUPLICATE_IN_SHARD = "duplicate_in_shard"
    MISSING_SHARD = "missing_shard"
    DUPLICATE_ACROSS_SHARDS = "duplicate_across_shards"
    SPLIT_RECORD = "split_record"
    RECORD_WITHOUT_IMAGE = "record_without_image"
    MISSING_SIDECAR = "missing_sidecar"
    BROKEN_SIDECAR = "broken_sidecar"
    UNEVEN_SHARD = "uneven_shard"
    WRONG_GZIP_CHECKSUM = "wrong_gzip_checksum"
    MISSING_END_MARK = "missing_end_mark"
    STRAY_END_MARK = "stray_end_mark"
    TRAILING_BYTES = "trailing_bytes"

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return KINDS[self].severity

    @property
    def meaning(self) -> str:
        """What it is, in a few words."""
        return KINDS[self].meaning

    @property
    def advice(self) -> str:
        """What to do about it, in one sentence."""
        return KINDS[self].advice


class KindFacts(NamedTuple):
    """What is to be known of one kind."""

    severity: Severity
    meaning: str
    advice: str


_ERROR, _WARNING, _NOTE = Severity
_COPY_AGAIN = "Copy the shard again from where it came from, and compare sizes or checksums."
_MAKE_AGAIN = "Take it from its source again, or leave the record out."

KINDS: dict[Kind, KindFacts] = {
    Kind.NOT_A_TAR: KindFacts(
        _ERROR, "no tar at all", "Look at its first bytes: often an error page or a pointer file (Git LFS)."
    ),
    Kind.TRUNCATED_SHARD: KindFacts(_ERROR, "ends too early", _COPY_AGAIN),
    Kind.DAMAGED_SHARD: KindFacts(_ERROR, "bytes that are no tar", _COPY_AGAIN),
    Kind.UNREADABLE_SHARD: KindFacts(
        _ERROR,
        "could not be read, or is packed in a way that is not read",
        "Pack it as plain tar or gzip; where reading failed, check the disk or network and run again.",
    ),
    Kind.EMPTY_SHARD: KindFacts(
        _ERROR, "no image in the whole shard", "Was it written to its end? Write it again or remove it."
    ),
    Kind.NAME_LOST: KindFacts(_ERROR, "an image whose long name is damaged", _COPY_AGAIN),
    Kind.TRUNCATED_IMAGE: KindFacts(_ERROR, "an image that ends too early", _MAKE_AGAIN),
    Kind.CORRUPT_IMAGE: KindFacts(_ERROR, "an image whose data is damaged", _MAKE_AGAIN),
    Kind.MISLABELLED_IMAGE: KindFacts(
        _ERROR, "named as a JPEG, but something else", "Convert it to JPEG, or give it its true extension."
    ),
    Kind.EMPTY_IMAGE: KindFacts(_ERROR, "an image of 0 bytes", _MAKE_AGAIN),
    Kind.UNSUPPORTED_IMAGE: KindFacts(
        _ERROR, "a kind of JPEG that no decoder here reads", "Convert it to a common JPEG of 8 bits."
    ),
    Kind.TOO_LARGE_IMAGE: KindFacts(
        _ERROR,
        "more pixels, scans or bytes than is safe",
        "If it is meant so, raise max_pixels, max_scans or max_member_bytes of the reader.",
    ),
    Kind.LINKED_IMAGE: KindFacts(
        _ERROR, "a link in the place of an image", "Pack with links followed: tar --dereference."
    ),
    Kind.DUPLICATE_IN_SHARD: KindFacts(
        _ERROR, "a file that its record has already", "Give every record of a shard a key of its own."
    ),
    Kind.MISSING_SHARD: KindFacts(
        _WARNING, "a gap in the numbering of shards", "Was everything copied? List the source again."
    ),
    Kind.DUPLICATE_ACROSS_SHARDS: KindFacts(
        _WARNING,
        "a key that an earlier shard has",
        "Was a shard written twice? Else number the records through, or put the shard's name before the key.",
    ),
    Kind.SPLIT_RECORD: KindFacts(
        _WARNING,
        "a record whose files are not side by side",
        "Sort the files by name before packing: readers take what lies side by side for one record.",
    ),
    Kind.RECORD_WITHOUT_IMAGE: KindFacts(
        _WARNING, "a record without an image", "Add the image, or leave the record out."
    ),
    Kind.MISSING_SIDECAR: KindFacts(
        _WARNING, "an image without a file that the others have", "Add the file, or leave the record out."
    ),
    Kind.BROKEN_SIDECAR: KindFacts(
        _WARNING, "a text or JSON that cannot be parsed", "Write it again as UTF-8, and JSON as one value."
    ),
    Kind.UNEVEN_SHARD: KindFacts(
        _WARNING, "another number of records than its neighbours", "Were records lost when it was written?"
    ),
    Kind.WRONG_GZIP_CHECKSUM: KindFacts(_WARNING, "the gzip checksum does not hold", _COPY_AGAIN),
    Kind.MISSING_END_MARK: KindFacts(
        _NOTE, "no end mark", "Compare its size with the source: it may have been cut between two files."
    ),
    Kind.STRAY_END_MARK: KindFacts(
        _NOTE, "an end mark before the end", "Other readers stop there: write the shard again."
    ),
    Kind.TRAILING_BYTES: KindFacts(
        _NOTE, "bytes after the end mark", "Nothing, unless they were meant to be records."
    ),
}

OF_LOSS: dict[LossReason, Kind] = {
    LossReason.BAD_HEADER: Kind.DAMAGED_SHARD,
    LossReason.TRUNCATED_SHARD: Kind.TRUNCATED_SHARD,
    LossReason.NOT_A_TAR: Kind.NOT_A_TAR,
    LossReason.UNSUPPORTED_COMPRESSION: Kind.UNREADABLE_SHARD,
    LossReason.GZIP_ERROR: Kind.DAMAGED_SHARD,
    LossReason.INFLATES_TOO_MUCH: Kind.UNREADABLE_SHARD,
    LossReason.CHECKSUM_MISMATCH: Kind.DAMAGED_SHARD,
    LossReason.READ_FAILED: Kind.UNREADABLE_SHARD,
}
"""Why bytes of a shard are lost -> what that is called here."""

OF_SKIP: dict[SkipReason, Kind] = {
    SkipReason.NOT_JPEG: Kind.MISLABELLED_IMAGE,
    SkipReason.EMPTY: Kind.EMPTY_IMAGE,
    SkipReason.TRUNCATED: Kind.TRUNCATED_IMAGE,
    SkipReason.CORRUPT: Kind.CORRUPT_IMAGE,
    SkipReason.UNSUPPORTED: Kind.UNSUPPORTED_IMAGE,
    SkipReason.TOO_MANY_PIXELS: Kind.TOO_LARGE_IMAGE,
    SkipReason.TOO_MANY_SCANS: Kind.TOO_LARGE_IMAGE,
    SkipReason.TOO_LARGE: Kind.TOO_LARGE_IMAGE,
    SkipReason.DUPLICATE_KEY: Kind.DUPLICATE_IN_SHARD,
    SkipReason.NAME_LOST: Kind.NAME_LOST,
}
"""Why an image is skipped -> what that is called here."""

OF_NOTE: dict[str, Kind] = {
    "gzip_crc": Kind.WRONG_GZIP_CHECKSUM,
    "missing_end": Kind.MISSING_END_MARK,
    "zero_block": Kind.STRAY_END_MARK,
    "concatenated": Kind.STRAY_END_MARK,
    "trailing": Kind.TRAILING_BYTES,
}
"""Kind of a note of the tar room -> what that is called here; other notes are no findings."""


def input_advice(error: InputError) -> str:
    """Return what to do about a shard that is missing, denied or out of reach."""
    if isinstance(error, InputDeniedError):
        return "Check the credentials, and whether they allow reading this path; then run again."
    if isinstance(error, InputMissingError):
        return "Check the path: nothing is there. Copy the shard again, or leave it out."
    return "Check the address and the network, then run again."
