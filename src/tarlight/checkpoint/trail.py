"""How sections get through a stage: from the tasks that it takes to the tasks that it makes of them.

A section must not overtake anything that was made of its batch, since it says that all of that is consumed.
So it rides on the last of these tasks; and where there is none, it goes on at once, behind what later stages
hold.
"""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tarlight.ledger import Section
from tarlight.tasks import put_section, take_section

if TYPE_CHECKING:
    from collections.abc import Callable

    from tarlight.tasks import Task


def _nowhere(_section: Section) -> None:
    """Take a section that nobody waits for, outside a run."""


@dataclass(slots=True)
class Taken:
    """A task that a stage has taken and is not done with."""

    task: weakref.ref[Task]
    """The task; the stage alone decides how long it lives."""
    images: int
    """Images in it when it was taken."""
    section: Section | None
    """What it carried."""

    def follow(self, before: Taken) -> None:
        """Stand for an earlier task as well."""
        self.images += before.images
        if before.section is not None and self.section is not None:
            before.section.add(self.section)
        self.section = before.section or self.section


class Trail:
    """The sections of the tasks that one stage works on, in order. For one thread.

    Args:
        onward: gets the sections that no task of this stage carries, as `arrive` of the next stage's trail.
    """

    def __init__(self, onward: Callable[[Section], None] = _nowhere) -> None:
        self._onward = onward
        self._taken: deque[Taken] = deque()
        self._pending = Section()
        self._is_empty = True

    @property
    def is_waiting(self) -> bool:
        """Whether a section waits for the last task that is made."""
        return bool(self._taken) and self._taken[-1].section is not None

    def take(self, task: Task) -> None:
        """The stage gets a task."""
        taken = Taken(weakref.ref(task), task.num_images, take_section(task))
        while self._taken and self._taken[-1].task() is None:  # it cannot be given any more: one entry less
            taken.follow(self._taken.pop())
        if taken.images or taken.section is not None:
            self._taken.append(taken)

    def arrive(self, section: Section) -> None:
        """A section comes that no task carries: it goes behind everything that the stage works on."""
        if not self._taken:
            self._pending.add(section)
            self._is_empty = False
            self.send_on()
        elif (last := self._taken[-1]).section is None:
            last.section = section
        else:
            last.section.add(section)

    def has(self, task: Task) -> bool:
        """Whether this very task was taken and is not done."""
        return any(taken.task() is task for taken in self._taken)

    def finish(self, task: Task | None = None) -> int:
        """The stage is done with all it has taken, or with all up to `task`. Returns the images it got."""
        images = 0
        while self._taken:
            taken = self._taken.popleft()
            images += taken.images
            if taken.section is not None:
                self._pending.add(taken.section)
                self._is_empty = False
            if task is not None and taken.task() is task:
                break
        return images

    def count(self, *, stage: str = "", filtered: int = 0, added: int = 0) -> None:
        """Write into the next section what the stage filtered of, or added to, what it is done with."""
        if filtered:
            self._pending.filtered[stage] += filtered
        self._pending.added += added

    def put_on(self, task: Task) -> None:
        """Let what is done ride on the last task that was made of it."""
        if not self._is_empty:
            put_section(task, self._cut())

    def send_on(self) -> None:
        """Let what is done go on without a task: none was made of it."""
        if not self._is_empty:
            self._onward(self._cut())

    def _cut(self) -> Section:
        section, self._pending, self._is_empty = self._pending, Section(), True
        return section
