"""Where the assembler stands in tar order: it cuts the books into sections, one for each batch.

Strategy: entries and images before a group are counted by the reader thread, those inside it by the
assembler. What a section says was seen follows the former; once a shard has ended, what the tar room saw
decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.ledger import Branch, Position, Section

if TYPE_CHECKING:
    from array import array

    from tarlight.ledger import Books, Loss
    from tarlight.stages.image.io.candidate import Group, ShardEnd


class Bookmark:
    """The place up to which all is settled, and what has been settled since the last cut. For one thread."""

    def __init__(self, ledger: Books) -> None:
        self.books = Branch(ledger)
        """What the assembler writes to."""
        self.num_images = 0
        """Images of the current group that are settled."""
        self._group: Group | None = None
        self._skipped: array[int] = Position().skipped
        self._first_image = 0
        self._num_told = 0

    def open(self, group: Group) -> bool:
        """Begin with the next group. Returns whether it is the first one of its shard."""
        is_first = self._group is None or group.shard is not self._group.shard
        if is_first:
            self._begin_shard(group)
        self._group, self.num_images = group, 0
        return is_first

    def settle(self, span: int) -> None:
        """An image is delivered or skipped; its span is 0 where nobody knows what it takes in the shard."""
        self.num_images += 1
        self.books.section.sized_images += span > 0
        self.books.section.sized_bytes += span

    def skip(self, offset: int) -> None:
        """The image with this offset was skipped."""
        self._skipped.append(offset)

    def end_shard(self, end: ShardEnd) -> None:
        """All of a shard is settled."""
        section = self.books.section
        section.add(end.section)
        section.seen -= self._num_told  # told already, in sections before this one
        section.done.append(end.path)
        self._leave_shard()

    def withhold(self, end: ShardEnd, loss: Loss) -> None:
        """What came of a shard is settled; the rest, and what was written of the shard as a whole, is not."""
        if self._group is not None:
            self._mark(self._group)
        self.books.withhold(loss)
        section = self.books.section
        unsettled = section.withheld = section.withheld or Section()
        end.section.seen -= self._num_told
        unsettled.add(end.section)
        self._leave_shard()

    def cut(self) -> Section:
        """Return what was settled since the last cut."""
        if self._group is not None:
            self._mark(self._group)
        return self.books.cut()

    def _begin_shard(self, group: Group) -> None:
        self._first_image, self._num_told = group.images_before, 0
        self._skipped = Position().skipped

    def _leave_shard(self) -> None:
        self._group, self._num_told = None, 0
        self._skipped = Position().skipped

    def _mark(self, group: Group) -> None:
        images = group.images_before + self.num_images
        self.books.section.seen += images - self._first_image - self._num_told
        self._num_told = images - self._first_image
        self.books.section.reading[group.shard.path] = Position(
            group.entries_before + group.position, images, group.shard.version, self._skipped
        )
        self._skipped = Position().skipped
