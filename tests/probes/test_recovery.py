"""Whether it came back while the fault was on, after it, or never: every edge by hand."""

from __future__ import annotations

import math

import pytest
from attempts import DOWN, UP, attempt, row

from probes.outages import Interval, Recovery, heals, recovery
from probes.probe import Sample


def told(
    samples: list[Sample], injected: float = 2, lifted: float | None = 12, confirm: int = 3
) -> tuple[str, Interval | None]:
    found = recovery(samples, injected=injected, lifted=lifted, confirm=confirm)
    return found.kind, found.rto


ZERO = Interval(0, 0)
RECOVERIES: dict[str, tuple[str, str, Interval | None]] = {
    # injected at 2 ↓         ↓ lifted at 12
    "unaffected": ("++++++++++++++++", "unaffected", ZERO),
    "failover": ("+++----+++++++++", "during", Interval(4, 5.25)),
    "at once": ("++--++++++++++++", "during", Interval(1, 2.25)),
    "a relapse": ("+++--++--+++++++", "during", Interval(6, 7.25)),
    "the third good one is just in time": ("+++------+++++++", "during", Interval(6, 7.25)),
    "two good ones are not enough": ("+++-------++++++", "after", Interval(7, 8.25)),
    "a relapse before it was confirmed": ("+++---++-+-++++++", "after", Interval(8, 9.25)),
    "only after the lifting": ("+++---------++++", "after", Interval(9, 10.25)),
    "long after the lifting": ("+++-----------++++", "after", Interval(11, 12.25)),
    "never": ("+++-------------", "never", Interval(13, math.inf)),
    "back too late to be confirmed": ("+++-----------++", "never", Interval(11, math.inf)),
    "down after the lifting only": ("++++++++++++--++", "unaffected", ZERO),
    "down again after the lifting": ("+++---++++++--++++", "during", Interval(3, 4.25)),
    "down before the injection only": ("+-++++++++++++++", "unaffected", ZERO),
    "crashes are left out": ("+++--??+++++++++", "during", Interval(2, 5.25)),
    "a crash does not confirm": ("+++-------+?++++", "after", Interval(7, 8.25)),
    "nothing seen while it was on": ("++          ++++", "no_data", None),
    "nothing but crashes": ("++??????????++++", "no_data", None),
    "nothing at all": ("", "no_data", None),
}


@pytest.mark.parametrize(("signs", "kind", "rto"), RECOVERIES.values(), ids=RECOVERIES)
def test_recoveries(signs: str, kind: str, rto: Interval | None) -> None:
    assert told(row(signs)) == (kind, rto)


def test_crashed_attempts_are_counted() -> None:
    found = recovery(row("?++-?+++??"), injected=2, lifted=None, confirm=3)
    assert found == Recovery(kind="during", rto=Interval(1, 3.25), crashed=3)


def test_without_a_lifting_the_window_is_the_whole_observation() -> None:
    assert told(row("+++--+++"), lifted=None) == ("during", Interval(2, 3.25))
    assert told(row("+++--++"), lifted=None) == ("never", Interval(2, math.inf))
    assert told(row("+++--+++-"), lifted=None) == ("never", Interval(6, math.inf))


def test_the_first_good_attempt_counts_for_its_own_confirmation() -> None:
    assert told(row("+++--+"), lifted=None, confirm=1) == ("during", Interval(2, 3.25))


def test_an_attempt_that_hangs_across_the_injection_belongs_to_the_fault() -> None:
    samples = [*row("++"), attempt(1.9, 4, DOWN), *row("    ++++++++++")]
    assert told(samples) == ("during", Interval(0, 2.25))


def test_the_instant_of_the_injection_belongs_to_the_fault() -> None:
    good = row("   +++++++++++")
    assert told([attempt(2, 2, DOWN), *good]) == ("during", Interval(0, 1.25))
    assert told([attempt(1, 2, DOWN), *good]) == ("unaffected", ZERO)
    assert told([attempt(2, 2.25, UP)]) == ("unaffected", ZERO)
    assert told([attempt(1.9, 2.25, UP)]) == ("no_data", None)


def test_good_attempts_made_while_the_only_bad_one_hangs_do_not_confirm() -> None:
    """They may be older than the outage that it met."""
    samples = [attempt(3, 6, DOWN), *row("    ++++"), attempt(5.5, 6.5, UP)]
    assert told(samples, lifted=None, confirm=2) == ("during", Interval(1, 4.25))
    assert told(samples, lifted=None, confirm=3) == ("never", Interval(1, math.inf))


def test_a_good_attempt_under_way_at_the_lifting_does_not_confirm() -> None:
    samples = row("+++---++ ++++")
    assert told([*samples, attempt(8, 11.9, UP)], confirm=6) == ("during", Interval(3, 4.25))
    assert told([*samples, attempt(8, 12.1, UP)], confirm=6) == ("after", Interval(3, 4.25))
    assert told([*samples, attempt(8, 12, UP)], confirm=6) == ("during", Interval(3, 4.25))


def test_a_failure_under_way_at_the_lifting_leaves_open_which_recovery_was_the_last() -> None:
    """It may have met the system before the lifting (then that is no failover) or after it."""
    hung = [attempt(11, 13, DOWN)]
    assert told([*row("+++---+++++ ++++++"), *hung]) == ("after", Interval(3, 11.25))
    assert told([*row("+++++++++++ ++++++"), *hung]) == ("after", Interval(0, 11.25))
    assert told([*row("+++++++++++ +"), *hung]) == ("never", Interval(0, math.inf))


def test_a_failure_that_ends_as_the_fault_is_lifted_met_it() -> None:
    samples = [*row("+++---+++++ ++++++"), attempt(11, 12, DOWN)]
    assert told(samples) == ("after", Interval(9, 10.25))


def test_a_failure_that_ends_before_the_lifting_is_a_relapse() -> None:
    samples = [*row("+++---+++++ ++++++"), attempt(11, 11.9, DOWN)]
    assert told(samples) == ("after", Interval(9, 10.25))


HEALINGS: dict[str, tuple[str, Interval | None]] = {
    # lifted at 4  ↓
    "never was bad": ("++++++++", ZERO),
    "bad before only": ("+--+++++", ZERO),
    "bad until the lifting": ("+---++++", Interval(0, 0.25)),
    "heals": ("+-----++++", Interval(1, 2.25)),
    "a relapse": ("+-----++-++++", Interval(4, 5.25)),
    "not confirmed": ("+-----++", Interval(1, math.inf)),
    "never": ("+-------", Interval(3, math.inf)),
    "good, but not confirmed": ("++++++", Interval(0, math.inf)),
    "three good ones are just enough": ("+++++++", ZERO),
    "nothing seen": ("++++", None),
    "only crashes": ("++++????", None),
}


@pytest.mark.parametrize(("signs", "expected"), HEALINGS.values(), ids=HEALINGS)
def test_healings(signs: str, expected: Interval | None) -> None:
    assert heals(row(signs), lifted=4, confirm=3) == expected


def test_good_attempts_prove_healing_though_one_still_hangs_across_the_lifting() -> None:
    samples = [*row("--"), attempt(2, 5, DOWN), *row("   +++++")]
    assert heals(samples, lifted=4, confirm=3) == ZERO


def test_an_attempt_under_way_at_the_lifting_was_not_begun_after_it() -> None:
    assert heals([*row("+++"), attempt(3.9, 4.1, UP)], lifted=4, confirm=1) is None


def test_a_good_attempt_before_the_lifting_does_not_confirm_healing() -> None:
    samples = [attempt(0, 0.25, DOWN), attempt(1, 4.5, DOWN), *row("  +++"), attempt(5, 5.25, UP)]
    assert heals(samples, lifted=4, confirm=3) == Interval(0, math.inf)
    assert heals(samples, lifted=4, confirm=2) == ZERO
