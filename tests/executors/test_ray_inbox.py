"""The order in which the driver of a Ray run takes what its workers sent."""

from __future__ import annotations

from tarlight.checkpoint import Course
from tarlight.executors.ray.inbox import Arrival, Inbox
from tarlight.executors.ray.member import Member
from tarlight.executors.ray.parcel import Parcel
from tarlight.executors.ray.partition import Partition
from tarlight.ledger import Section
from tarlight.tasks import FileGroupTask


def arrival(partition, member, *, is_last=False, num_bytes=0):
    """What a worker sent of a partition."""
    parcel = Parcel(
        partition.index, partition.attempt, Section(), num_bytes=num_bytes, is_settling=True, is_last=is_last
    )
    return Arrival(parcel, partition, member, None if is_last else object())


def partitions(count):
    """As many partitions of one shard each."""
    return [Partition(index, FileGroupTask(data=[f"{index}.tar"]), Course()) for index in range(count)]


def test_a_partition_given_up_before_its_turn_does_not_take_another_ones_turn():
    """In order, what waits of a partition is given back though a later one was given up before it."""
    first, second, third = partitions(3)
    member, inbox = Member(None, None), Inbox(preserve_order=True)
    inbox.finish(second)
    sent = [arrival(one, member, is_last=is_last) for one in (third, first) for is_last in (False, True)]
    for one in sent:
        inbox.put(one)
    taken = []
    while (one := inbox.take()) is not None:
        taken.append(one)
        if one.parcel.is_last:
            inbox.finish(one.partition)
    assert taken == sent[2:] + sent[:2]


def test_what_waits_of_a_partition_given_up_weighs_nothing():
    """Tasks that are dropped with their partition do not count as waiting any more."""
    first, second = partitions(2)
    member, inbox = Member(None, None), Inbox(preserve_order=True)
    inbox.put(arrival(second, member, num_bytes=1000))
    second.take_back()
    inbox.finish(second)
    assert (inbox.held_bytes, member.num_held) == (0, 0)
    assert inbox.may_hold_more([first], 1)
