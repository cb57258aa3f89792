"""What bad attempts said: the first reason of a broken promise shows where the defect is."""

from __future__ import annotations

from typing import Any

from histories import run

from chaos.verdict import judge
from chaos.verdict.complaints import Complaint, complaints, regions_of, times_down
from probes.outages import Interval, Outage
from probes.probe import Sample

EAST, WEST = "127.1.0.10", "127.2.0.10"


def bad(start: float, error: str = "timed out after 2 s (connect)", **detail: Any) -> Sample:
    return sample(start, error, **detail)


def sample(start: float, error: str = "", **detail: Any) -> Sample:
    return Sample(
        probe="p", n=0, due=start, start=start, end=start + 1, ok=not error, error=error,
        detail=detail,
    )  # fmt: skip


def told(*samples: Sample, regions: dict[str, str] | None = None) -> dict[str, str]:
    found = complaints(samples, regions or {}, injected=10, lifted=20)
    return {when: str(complaint) for when, complaint in found.items()}


def test_the_most_frequent_error_is_told_with_its_address_and_region() -> None:
    there = [bad(10 + n, address=EAST) for n in range(3)]
    assert told(*there, bad(14, "status 503", address=WEST), regions={EAST: "us-east-1"}) == {
        "during": f"3 of 4 bad attempts: timed out after 2 s (connect), at {EAST} in us-east-1"
    }


def test_the_same_error_at_two_addresses_is_two() -> None:
    found = complaints(
        [bad(10, address=EAST), bad(11, address=WEST), bad(12, address=WEST)],
        {},
        injected=10,
        lifted=None,
    )
    assert found["during"] == Complaint(
        error="timed out after 2 s (connect)",
        address=WEST,
        region="",
        name_age=None,
        count=2,
        of=3,
        bad=3,
    )


def test_it_is_the_last_ones_that_count() -> None:
    first = [bad(10 + n / 10, address=EAST) for n in range(30)]
    then = [bad(13 + n / 10, "connection refused", address=WEST) for n in range(8)]
    assert told(*then, *first) == {
        "during": f"8 of the last 10 bad attempts: connection refused, at {WEST}"
    }


def test_how_old_the_answer_of_dns_was_is_told_where_one_was_remembered() -> None:
    assert told(bad(12, address=EAST, name_at=10.25), bad(14.5, address=EAST, name_at=10.25)) == {
        "during": f"2 of 2 bad attempts: timed out after 2 s (connect), at {EAST},"
        " by a DNS answer up to 4.2 s old"
    }


def test_one_place_that_fails_in_two_ways_comes_before_another_that_fails_in_one() -> None:
    west = [bad(10 + n, ("reset", "closed")[n % 2], address=WEST) for n in range(6)]
    east = [bad(16 + n, address=EAST) for n in range(4)]
    assert told(*west, *east)["during"] == f"3 of 10 bad attempts: reset, at {WEST}"


def test_numbers_in_an_error_do_not_make_it_another_one() -> None:
    slow = [bad(10 + n, f"took 2.{n} s, more than max_latency 2 s") for n in range(4)]
    assert told(bad(10, "refused"), bad(10, "reset"), *slow) == {
        "during": "4 of 6 bad attempts: took 2.0 s, more than max_latency 2 s"
    }


def test_what_the_answer_says_of_its_region_comes_first() -> None:
    answered = bad(10, "status 503", address=EAST, region="us-west-2")
    assert told(answered, regions={EAST: "us-east-1"}) == {
        "during": f"the bad attempt: status 503, at {EAST} in us-west-2"
    }


def test_before_the_fault_nothing_counts_and_after_it_is_told_apart() -> None:
    assert told(bad(8.9, "early"), bad(9.5, "under way"), bad(20, "late"), sample(12)) == {
        "during": "the bad attempt: under way",
        "after": "the bad attempt: late",
    }


def test_an_attempt_of_a_broken_probe_says_nothing() -> None:
    crashed = Sample(
        probe="p", n=0, due=11, start=11, end=12, ok=False, error="KeyError", crashed=True
    )
    assert told(crashed) == {}


def test_a_long_error_is_cut() -> None:
    (sentence,) = told(bad(10, "x" * 300)).values()
    assert sentence.endswith(f": {'x' * 119}…")


def test_an_address_has_the_region_that_any_probe_has_heard_from_it() -> None:
    heard = {"page": (bad(1, address=EAST),), "west": (sample(2, address=WEST, region="west"),)}
    assert regions_of(heard) == {WEST: "west"}


def test_an_address_that_several_regions_answer_at_has_none() -> None:
    """As that of an accelerator: which one an attempt had gone to that got no answer?"""
    moved = (sample(1, address=EAST, region="east"), sample(9, address=EAST, region="west"))
    assert regions_of({"page": moved}) == {}


def test_times_down_are_counted_that_had_been_well_for_a_while_in_between() -> None:
    def down(low: float, high: float) -> Outage:
        return Outage(began=Interval(low, low + 1), ended=Interval(high - 1, high), count=1)

    before, flicker = down(1, 4), [down(10, 12), down(12.5, 14)]
    assert times_down([before, *flicker], (10, 40), 2) == 1
    assert times_down([*flicker, down(17, 18), down(21, 25), down(41, 42)], (10, 40), 2) == 3
    assert times_down([before], (10, 40), 2) == 0


def test_what_went_down_again_and_again_is_called_that() -> None:
    flapping = run({"playback": {"rto": 6.0}}, playback="++++--++++--++++----++++")
    reason = judge(flapping).reasons[0]
    assert "; it was down 2 times; " in reason


def test_a_promise_that_is_kept_or_open_repeats_nothing() -> None:
    kept = judge(run({"playback": {"rto": 6.0}}, playback="++++---+++++++++++++++++"))
    assert kept.value == "held"
    assert not any("boom" in reason for reason in kept.reasons)
