"""An exception of a worker, on its way to the consumer, with its own type wherever that can travel."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tarlight.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

    Dumps = Callable[[object], bytes]


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception of a worker, on its way to the consumer."""

    pickled: bytes
    """The exception with its notes; in its place a `PipelineError` when it cannot be pickled."""

    trace: str
    """Where it was raised, as text."""

    def error(self) -> BaseException:
        """The exception, with the worker's traceback as its cause."""
        error: BaseException
        try:
            error = pickle.loads(self.pickled)  # noqa: S301 (from our worker)
        except Exception as why:  # noqa: BLE001 (its module may be on the workers only; it is told in full)
            last = self.trace.rstrip().rpartition("\n")[2]
            error = PipelineError(f"{last} (it cannot be unpickled here: {why!r})")
        error.__cause__ = WorkerTracebackError(self.trace)
        return error


class WorkerTracebackError(Exception):
    """Shows where in a worker its successor was raised."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def pack_error(error: BaseException, dumps: Dumps = pickle.dumps) -> Failure:
    """Make an exception ready to travel; one that does not survive is told in words.

    Args:
        error: what was raised.
        dumps: pickles, where it can also classes that the driver cannot import.
    """
    trace = "".join(traceback.format_exception(error))
    try:
        return Failure(_tried(error, dumps), trace)
    except Exception as why:  # noqa: BLE001 (any class may refuse, in any way; the original is told in full)
        reason = why
    try:
        return Failure(_tried(_Bare(error, dumps), dumps), trace)
    except Exception:  # noqa: BLE001 (as above; the first reason is the one that tells)
        substitute = PipelineError(f"{type(error).__name__}: {error} (it cannot be pickled: {reason!r})")
    for note in getattr(error, "__notes__", ()):
        substitute.add_note(note)
    return Failure(pickle.dumps(substitute), trace)


class _Bare:
    """Stands for an exception that cannot be made by its `__init__` again, or holds what cannot be pickled.

    It is unpickled as that exception, made without `__init__`, and without what cannot travel.
    """

    def __init__(self, error: BaseException, dumps: Dumps) -> None:
        args = tuple(one if _travels(one, dumps) else repr(one) for one in error.args)
        state = {name: value for name, value in vars(error).items() if _travels(value, dumps)}
        self._parts = type(error), args, state

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, self._parts


def _rebuild(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


def _travels(value: object, dumps: Dumps) -> bool:
    try:
        pickle.loads(dumps(value))  # noqa: S301 (written here)
    except Exception:  # noqa: BLE001 (as above)
        return False
    return True


def _tried(error: object, dumps: Dumps) -> bytes:
    """Pickle what becomes an exception when it is unpickled, and see that it can be shown then."""
    pickled = dumps(error)
    str(pickle.loads(pickled))  # noqa: S301 (written a line above)
    return pickled
