"""What an `ImageReaderStage` says of a whole run, also where several processes read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tarlight.argument import did_you_mean
from tarlight.ledger import Ledger, Note
from tarlight.stages.image.io.failure import Failures

if TYPE_CHECKING:
    from collections.abc import Collection

    from tarlight.ledger import Books, Section
    from tarlight.stages.base import StageContext
    from tarlight.stages.image.io.option import ReaderOptions

_NAMED = 6
"""Extensions that a note names."""

_LONGEST = 24
"""Characters of an extension that it names: shards may hold any."""


class ReaderWatch:
    """Counts failures and looks for fields, by the sections that arrive from workers. For one thread."""

    def __init__(self, options: ReaderOptions, context: StageContext) -> None:
        before = context.course.resumed
        self._failures = Failures(options, before)
        self._fields_unseen = set(options.fields) - before.fields
        self._ledger, self._trail = context.ledger, context.trail
        self._is_whole = True
        self._has_read = bool(before.seen or before.num_losses)

    def count(self, section: Section) -> None:
        """Count what a worker settled.

        Raises:
            TooManyFailuresError: more than `max_failures` in the whole run.
        """
        self._has_read = self._has_read or bool(section.seen or section.num_losses or section.withheld)
        self._is_whole = self._is_whole and section.withheld is None
        self._fields_unseen -= section.fields
        self._failures.count_section(section)

    def give_up(self, section: Section) -> None:
        """Stop at the first loss of a section that no worker could read, if the reader was told to.

        Raises:
            TarError: `on_error="raise"`.
        """
        withheld = section.withheld.losses if section.withheld is not None else ()
        for loss in (*section.losses, *withheld):
            self._failures.check_loss(loss)

    def finish(self) -> None:
        """All sections have arrived.

        Raises:
            TooManyFailuresError: more than `max_failures`, a fraction.
        """
        told = Ledger()
        if self._has_read:
            note_unseen_fields(self._fields_unseen, self._ledger, told)
        section = told.cut()
        self._ledger.take_in(section)
        self._failures.check_at_end()
        if self._is_whole:  # else the next run has the last word
            self._trail.arrive(section)


def note_unseen_fields(fields: Collection[str], ledger: Ledger, books: Books) -> None:
    """Note in `books` the fields that were asked for and that no delivered image had.

    Extensions that the run's ledger counts as ignored are named: what was meant is among them.
    """
    if not fields:
        return
    kinds = Counter(ledger.report("running", 0.0).ignored)
    others = [kind for kind, _ in kinds.most_common() if kind.startswith(".") and len(kind) <= _LONGEST]
    there = f". Members that were left out end in {', '.join(others[:_NAMED])}" if others else ""
    for field in sorted(fields):
        hint = did_you_mean(field, [kind.removeprefix(".") for kind in others])
        text = (
            f"no delivered image had the field {field!r}; fields are what follows the key's dot{there}{hint}"
        )
        books.note(Note("", text, "unseen_field"))
