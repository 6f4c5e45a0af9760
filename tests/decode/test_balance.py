"""Who takes what, proved on a clock that nobody has to wait for."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tarlight.decode import Appetite, Balance

JOB = 4 << 20
BUDGET = 1 << 30
NUM_BACKENDS = 2


@dataclass
class Run:
    """A device and some cores that work off jobs in virtual time, under a byte budget, in tar order."""

    sizes: list[int]
    device_rate: float
    core_rate: float
    num_cores: int = 4
    call_s: float = 0.001
    is_shared: bool = True
    lost_at: float = float("inf")
    now: float = 0.0
    done_at: dict[int, float] = field(default_factory=dict)
    by_core: set[int] = field(default_factory=set)
    bundles: list[int] = field(default_factory=list)
    most_held: int = 0

    def __post_init__(self):
        appetite = Appetite(NUM_BACKENDS, 64, 128 << 20)
        self.balance = Balance(appetite, is_shared=self.is_shared, clock=lambda: self.now)
        self.num_put = self.num_consumed = self.held = 0
        self.working = []
        self.idle = ["feeder"] * NUM_BACKENDS + ["core"] * self.num_cores

    def work(self):
        """Run to the end. Returns itself."""
        self._start()
        while self.working:
            self.now, _, name, work = heapq.heappop(self.working)
            self.balance.finish(work)
            self.done_at.update(dict.fromkeys(work.jobs, self.now))
            self.idle.append(name)
            self._start()
        assert sorted(self.done_at) == list(range(len(self.sizes)))
        return self

    def _start(self):
        while self.num_consumed in self.done_at:
            self.held -= self.sizes[self.num_consumed]
            self.num_consumed += 1
        while self.num_put < len(self.sizes) and (
            self.held == 0 or self.held + self.sizes[self.num_put] <= BUDGET
        ):
            self.held += self.sizes[self.num_put]
            self.balance.put(self.num_put, 8, self.sizes[self.num_put])
            self.num_put += 1
        self.most_held = max(self.most_held, self.held)
        for name in list(self.idle):
            self._let_take(name)

    def _let_take(self, name):
        is_lost = self.now >= self.lost_at
        if name == "feeder":
            work = None if is_lost else self.balance.take_bundle()
            rate, call_s = self.device_rate / NUM_BACKENDS, self.call_s
        else:
            work = self.balance.take_one(is_lost=is_lost)
            rate, call_s = self.core_rate, 0.0
        if work is not None:
            self.idle.remove(name)
            if name == "feeder":
                self.bundles.append(len(work.jobs))
            else:
                self.by_core.update(work.jobs)
            end = self.now + call_s + work.num_bytes / rate
            heapq.heappush(self.working, (end, len(self.done_at) + id(work), name, work))

    @property
    def share_of_cores(self):
        return sum(self.sizes[job] for job in self.by_core) / sum(self.sizes)

    def hold_ups(self):
        """How long each job of a core kept the line waiting when all before it was done."""
        ready = list(accumulate((self.done_at[job] for job in range(len(self.sizes))), max))
        return [self.done_at[job] - ready[job - 1] for job in sorted(self.by_core) if job]


@pytest.mark.parametrize(("device_rate", "num_cores"), [(4e9, 4), (2e9, 8), (8e9, 16), (1e9, 4)])
def test_shares_converge_to_the_ratio_of_rates(device_rate, num_cores):
    """Over a long run, device and cores take work in the ratio of their speeds, which nobody told them."""
    core_rate = 0.25e9
    run = Run([JOB] * 4000, device_rate, core_rate, num_cores, call_s=0).work()
    expected = num_cores * core_rate / (num_cores * core_rate + device_rate)
    assert run.share_of_cores == pytest.approx(expected, rel=0.1)
    assert run.now == pytest.approx(4000 * JOB / (device_rate + num_cores * core_rate), rel=0.05)


def test_the_device_has_the_first_bundle_to_itself():
    """Cores take nothing before the device has been measured, and nothing at all where they do not share."""
    balance = Balance(Appetite(1, 8, JOB), is_shared=True)
    for job in range(3):
        balance.put(job, 8, JOB)
    assert balance.take_one() is None
    first = balance.take_bundle()
    assert first.jobs == (0,)
    assert balance.take_one() is None
    balance.finish(first)
    assert balance.take_one().jobs == (2,)
    assert Run([JOB] * 400, 1e9, 1e9, is_shared=False).work().by_core == set()


def test_the_device_gets_large_bundles():
    """Where more waits than it wants at a time, the device gets all it wants, and never more."""
    run = Run([JOB] * 1000, 4e9, 0.25e9).work()
    assert max(run.bundles) == 8
    assert sorted(run.bundles)[len(run.bundles) // 2] >= 6
    assert run.most_held <= BUDGET


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 64 << 20), min_size=1, max_size=200),
    device_rate=st.floats(1e8, 1e10),
    core_rate=st.floats(1e6, 1e10),
    num_cores=st.integers(0, 16),
)
def test_a_core_holds_the_line_up_for_one_job_at_most(sizes, device_rate, core_rate, num_cores):
    """However slow the cores are, the line never waits longer for one than its longest job takes there."""
    run = Run(sizes, device_rate, core_rate, num_cores).work()
    assert all(wait <= max(sizes) / core_rate * 1.001 for wait in run.hold_ups())
    assert run.most_held <= max(BUDGET, *sizes)


def test_cores_that_are_too_slow_try_once_and_never_again():
    """Cores that take longer than all that waits for the device get one job each, to be measured."""
    run = Run([JOB] * 2000, 4e9, 1e6).work()
    assert len(run.by_core) <= run.num_cores


def test_once_the_speeds_are_known_nobody_waits_for_a_core():
    """With steady speeds, the line waits for a core at the beginning at most."""
    run = Run([JOB] * 2000, 4e9, 0.25e9, call_s=0).work()
    late = [wait for job, wait in zip(sorted(run.by_core)[1:], run.hold_ups()[1:], strict=True) if job > 200]
    assert late
    assert max(late) <= JOB / 0.25e9 / 10


def test_a_lost_device_leaves_everything_to_the_cores():
    """Once the device is gone, cores take all jobs, first things first, also where they did not share."""
    for is_shared in (True, False):
        run = Run([JOB] * 400, 4e9, 0.25e9, is_shared=is_shared, lost_at=0.1).work()
        assert len(run.by_core) > 200
    balance = Balance(Appetite(1, 8, JOB), is_shared=False)
    for job in range(3):
        balance.put(job, 8, JOB)
    assert balance.take_one() is None
    assert balance.take_one(is_lost=True).jobs == (0,)


def test_what_nobody_has_begun_can_be_taken_back():
    """Draining gives the jobs that wait, in order, and leaves nothing to take."""
    balance = Balance(Appetite(1, 8, JOB), is_shared=True)
    for job in range(3):
        balance.put(job, 8, JOB)
    assert balance.take_bundle().jobs == (0,)
    assert balance.drain() == [1, 2]
    assert balance.take_bundle() is None
    assert balance.take_one(is_lost=True) is None
