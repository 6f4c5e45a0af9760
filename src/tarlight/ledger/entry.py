"""The entries of the ledger: frozen facts about one image, one range of bytes or one shard."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class SkipReason(StrEnum):
    """Why an image was not delivered. The list is closed."""

    NOT_JPEG = "not_jpeg"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    UNSUPPORTED = "unsupported"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_SCANS = "too_many_scans"
    TOO_LARGE = "too_large"
    DUPLICATE_KEY = "duplicate_key"
    NAME_LOST = "name_lost"


class LossReason(StrEnum):
    """Why bytes of a shard could not be read as members. The list is closed."""

    BAD_HEADER = "bad_header"
    TRUNCATED_SHARD = "truncated_shard"
    NOT_A_TAR = "not_a_tar"
    UNSUPPORTED_COMPRESSION = "unsupported_compression"
    GZIP_ERROR = "gzip_error"
    INFLATES_TOO_MUCH = "inflates_too_much"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    READ_FAILED = "read_failed"


class Skip(NamedTuple):
    """One image that was seen and not delivered."""

    key: str
    """Key of its record; for `name_lost` the header's own, possibly shortened name."""
    shard: str
    """Path or URL of the shard."""
    member: str
    """Name of the member."""
    offset: int
    """First byte of the payload in the (inflated) shard."""
    reason: SkipReason
    """One of the closed list."""
    detail: str = ""
    """What was found, for people."""


class Loss(NamedTuple):
    """A range of bytes of a shard that could not be read as members."""

    shard: str
    """Path or URL of the shard."""
    start: int
    """First lost byte in the (inflated) shard."""
    end: int
    """One past the last lost byte."""
    reason: LossReason
    """One of the closed list."""
    detail: str = ""
    """What lies before and after it, for people."""
    is_sized: bool = True
    """False where nobody told how much is lost: at least from `start` to `end`."""


class Note(NamedTuple):
    """Something worth knowing that cost no image."""

    shard: str
    """Path or URL of the shard, or empty when the note is about the run."""
    text: str
    """What was found, for people."""
    kind: str = ""
    """A word to group by, for example `trailing` or `broken_field`."""


@dataclass(slots=True)
class ShardAccount:
    """Where the bytes of one shard went. Offsets count inflated bytes for a gzip shard."""

    shard: str = ""
    """Path or URL of the shard."""
    size: int = 0
    """Bytes of the (inflated) shard that were there to read."""
    header: int = 0
    """Header blocks, PAX and long-name payloads included."""
    payload: int = 0
    """Members' payloads."""
    padding: int = 0
    """Fill between a payload and the next 512-byte border."""
    end: int = 0
    """Zero blocks: end marks, and zeros between or after archives."""
    trailing: int = 0
    """Other bytes after an end mark."""
    lost: int = 0
    """Bytes named by losses."""

    @property
    def placed(self) -> int:
        """Bytes that are in a column."""
        return self.header + self.payload + self.padding + self.end + self.trailing + self.lost

    @property
    def is_balanced(self) -> bool:
        """True when every byte has been put in one column."""
        columns = (self.header, self.payload, self.padding, self.end, self.trailing, self.lost)
        return min(columns) >= 0 and self.placed == self.size
