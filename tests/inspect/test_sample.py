"""Fair samples."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tarlight.inspect.surveying.sample import FairSample


def _sample(names, size, seed=0):
    sample = FairSample(size, seed)
    for name in names:
        rank = sample.rank(name)
        if sample.wants(rank):
            sample.put(rank, name)
    return sample.things()


@given(st.lists(st.text(), unique=True), st.integers(1, 10), st.randoms())
def test_a_sample_does_not_depend_on_order(names, size, chance) -> None:
    """The same names in any order give the same sample, of the size asked for, in the order they came."""
    shuffled = list(names)
    chance.shuffle(shuffled)
    sample = _sample(names, size)
    assert len(sample) == min(size, len(names))
    assert set(sample) == set(_sample(shuffled, size))
    assert sample == [name for name in names if name in sample]


def test_another_seed_gives_another_sample() -> None:
    """The seed chooses, and the same seed chooses the same."""
    names = [str(number) for number in range(1000)]
    assert _sample(names, 10, 1) == _sample(names, 10, 1) != _sample(names, 10, 2)


def test_every_thing_has_the_same_chance() -> None:
    """Over 2,000 seeds each of 20 names is among 5 kept ones about 500 times, first and last alike."""
    names = [f"{number:06}.jpg" for number in range(20)]
    counts = dict.fromkeys(names, 0)
    for seed in range(2_000):
        for name in _sample(names, 5, seed):
            counts[name] += 1
    assert all(400 < count < 600 for count in counts.values()), counts


def test_few_of_many_are_ever_wanted() -> None:
    """Of 20,000 things in random order a sample of 10 asks for about a hundred, so thumbnails stay few."""
    names = [str(number) for number in range(20_000)]
    random.Random(0).shuffle(names)
    sample = FairSample(10, 0)
    wanted = 0
    for name in names:
        rank = sample.rank(name)
        if sample.wants(rank):
            sample.put(rank, name)
            wanted += 1
    assert wanted < 200
