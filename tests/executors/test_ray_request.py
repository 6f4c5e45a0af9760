"""What workers ask of a cluster is fitted to its nodes before anything is asked; this needs no Ray."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.checkpoint import Course
from tarlight.errors import ArgumentError, ClusterError
from tarlight.executors.ray.partition import Backlog, Partition
from tarlight.executors.ray.request import Node, Request, fit_stages
from tarlight.resources import Resources
from tarlight.stages.image.io.image_reader import ImageReaderStage
from tarlight.tasks import FileGroupTask

from .contract import Apply, first_only


def user_stage(cpus, gpus):
    stage = Apply(first_only, "own")
    stage.resources = Resources(cpus=cpus, gpus=gpus)
    return stage


def test_documented_example_on_a_small_cluster():
    """Eight threads and a quarter of a GPU become two threads and no GPU, and the notes say both."""
    fitted = fit_stages([ImageReaderStage()], [Node(1, 0), Node(2, 0)])
    assert fitted.request == Request(2, 0)
    assert fitted.stages[0].options.num_threads == 2
    assert len(fitted.notes) == 2


def test_named_gpu_decoder_needs_a_gpu():
    """A decoder that was asked for by name does not give way to another one because there is no GPU."""
    with pytest.raises(ArgumentError, match="nvimgcodec"):
        fit_stages([ImageReaderStage(decoder="nvimgcodec")], [Node(8, 0)])


@given(
    wants=st.lists(
        st.tuples(st.integers(0, 64), st.sampled_from([0, 0.25, 0.5, 1, 2])), min_size=1, max_size=3
    ),
    nodes=st.lists(st.tuples(st.integers(1, 64), st.integers(0, 8)), min_size=1, max_size=4),
)
def test_some_node_can_meet_the_request(wants, nodes):
    """Whatever is asked for, a worker fits on some node, or it is an error at once."""
    nodes = [Node(cpus, gpus) for cpus, gpus in nodes]
    try:
        request = fit_stages([user_stage(*one) for one in wants], nodes).request
    except ClusterError:
        assert max(gpus for _, gpus in wants) > max(node.gpus for node in nodes) > 0
        return
    assert any(request.cpus <= node.cpus and request.gpus <= node.gpus for node in nodes)
    assert request.num_fitting(nodes) >= 1


@pytest.mark.parametrize(
    ("request_", "node", "workers"),
    [
        (Request(2, 0), Node(7, 0), 3),
        (Request(1, 0.25), Node(64, 2), 8),
        (Request(1, 0.4), Node(64, 2), 4),
        (Request(16, 0.25), Node(32, 1), 2),
        (Request(1, 2), Node(8, 5), 2),
    ],
)
def test_workers_that_fit(request_, node, workers):
    """Workers on a node are limited by its CPUs and by shares of single GPUs."""
    assert request_.num_fitting([node]) == workers


def test_stages_share_what_the_largest_wants():
    """One worker runs all stages in turn: it asks for the most that any of them wants."""
    stages = [ImageReaderStage(num_threads=4, num_gpus_per_worker=0), user_stage(1, 1)]
    assert fit_stages(stages, [Node(8, 1)]).request == Request(4, 1)


@pytest.mark.parametrize(("shards", "num_done", "can"), [("ab", 1, True), ("aa", 0, True), ("aa", 1, False)])
def test_a_shard_twice_cannot_be_gone_on_with(shards, num_done, can):
    """A partition with a shard twice may be begun anew, and not gone on with after something has arrived."""
    partition = Partition(0, FileGroupTask(data=list(shards)), Course(), num_done)
    assert partition.can_go_on is can


def test_partitions_are_planned_in_bounded_memory():
    """Of ten thousand partitions only as many are pulled as workers ask for."""
    pulled = 0

    def tasks():
        nonlocal pulled
        for _ in range(10_000):
            pulled += 1
            yield FileGroupTask(data=["a.tar"])

    backlog = Backlog(tasks(), Course())
    for number in range(100):
        assert backlog.look_ahead(8) == 8
        assert backlog.take(beside_others=False).index == number
        assert pulled <= number + 8
