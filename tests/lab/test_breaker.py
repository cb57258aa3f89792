"""A circuit breaker: closed, open, half-open; pure."""

from __future__ import annotations

import pytest

from chaos.lab.breaker import Breaker


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, open_for=10, now=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.allows()
        breaker.failed()


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()


def test_a_success_in_between_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.allows()


def test_it_lets_one_trial_through_each_time_its_time_is_over(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 3)
    for _ in range(3):
        clock.now += 9.9
        assert not breaker.allows()
        clock.now += 0.2
        assert breaker.allows()
        assert not breaker.allows()
        breaker.failed()
        assert not breaker.allows()


def test_a_trial_that_never_ends_is_followed_by_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    assert breaker.allows()
    clock.now += 10
    assert breaker.allows()


def test_a_trial_that_succeeds_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    assert breaker.allows()
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.allows()


def test_calls_that_were_under_way_when_it_opened_do_not_prolong_it(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 9
    breaker.failed()
    clock.now += 1
    assert breaker.allows()
