"""What a worker asks of a node, fitted to the nodes that there are before anything is asked.

Ray would let a request that no node can meet wait for ever, since a node that can might still come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tarlight.errors import ClusterError
from tarlight.ledger import Note
from tarlight.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.stages.base import ProcessingStage

    Stage = ProcessingStage[Any, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """What one machine of the cluster has in all."""

    cpus: float
    """CPU cores."""

    gpus: float
    """GPUs."""


@dataclass(frozen=True, slots=True)
class Request:
    """What every worker gets: it runs all stages, so this is the most that any of them wants."""

    cpus: float
    """CPU cores, as many as the worker has busy threads."""

    gpus: float
    """GPUs, or a share of one."""

    def num_fitting(self, nodes: Sequence[Node]) -> int:
        """How many workers the cluster has room for, if nobody else is on it."""
        return sum(self._on(node) for node in nodes)

    def _on(self, node: Node) -> int:
        shares = []
        if self.cpus:
            shares.append(int(node.cpus / self.cpus + 1e-6))
        if self.gpus:
            shares.append(_gpu_shares(node.gpus, self.gpus))
        return min(shares, default=1)


def _gpu_shares(gpus: float, wanted: float) -> int:
    """A share lies on one GPU: three workers of 0.4 need two."""
    if wanted >= 1:
        return int(gpus / wanted + 1e-6)
    return int(gpus) * int(1 / wanted + 1e-6)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Stages that fit the cluster, and what had to be changed."""

    stages: tuple[Stage, ...]
    """The same stages, or copies that want less."""

    request: Request
    """What a worker that runs all of them asks for."""

    notes: tuple[Note, ...]
    """What they get less than they asked for."""


def fit_stages(stages: Sequence[Stage], nodes: Sequence[Node]) -> Fitted:
    """Cap what stages ask for at the largest node that can run all of them.

    Raises:
        ClusterError: no node has the GPUs that are asked for, or a stage cannot do without.
    """
    if not nodes:
        raise ClusterError("the cluster has no nodes that are alive; start one with `ray start`")
    gpus = max(stage.resources.gpus for stage in stages)
    if not any(node.gpus for node in nodes):
        gpus = 0.0
    able = [node for node in nodes if node.gpus >= gpus]
    if not able:
        raise ClusterError(
            f"a worker asks for {gpus:g} GPUs and the largest node has {max(node.gpus for node in nodes):g}; "
            "ask for less in the stage's resources"
        )
    limit = Resources(cpus=max(node.cpus for node in able), gpus=gpus)
    fitted = tuple(_fit(stage, limit) for stage in stages)
    cpus = max(stage.resources.cpus for stage in fitted)
    notes = tuple(
        Note("", text, "resources")
        for before, after in zip(stages, fitted, strict=True)
        for text in _changes(before, after)
    )
    return Fitted(fitted, Request(cpus, gpus), notes)


def _fit(stage: Stage, limit: Resources) -> Stage:
    wants = stage.resources
    if wants.cpus <= limit.cpus and wants.gpus <= limit.gpus:
        return stage
    return stage.fitted(Resources(cpus=min(wants.cpus, limit.cpus), gpus=min(wants.gpus, limit.gpus)))


def _changes(before: Stage, after: Stage) -> list[str]:
    asked, got = before.resources, after.resources
    texts = []
    if got.cpus < asked.cpus:
        texts.append(
            f"stage {before.label!r} asked for {asked.cpus:g} CPUs and works with {got.cpus:g}: the largest "
            "node has no more"
        )
    if got.gpus < asked.gpus:
        texts.append(
            f"stage {before.label!r} asked for {asked.gpus:g} of a GPU and works without: there is none"
        )
    return texts
