"""What bad attempts said: the first reason of a broken promise shows where the defect is."""

from __future__ import annotations

from typing import Any

from histories import run

from chaos.verdict import judge
from chaos.verdict.complaints import Complaint, complaints, regions_of
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
        error="timed out after 2 s (connect)", address=WEST, region="", count=2, of=3
    )


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


def test_a_promise_that_is_kept_or_open_repeats_nothing() -> None:
    kept = judge(run({"playback": {"rto": 6.0}}, playback="++++---+++++++++++++++++"))
    assert kept.value == "held"
    assert not any("boom" in reason for reason in kept.reasons)
