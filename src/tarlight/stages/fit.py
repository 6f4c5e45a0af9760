"""Do the stages of a pipeline fit together? Told from types alone, before anything runs."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Union, get_args, get_origin

from tarlight.errors import PipelineError
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import EmptyTask, Task

Stage = ProcessingStage[Any, Any]


def check_fit(stages: Sequence[Stage]) -> None:
    """Check that each stage takes what the one before it gives.

    Raises:
        PipelineError: naming the first two neighbours that do not fit.
    """
    for before, after in pairwise(stages):
        given, wanted = task_types(type(before))[1], task_types(type(after))[0]
        if not any(issubclass(one, other) or issubclass(other, one) for one in given for other in wanted):
            raise PipelineError(
                f"stage {after.label!r} takes {_names(wanted)}, but stage {before.label!r} before it gives "
                f"{_names(given)}; change their order, or put a stage between them"
            )


def task_types(stage: type[Stage]) -> tuple[tuple[type[Task], ...], tuple[type[Task], ...]]:
    """The task types that a stage takes and gives; `Task` where it does not say."""
    for base in _generic_bases(stage):
        taken, given = get_args(base)
        if not isinstance(taken, typing.TypeVar):
            return _tasks_in(taken), _tasks_in(given)
    return _from_annotations(stage)


def _generic_bases(stage: type[Stage]) -> list[Any]:
    bases = [base for cls in stage.__mro__ for base in getattr(cls, "__orig_bases__", ())]
    return [base for base in bases if get_origin(base) is ProcessingStage and len(get_args(base)) == 2]  # noqa: PLR2004


def _from_annotations(stage: type[Stage]) -> tuple[tuple[type[Task], ...], tuple[type[Task], ...]]:
    try:
        hints = typing.get_type_hints(stage.process)
    except NameError:  # names that exist for type checkers only tell nothing at run time
        hints = {}
    given = hints.pop("return", Task)
    return _tasks_in(next(iter(hints.values()), Task)), _tasks_in(given)


def _tasks_in(hint: Any) -> tuple[type[Task], ...]:
    """The task types named in an annotation such as `list[ImageBatch] | None`."""
    if isinstance(hint, type) and issubclass(hint, Task):
        return (hint,)
    origin = get_origin(hint)
    is_container = isinstance(origin, type) and issubclass(origin, Iterable)
    if origin in (Union, types.UnionType) or is_container:
        found = [task for part in get_args(hint) if part is not type(None) for task in _tasks_in(part)]
        return tuple(dict.fromkeys(found)) or (Task,)
    return (Task,)


def _names(kinds: tuple[type[Task], ...]) -> str:
    return " or ".join(kind.__name__ for kind in kinds)


def check_start(stage: Stage) -> None:
    """Check that a stage can start a pipeline, that is, takes an `EmptyTask`.

    Raises:
        PipelineError: it cannot.
    """
    wanted = task_types(type(stage))[0]
    if not any(issubclass(EmptyTask, kind) for kind in wanted):
        raise PipelineError(
            f"the first stage {stage.label!r} takes {_names(wanted)}, and there are no initial_tasks; start "
            "with FilePartitioningStage, or pass initial_tasks"
        )
