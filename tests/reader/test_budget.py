"""Admission by bytes."""

from __future__ import annotations

import threading

from tarlight.stages.image.io.budget import ByteBudget


def test_admits_up_to_the_limit():
    """What fits is admitted at once, and what does not fit waits for a release."""
    budget = ByteBudget(100)
    assert budget.acquire(60)
    assert budget.acquire(40)
    admitted = threading.Event()
    waiter = threading.Thread(target=lambda: budget.acquire(1) and admitted.set())
    waiter.start()
    assert not admitted.wait(0.05)
    budget.release(40)
    waiter.join(5)
    assert admitted.is_set()


def test_too_large_goes_alone():
    """A request above the whole budget is admitted when nothing else is in flight, never beside another."""
    budget = ByteBudget(100)
    assert budget.acquire(500)
    admitted = threading.Event()
    waiter = threading.Thread(target=lambda: budget.acquire(1) and admitted.set())
    waiter.start()
    assert not admitted.wait(0.05)
    budget.release(500)
    waiter.join(5)
    assert admitted.is_set()


def test_close_lets_waiters_go():
    """Closing the budget ends every wait with a refusal."""
    budget = ByteBudget(10)
    budget.acquire(10)
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(budget.acquire(5)))
    waiter.start()
    budget.close()
    waiter.join(5)
    assert answers == [False]
    assert budget.acquire(1) is False
