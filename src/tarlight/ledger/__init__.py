"""The ledger: what happened to every image and to every byte of every shard.

The books are kept by those who see things happen, and they meet only here. The tar room counts the images it
*sees*; decoders and the reader *skip*; the executor counts what stages *filter*, what the consumer gets
*delivered* and what a stopped run leaves *undelivered*. Nobody derives one number from another, so that

    seen + added = delivered + skipped + filtered + undelivered

can fail, and does when an image is dropped on the way. (`added` is zero unless a user's own stage makes
images.)

A `Section` is the part of the books that belongs to one batch; a `Branch` writes it beside the ledger. What
the environment *withheld* is lost in the books of a run, and left to the next one by its checkpoint.

Entries are frozen. `Ledger` is thread-safe; `Report` is a value.
"""

from tarlight.ledger.book import Ledger
from tarlight.ledger.branch import Books, Branch
from tarlight.ledger.entry import Loss, LossReason, Note, ShardAccount, Skip, SkipReason
from tarlight.ledger.report import Report
from tarlight.ledger.section import Position, Section
from tarlight.ledger.spool import Spool
from tarlight.ledger.stall import Stall
from tarlight.ledger.times import StageTime, Timesheet

__all__ = [
    "Books",
    "Branch",
    "Ledger",
    "Loss",
    "LossReason",
    "Note",
    "Position",
    "Report",
    "Section",
    "ShardAccount",
    "Skip",
    "SkipReason",
    "Spool",
    "StageTime",
    "Stall",
    "Timesheet",
]
