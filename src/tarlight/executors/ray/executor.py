"""`RayExecutor`: the same pipeline on a Ray cluster."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tarlight.errors import ClusterError
from tarlight.executors.base import Plan
from tarlight.executors.local import LocalRun
from tarlight.executors.ray.option import RayOptions
from tarlight.stages.fit import task_types
from tarlight.tasks import FileGroupTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.executors.base import Run
    from tarlight.stages.base import ProcessingStage, StageContext

    Stage = ProcessingStage[Any, Any]


class RayExecutor:
    """Runs pipelines on Ray: the partitioning here, all stages after it in workers of the cluster.

    Every worker runs all of these stages, one batch after the other, so pixels leave its process only
    where the
    last stage hands them on. It books the most CPUs and GPUs that any of its stages asks for, at most what
    the
    largest node has. The arrays of images that arrive are views of Ray's object store and read-only: copy one
    to write to it. The batches of a partition come in order; those of several are mixed unless
    `preserve_order` is True.

    Making one checks the arguments; the cluster is looked for when the first batch is asked for.
    """

    def __init__(
        self,
        address: str | None = None,
        preserve_order: bool = False,  # noqa: FBT001, FBT002 (the documented order)
        *,
        min_workers: int = 1,
        max_workers: int | None = None,
        placement_timeout_s: float = 600.0,
    ) -> None:
        """Check the arguments.

        Args:
            address: `auto`, `host:port` or `ray://host:port` of a cluster; `local` for one of its own; None
                for the one that this program is connected to, else the one of this machine or in
                `RAY_ADDRESS`, else one that is started here and ended with the run.
            preserve_order: Give tasks in the order of the local executor. Workers may be 1 GiB ahead of it.
            min_workers: Workers that are asked for even where there is no room for them, so that a cluster
                which grows by itself does.
            max_workers: Never more workers; None for as many as there is room for. With a number, one more
                worker than there is room for is asked for until it is reached, so that a cluster grows.
            placement_timeout_s: Seconds, at least 1, that a run without any worker waits for the cluster to
                place one, before it fails with `WorkerLostError`: time for nodes to start, or for others to
                leave. Setting stages up does not count. `float("inf")` waits for ever.

        Raises:
            ClusterError: Ray is not installed.
            ValueError: A value is not allowed; the message names the argument.
            TypeError: A value has the wrong type.
        """
        self.options = RayOptions(
            address=address,
            preserve_order=preserve_order,
            min_workers=min_workers,
            max_workers=max_workers,
            placement_timeout_s=placement_timeout_s,
        )
        if find_spec("ray") is None:
            raise ClusterError("RayExecutor needs Ray, which is not installed: pip install 'tarlight[ray]'")

    def start(self, plan: Plan, context: StageContext) -> Run:
        """Begin to run. Nothing is looked for or read before the first task is asked for."""
        num_planning = count_planning(plan.stages)
        if num_planning == len(plan.stages):
            return LocalRun(plan, context)
        from tarlight.executors.ray.run import RayRun  # noqa: PLC0415 (imports Ray, which takes half a second)

        tasks = (
            LocalRun(Plan(plan.stages[:num_planning], plan.initial_tasks), context)
            if num_planning
            else (task for task in plan.initial_tasks)
        )
        return RayRun(tasks, plan.stages[num_planning:], context, self.options)

    def __repr__(self) -> str:
        facts = (f"{name}={getattr(self.options, name)!r}" for name in self.options.__slots__)
        return f"RayExecutor({', '.join(facts)})"


def count_planning(stages: Sequence[Stage]) -> int:
    """How many of the first stages only say what is to be read: they give partitions."""
    for number, stage in enumerate(stages):
        if task_types(type(stage))[1] != (FileGroupTask,):
            return number
    return len(stages)
