"""What a report says of its checkpoint, as notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.ledger import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.checkpoint.course import Course


def remarks_at_start(course: Course, origin: str) -> Iterator[Note]:
    """Yield what is worth knowing of the runs before this one.

    Args:
        course: as it was loaded.
        origin: where the checkpoint lies.
    """
    if unnamed := course.resumed.num_unnamed:
        text = f"{unnamed:,} skips, losses and notes of earlier runs are counted, but not named any more"
        yield Note("", text, "checkpoint")
    if course.is_finished:
        yield Note("", f"{origin}: the run was finished before", "checkpoint")


def remarks_at_end(course: Course) -> Iterator[Note]:
    """Yield what is left to another run."""
    if left := course.num_withheld:
        shards = "1 shard" if left == 1 else f"{left:,} shards"
        yield Note("", f"run it again with the same checkpoint to try {shards} once more", "withheld")
