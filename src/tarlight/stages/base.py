"""What a stage is: it gets a task and hands on tasks (C10).

A stage of one's own is a short class::

    class DropSmall(ProcessingStage[ImageBatch, ImageBatch]):
        name = "drop_small"

        def process(self, task):
            task.data = [image for image in task.data if min(image.image_data.shape[:2]) >= 64]
            return task if task.data else None
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from tarlight.checkpoint import Course, Trail
from tarlight.ledger import Ledger, Timesheet
from tarlight.resources import Resources
from tarlight.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tarlight.events import Event
    from tarlight.ledger import Section

In = TypeVar("In", bound=Task)
Out = TypeVar("Out", bound=Task)


def _tell_nobody(_event: Event) -> None:
    """Take an event and do nothing: the emitter of a stage that runs outside a pipeline."""


@dataclass(frozen=True, slots=True)
class StageContext:
    """What an executor lends to a stage while it runs."""

    ledger: Ledger = field(default_factory=Ledger)
    """The books of this run."""

    emit: Callable[[Event], None] = _tell_nobody
    """Tells every listener."""

    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    """Wraps a wait of the thread that runs the stages: inside, and only there, Ctrl-C may strike."""

    dataset_name: str = ""
    """Name of the pipeline."""

    course: Course = field(default_factory=Course)
    """What runs before this one have done."""

    trail: Trail = field(default_factory=Trail)
    """Takes sections of this stage that no task carries."""

    times: Timesheet = field(default_factory=Timesheet)
    """Takes how long the threads of the run work, and wait for what."""


class StageWatch(Protocol):
    """Looks at the sections of a run whose stage works in several processes. For one thread."""

    def count(self, section: Section) -> None:
        """A section has arrived. Raises where the stage would have ended the run."""

    def give_up(self, section: Section) -> None:
        """What this section calls lost could not be worked on. Raises where the run must not go on."""

    def finish(self) -> None:
        """All sections have arrived. Raises where the stage would have at its end."""


class ProcessingStage(ABC, Generic[In, Out]):
    """One step of a pipeline.

    The types it takes and gives are read from the class's type arguments, or else from the annotations of
    `process`; `Pipeline.build` refuses stages that do not fit. A stage is picklable before `setup`, is used
    by one thread at a time, and may keep state between tasks.
    """

    name: str = ""
    """Name in reports and errors; the class name when empty."""

    resources: Resources = Resources()
    """What a worker that runs this stage needs."""

    is_sink: ClassVar[bool] = False
    """True for a stage that keeps its output itself, so that what it has given need not be kept elsewhere.

    Name what it keeps after `task_id`: no two batches of a dataset share one, in resumed runs neither, and a
    batch that comes again after a kill overwrites what was kept of it."""

    makes_images: ClassVar[bool] = False
    """True for a stage whose images are counted where they are read, and not as `added`."""

    context: StageContext | None = None
    """Lent by the executor from before `setup` until after `teardown`; None outside a run."""

    def setup(self) -> None:
        """Prepare once a worker, before the first task: load a model, open a connection."""

    def teardown(self) -> None:
        """Undo `setup`. Always called, after success, failure and cancel."""

    @abstractmethod
    def process(self, task: In) -> Out | Iterable[Out] | None:
        """Turn a task into one task, several (a list or a generator), or none (filtered)."""

    def process_stream(self, tasks: Iterator[In]) -> Iterator[Out] | None:  # noqa: ARG002 (for overriders)
        """Turn a stream of tasks into a stream, for stages that work ahead across tasks.

        Returns None (the default) where the executor is to call `process` task by task. A stage that
        overrides this must give the same tasks in the same order as `process` would.

        For checkpoints: to give the very task that it took says that it is done with that one and all before
        it, so this comes after anything else made of them. A stage that makes new tasks is done at its end
        only.
        """
        return None

    def release(self, task: Out) -> bool:  # noqa: ARG002 (for overriders)
        """Release the pixels of a task that this stage made, where it can make them again bit for bit.

        Returns False (the default) where it cannot, and then changes nothing.
        """
        return False

    def fingerprint(self) -> dict[str, Any]:
        """Options that must stay the same when a run is resumed, as plain data for JSON: name -> value."""
        return {}

    def fitted(self, resources: Resources) -> Self:
        """Return a copy of this stage for a worker that can give it only `resources`, less than it asked for.

        Raises:
            TarlightError: it cannot do with them.
        """
        stage = copy(self)
        stage.resources = resources
        return stage

    def as_part(self) -> Self:
        """Return this stage for one of several workers; what concerns the whole run is left to `watch`.

        A stage without limits or notes about the whole run, as is the default, returns itself.
        """
        return self

    def watch(self, context: StageContext) -> StageWatch | None:  # noqa: ARG002 (for overriders)
        """Return what looks at the whole run where several workers run this stage; by default nothing."""
        return None

    def storage_access(self) -> Mapping[str, Any] | None:
        """Options of the stores that it reads from; a checkpoint in a bucket is written with them."""
        return None

    def describe(self) -> dict[str, Any]:
        """Facts about the configured stage, for `Pipeline.describe`: name -> value or text."""
        return {}

    @property
    def verbose(self) -> bool:
        """True when a run with this stage shows progress and its ledger on stderr."""
        return False

    @property
    def label(self) -> str:
        """The stage's name, or its class's when it has none."""
        return self.name or type(self).__name__

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "context"}
