"""Ray itself, as far as tarlight uses it: only this module and `connection` import it, and know its errors.

Everything that Ray raises becomes one of three: `ClusterError` (no cluster, or none that can do this),
`WorkerGoneError` (a worker or its node died, or what it made is lost with it), or the exception of our own
code.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray
from ray import cloudpickle
from ray.exceptions import (
    ActorUnschedulableError,
    GetTimeoutError,
    ObjectLostError,
    RayActorError,
    RaySystemError,
    RayTaskError,
    TaskCancelledError,
    WorkerCrashedError,
)

from tarlight.errors import ClusterError, PipelineError
from tarlight.executors.ray.connection import Connection
from tarlight.executors.ray.parcel import PickledStage
from tarlight.executors.ray.request import Node
from tarlight.executors.ray.worker import Worker
from tarlight.report.figure import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tarlight.executors.ray.parcel import Reply, Work
    from tarlight.executors.ray.request import Request
    from tarlight.tasks import Task

_GONE = (
    RayActorError,
    ObjectLostError,
    WorkerCrashedError,
    RaySystemError,
    TaskCancelledError,
    GetTimeoutError,
)


MAX_CAUSE = 600
"""Characters that are shown of why a worker died."""

MALLOC = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str((1 << 31) - 1),
}
"""Lets the C library of a worker keep freed pixels for its next batch, which otherwise pays a page fault for
every 4 KiB: 166 of them an image of 0.2 Mpix, a third of the CPU time; and ask for pages of 2 MiB, where
Linux leaves that to programs: a twentieth of it. See mallopt(3) and "Memory Allocation Tunables" in glibc's
manual."""


class WorkerGoneError(Exception):
    """A worker died, or its node did; says why. Never leaves the executor."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a `take` will give: two objects of which only the first is small."""

    reply: Any
    """Reference to a `Reply`."""

    tasks: Any
    """Reference to a list of tasks, which stays in the object store until it is fetched."""


class WorkerActor(Worker):
    """A worker as Ray runs it."""

    @ray.method(num_returns=2)
    def take(self, works: Sequence[Work]) -> tuple[Reply, list[Task]]:  # type: ignore[override]  # as below
        """Two objects; said here, since saying it in each call costs more than the call."""
        return super().take(works)

    @ray.method(concurrency_group="control")
    def stop(self) -> None:  # type: ignore[override]  # the decorator tells the type of the remote call
        """Beside the work; said here, since a Ray client does not let the call say it."""
        super().stop()


class Handle:
    """A worker, as the driver holds it."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._arrived = actor.arrive.remote()

    @property
    def is_placed(self) -> bool:
        """True once it has a process, or had one."""
        return bool(ray.wait([self._arrived], timeout=0, fetch_local=False)[0])

    def open(self) -> Any:
        """Ask it to set its stages up: a reference to a `Hello`."""
        return self._actor.open.remote()

    def take(self, works: Sequence[Work]) -> Answer:
        """Hand it more partitions, and ask for one more parcel.

        Raises:
            PipelineError: a task cannot be pickled.
        """
        try:
            reply, tasks = self._actor.take.remote(tuple(works))
        except TypeError as error:
            why, names = error.__cause__ or error, [work.task.task_id for work in works]
            raise PipelineError(
                f"task {' or '.join(map(repr, names))} cannot be sent to a worker ({_named(why)}); give "
                "tasks that can be pickled"
            ) from error
        return Answer(reply, tasks)

    def stop(self) -> None:
        """Tell it to give up what it is doing, without waiting for its turn."""
        self._actor.stop.remote()

    def close(self) -> Any:
        """Ask it to tear its stages down: a reference to None or a `Failure`."""
        return self._actor.close.remote()

    def kill(self) -> None:
        """End its process."""
        ray.kill(self._actor)


class Cluster:
    """A connection to a cluster. For one thread."""

    def __init__(self) -> None:
        self._connection = Connection()

    def connect(self, address: str | None, tell: Callable[[str], None]) -> None:
        """Connect, as `Connection.open` does."""
        self._connection.open(address, tell)

    def close(self) -> None:
        """Leave the cluster, and end it where this connection started it."""
        self._connection.close()

    def describe(self, nodes: Sequence[Node]) -> str:
        """Which cluster this is, how it came about and what it has, for people."""
        cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
        where = f"Ray cluster at {place}" if (place := self._connection.place) else "Ray cluster"
        size = f"{plural(len(nodes), 'node')}, {cpus:g} CPUs, {gpus:g} GPUs"
        return f"{where} ({size}), {self._connection.origin}"

    def nodes(self) -> list[Node]:
        """The nodes that are alive now."""
        list_nodes: Any = ray.nodes  # untyped
        found = [node["Resources"] for node in list_nodes() if node["Alive"]]
        return [Node(have.get("CPU", 0.0), have.get("GPU", 0.0)) for have in found]

    def share(self, value: Any) -> Any:
        """Put a value where every worker can get it once a node: a reference."""
        return ray.put(value)

    def start_worker(self, stages: Any, dataset_name: str, request: Request) -> Handle:
        """Ask for one more worker; it begins when there is room for it."""
        remote: Any = ray.remote  # its types know of no concurrency groups
        actor = remote(
            num_cpus=request.cpus,
            num_gpus=request.gpus,
            runtime_env={"env_vars": MALLOC},
            max_restarts=0,  # a new worker is started by who knows what the old one had in hand
            concurrency_groups={"control": 1},
            scheduling_strategy="SPREAD",
        )(WorkerActor)
        return Handle(actor.remote(stages, dataset_name, cloudpickle.dumps))

    def wait(self, refs: Sequence[Any], timeout_s: float) -> list[Any]:
        """Wait for the first of `refs`, and return those that are there, in order; without any, just wait."""
        if not refs:
            time.sleep(timeout_s)
            return []
        done, _ = ray.wait(list(refs), num_returns=1, timeout=timeout_s, fetch_local=False)
        if not done or len(refs) == 1:
            return list(done)
        more, _ = ray.wait(list(refs), num_returns=len(refs), timeout=0, fetch_local=False)
        return list(more or done)

    def prefetch(self, ref: Any) -> None:
        """Begin to bring an object to this node."""
        ray.wait([ref], timeout=0, fetch_local=True)

    def fetch(self, ref: Any, timeout_s: float | None = None) -> Any:
        """Return the value of `ref`; arrays in it are views of the object store, and read-only.

        Raises:
            WorkerGoneError: it was lost with its worker or node.
        """
        with _ours():
            return ray.get(ref, timeout=timeout_s)

    def fetch_tasks(self, ref: Any, label: str) -> list[Task]:
        """Return tasks that the stage called `label` handed on, as `fetch` does.

        Raises:
            PipelineError: they could not be pickled there, or not be unpickled here.
            WorkerGoneError: they were lost with their worker or node.
        """
        with _ours(), _carrying(label):
            tasks: list[Task] = ray.get(ref)
        return tasks


def pickle_stage(stage: object, label: str) -> PickledStage:
    """Pickle a stage by Ray's rules: classes of the main program, lambdas and closures may be in it.

    Raises:
        PipelineError: it cannot be pickled.
    """
    try:
        return PickledStage(label, cloudpickle.dumps(stage))  # type: ignore[no-untyped-call]
    except Exception as error:
        raise PipelineError(
            f"stage {label!r} cannot be sent to a worker ({_named(error)}); make what "
            "cannot be pickled (models, connections, locks) in setup(), not before"
        ) from error


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except ActorUnschedulableError as error:
        raise ClusterError(f"the cluster cannot place a worker: {error}") from error
    except RayTaskError as error:
        raise error.cause or error from error
    except _GONE as error:
        raise WorkerGoneError(_in_short(str(error))) from error


@contextmanager
def _carrying(label: str) -> Iterator[None]:
    """Tell what a stage hands on and cannot travel from workers that are gone."""
    try:
        yield
    except RayTaskError as error:  # a worker's method raises nothing: Ray could not pickle what it gave
        raise PipelineError(
            f"what stage {label!r} hands on cannot be sent from a worker ({_named(error.cause)}); hand on "
            "what can be pickled, and keep models, connections and locks in the stage"
        ) from error
    except RaySystemError as error:
        if not isinstance(error.client_exc, Exception):  # else raised by unpickling
            raise
        raise PipelineError(
            f"what stage {label!r} hands on cannot be unpickled here ({_named(error.client_exc)}); the "
            "program that runs the pipeline needs all modules that it is made of"
        ) from error


def _named(error: BaseException) -> str:
    return _in_short(f"{type(error).__name__}: {error}")


def _in_short(text: str) -> str:
    """The text of Ray's errors without colours, in one line and no longer than people read."""
    plain = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split())
    return plain if len(plain) <= MAX_CAUSE else f"{plain[: MAX_CAUSE // 2]} ... {plain[-MAX_CAUSE // 2 :]}"
