"""Which workers a run has: how long it waits for one, when it asks them, and when it lets them go."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tarlight.errors import ArgumentError, WorkerLostError
from tarlight.executors.ray import RayExecutor, crew
from tarlight.executors.ray.cluster import Handle
from tarlight.executors.ray.crew import Crew
from tarlight.executors.ray.member import Member
from tarlight.executors.ray.placement import Placement
from tarlight.executors.ray.request import Node, Request
from tarlight.pipeline import Pipeline
from tarlight.resources import Resources
from tests.checkpoint.dataset import make, write

from .contract import Apply, Source, calls, first_only

PATIENCE_S = 60


class Hog:
    """Sits on CPUs."""

    def sit(self):
        """Answer once it is there."""


@pytest.fixture
def hog(small_ray):
    """Take all CPUs of the cluster."""
    actor = small_ray.remote(num_cpus=2)(Hog).remote()
    small_ray.get(actor.sit.remote())
    yield
    small_ray.kill(actor)
    while small_ray.available_resources().get("CPU") != 2:
        time.sleep(0.05)


def test_waits_for_a_worker_only_so_long(hog):
    """A run that gets no worker at all fails with what it asks for, what there is, and what to do."""
    stream = Pipeline("p", stages=[Source(), Apply(first_only)]).stream(RayExecutor(placement_timeout_s=1))
    told = "asks for 1 CPUs and 0 GPUs, and the largest node has 2 CPUs and 0 GPUs now, which are in use"
    with pytest.raises(WorkerLostError, match=told):
        list(stream)
    assert stream.report.is_balanced


def test_waits_for_room(small_ray):
    """A run begins as soon as others leave the CPUs that it needs."""
    actor = small_ray.remote(num_cpus=2)(Hog).remote()
    actor.sit.remote()
    leave = small_ray.remote(num_cpus=0)(end_after_a_second)
    leave.remote([actor])
    result = Pipeline("p", stages=[Source(1, 1)]).run(RayExecutor(placement_timeout_s=PATIENCE_S))
    assert result.report.images_delivered == 1


def end_after_a_second(actors):
    """Kill an actor from elsewhere, a second later."""
    import ray  # noqa: PLC0415

    time.sleep(1)
    ray.kill(actors[0])


class There:
    """Stands for the way to a worker, of which only its whereabouts are asked."""

    def __init__(self, *, is_placed):
        self.is_placed = is_placed


def test_a_worker_that_sets_its_stages_up_is_there():
    """Setting stages up may take longer than a worker may be waited for; being placed may not."""
    nodes, placement = [Node(1, 0)], Placement(0.0)
    setting_up, unplaced = (Member(There(is_placed=one), None) for one in (True, False))
    for members in [setting_up], [unplaced], [unplaced, setting_up], [unplaced]:
        placement.check(members, Request(2, 0), lambda: nodes)
    with pytest.raises(WorkerLostError, match="asks for 2 CPUs and 0 GPUs, and the largest node has 1 CPUs"):
        placement.check([unplaced], Request(2, 0), lambda: nodes)


class WaitsForRoom(Apply):
    """At one image, waits until a CPU of the cluster is free."""

    def process(self, batch):
        import ray  # noqa: PLC0415

        end = time.monotonic() + PATIENCE_S
        if batch.data[0].image_path.endswith("0-0001.jpg"):
            while ray.available_resources().get("CPU", 0) < 1:
                assert time.monotonic() < end, "nobody left"
                time.sleep(0.05)
        return batch

    def teardown(self):
        super().teardown()
        raise OSError("cannot end")


def test_workers_with_nothing_to_do_leave(small_ray, tmp_path):
    """A worker that has nothing left to do gives its CPU back while others work; its teardown is not lost."""
    log = tmp_path / "log"
    folder = write(tmp_path / "data", [(".tar", ["good"] * 3)] * 2)
    stage = WaitsForRoom(None, "waits", log)
    stream = make(folder, batch_size=1, num_threads=1).add_stage(stage).stream(RayExecutor())
    with pytest.raises(OSError, match="cannot end"):
        list(stream)
    assert stream.report.images_delivered == 6
    assert calls(log).count("teardown") == 2


class SetsUpUntilTheEnd(Apply):
    """In all workers but one, `setup` lasts until that one is torn down."""

    def setup(self):
        first = self.log.with_name("first")
        try:
            first.touch(exist_ok=False)
        except FileExistsError:
            self.call("setup")
            end = time.monotonic() + PATIENCE_S
            while "teardown" not in self.log.read_text() and time.monotonic() < end:
                time.sleep(0.05)
        else:
            self.call("setup")


@pytest.mark.parametrize("stopped", [False, True])
def test_workers_that_set_their_stages_up_at_the_end_tear_them_down(small_ray, tmp_path, stopped):
    """When a run ends or is left, a worker that is still in `setup` finishes that and tears down."""
    log = tmp_path / "log"
    stage = SetsUpUntilTheEnd(waits_for_two(log), "slow", log)
    folder = write(tmp_path / "data", [(".tar", ["good"])] * 2)
    with make(folder, num_threads=1).add_stage(stage).stream(RayExecutor()) as stream:
        next(stream)
        if not stopped:
            list(stream)
    assert sorted(calls(log)) == ["setup"] * 2 + ["teardown"] * 2


def waits_for_two(log):
    """A stage's work: it lasts until the stage is being set up in two workers."""

    def work(batch):
        end = time.monotonic() + PATIENCE_S
        while log.read_text().count("setup") < 2 and time.monotonic() < end:
            time.sleep(0.05)
        return batch

    return work


class TearsDownForEver(Apply):
    def teardown(self):
        super().teardown()
        time.sleep(10 * PATIENCE_S)


def test_interrupt_while_workers_tear_down(small_ray, tmp_path, monkeypatch):
    """After the last batch, Ctrl-C ends workers whose `teardown` takes longer than the grace."""
    monkeypatch.setattr(crew, "GRACE_S", 0.2)
    log = tmp_path / "log"
    stream = Pipeline("p", stages=[Source(1, 1), TearsDownForEver(first_only, "slow", log)]).stream(
        RayExecutor()
    )
    striker = threading.Thread(target=strike_at, args=(log,))
    striker.start()
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    striker.join()
    assert (stream.report.outcome, stream.report.images_delivered) == ("stopped", 1)
    assert stream.report.is_balanced


def strike_at(log):
    """Press Ctrl-C once a worker tears down."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not (log.exists() and "teardown" in log.read_text()):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)


def fail_first(log):
    """A stage's work: partition 4 fails at once, and partition 0 goes on for a while after that."""

    def work(batch):
        (image,) = batch.data
        if image.image_path.endswith("4-0000.jpg"):
            log.touch()
            raise ValueError("mine")
        if image.image_path.endswith("0-0000.jpg"):
            end = time.monotonic() + PATIENCE_S
            while not log.exists() and time.monotonic() < end:
                time.sleep(0.05)
            time.sleep(1)
        return batch

    return work


def test_a_partition_that_failed_waits_for_its_turn_in_peace(small_ray, tmp_path, monkeypatch):
    """In order, a worker whose partition has failed is not asked for more of it until its turn comes."""
    asked, take = [], Handle.take
    monkeypatch.setattr(Handle, "take", lambda handle, works: asked.append(handle) or take(handle, works))
    folder = write(tmp_path / "data", [(".tar", ["good"])] * 8)  # four for each worker
    pipeline = make(folder, num_threads=1).add_stage(Apply(fail_first(tmp_path / "failed")))
    stream = pipeline.stream(RayExecutor(preserve_order=True))
    with pytest.raises(ValueError, match="mine"):
        list(stream)
    assert stream.report.images_delivered == 4
    assert len(asked) <= 20  # a parcel and an end of each partition, and some in vain


class Notes:
    """Stands for a worker, and remembers how often it was asked."""

    def __init__(self):
        self.asked = 0

    def take(self, works):
        self.asked += 1


def test_somebody_goes_on_where_all_wait():
    """Where nobody may work ahead, the worker with the least left is asked, so that one becomes free."""
    many, few = Member(Notes(), None, "many", partitions=[1, 2]), Member(Notes(), None, "few", partitions=[3])
    Crew._push([many, few, Member(Notes(), None, "none")])
    assert (many.handle.asked, few.handle.asked) == (0, 1)


@pytest.mark.parametrize("gpus", [1.5, 1.0001, float("inf"), float("nan")])
def test_gpus_are_shares_of_one_or_whole(gpus):
    """GPUs that cannot be given out are refused at once."""
    with pytest.raises(ArgumentError, match="gpus"):
        Resources(gpus=gpus)


@pytest.mark.parametrize("gpus", [0, 0.25, 1, 1.0, 4])
def test_gpus_that_can_be_given_out(gpus):
    """A share of one GPU, and several whole ones, may be asked for."""
    assert Resources(gpus=gpus).gpus == gpus
