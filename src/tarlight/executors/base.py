"""What an executor is: it runs stages over tasks and hands on what the last one gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tarlight.events import Event
    from tarlight.ledger import Ledger
    from tarlight.stages.base import ProcessingStage
    from tarlight.tasks import Task


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run."""

    stages: Sequence[ProcessingStage[Any, Any]]
    """In order; their types fit together."""

    initial_tasks: Sequence[Task]
    """What the first stage gets."""

    dataset_name: str
    """Name of the pipeline."""


class Run(Protocol):
    """A run that goes on: an iterator over the tasks of the last stage. For one thread."""

    def __iter__(self) -> Iterator[Task]:
        """Return itself."""

    def __next__(self) -> Task:
        """Return the next task; it counts as delivered."""

    def close(self) -> None:
        """End all threads and workers and settle the ledger. May be called again."""


class Executor(Protocol):
    """Runs plans."""

    def start(self, plan: Plan, ledger: Ledger, emit: Callable[[Event], None]) -> Run:
        """Begin to run; the ledger and the listeners are told what happens."""
