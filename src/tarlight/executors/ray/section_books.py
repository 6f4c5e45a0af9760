"""The books of a worker while it runs one partition, cut into the sections of its batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.checkpoint import Trail
from tarlight.ledger import Ledger, Section
from tarlight.tasks import take_section

if TYPE_CHECKING:
    from tarlight.tasks import Task


class SectionBooks:
    """Puts together what belongs to one batch: its own section, and what the stages after it write.

    A first stage that reads ahead writes of images that are in no batch yet: of such a stage only the
    sections
    count, which it puts on its batches. Of any other first stage, what it writes counts. For one thread.
    """

    def __init__(self) -> None:
        self.source = Ledger()
        """What the first stage writes to."""
        self.ledger = Ledger()
        """What the other stages write to."""
        self.is_settling = False
        """Whether the first stage puts sections on its batches."""
        self.trail = Trail(self._arrive)
        """Takes sections that the first stage puts on no batch."""
        self._section = Section()

    def bring(self, task: Task) -> None:
        """A task begins that has brought its images along."""
        self.ledger.add(task.num_images)

    def begin(self, batch: Task, *, is_counted: bool) -> bool:
        """The first stage has made a batch; `is_counted` when its images were counted where they were read.

        Returns whether the batch has brought a section along.
        """
        section = take_section(batch)
        if section is not None:
            self._arrive(section)
        elif not is_counted:
            self.ledger.add(batch.num_images)
        return section is not None

    def cut(self) -> Section:
        """Return what belongs to the batch that was made last, and begin anew."""
        section, self._section = self._section, Section()
        section.add(self.ledger.cut())
        written = self.source.cut()
        if not self.is_settling:
            written.added = 0  # its batches are counted one by one, as they come
            section.add(written)
        return section

    def _arrive(self, section: Section) -> None:
        self.is_settling = True
        self._section.add(section)
