"""What an executor is: it runs stages over tasks and hands on what the last one gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tarlight.errors import ArgumentTypeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tarlight.stages.base import ProcessingStage, StageContext
    from tarlight.tasks import Task


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run."""

    stages: Sequence[ProcessingStage[Any, Any]]
    """In order; their types fit together."""

    initial_tasks: Sequence[Task]
    """What the first stage gets."""

    def fingerprint(self) -> dict[str, Any]:
        """Options of all stages that must stay the same when a run is resumed, as they come out of JSON.

        Raises:
            ArgumentTypeError: a stage gives something that JSON cannot hold.
        """
        given = [(stage.label, stage.fingerprint()) for stage in self.stages]
        options = {f"{label}.{name}": value for label, options in given for name, value in options.items()}
        try:
            return dict(json.loads(json.dumps(options)))
        except (TypeError, ValueError) as error:
            raise ArgumentTypeError(
                f"fingerprint() of a stage must give plain data for JSON: {error}"
            ) from error


class Run(Protocol):
    """A run that goes on: an iterator over the tasks of the last stage. For one thread.

    Tasks carry sections (`tarlight.tasks.put_section`): what is settled once this task and all before it are
    consumed; so all tasks made of one source batch are handed on in a row, and the last one carries its
    section. A section for which there is no task goes to `StageContext.trail` of the context that the run was
    started with, once all tasks before it were handed on, and before StopIteration.
    """

    def __iter__(self) -> Iterator[Task]:
        """Return itself."""

    def __next__(self) -> Task:
        """Return the next task. An exception, StopIteration too, comes after the run has ended itself."""

    def close(self) -> None:
        """End all threads and workers and settle the ledger. May be called again."""


class Executor(Protocol):
    """Runs plans."""

    def start(self, plan: Plan, context: StageContext) -> Run:
        """Begin to run; the context is lent to every stage."""
