"""What others have seen before is evidence of then: the truth stays in the interval."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from attempts import attempt
from hypothesis import given
from hypothesis import strategies as st
from report import journals

from chaos.history import History, load
from chaos.verdict import judge
from chaos.watch import Watch
from probes.outages import outages
from probes.probe import Sample, evidence

SCRAPED_EVERY = 15.0
AGE = 4.0


def as_told(history: History, **detail: Any) -> History:
    samples = tuple(replace(s, detail=detail) for s in history.samples["playback"])
    return replace(history, samples=history.samples | {"playback": samples})


def test_a_verdict_is_as_sharp_as_the_evidence_is_young(tmp_path: Path) -> None:
    history = load(journals.region_outage(tmp_path))
    fresh = judge(history).probes["playback"]
    aged = judge(as_told(history, age=AGE)).probes["playback"]
    assert fresh.recovery
    assert aged.recovery
    assert fresh.recovery.rto
    assert aged.recovery.rto
    assert aged.recovery.rto.low == pytest.approx(fresh.recovery.rto.low - AGE)
    assert aged.recovery.rto.high >= fresh.recovery.rto.high
    assert aged.latency == fresh.latency
    assert aged.longest_gap == fresh.longest_gap


@pytest.mark.parametrize("age", [None, 0, -5, True, "4"])
def test_what_is_no_age_changes_nothing(age: object) -> None:
    sample = replace(attempt(1, 2, True), detail={"age": age})
    assert evidence(sample) is sample


def scraped(every: float, down: float, up: float, phase: float) -> list[Sample]:
    """Attempts at a Prometheus whose scrapes meet a system that is down from `down` to `up`."""
    samples = []
    for n in range(int(300 / every)):
        start = n * every
        at = phase + (start - phase) // SCRAPED_EVERY * SCRAPED_EVERY
        sample = attempt(start, start + 0.05, not down <= at < up)
        samples.append(replace(sample, detail={"age": start - at}))
    return samples


@given(
    every=st.sampled_from([1.0, 5.0, 15.0, 20.0]),
    down=st.floats(60, 90),
    lasts=st.floats(2 * SCRAPED_EVERY + 20, 120),
    phase=st.floats(0, SCRAPED_EVERY),
)
def test_the_truth_lies_in_the_interval_whatever_the_scrape_interval(
    every: float, down: float, lasts: float, phase: float
) -> None:
    (found,) = outages(map(evidence, scraped(every, down, down + lasts, phase)))
    assert found.ended is not None
    # An attempt with an age of nothing tells of its own moment, to the precision of floats.
    assert found.began.low - 1e-9 <= down <= found.began.high
    assert found.ended.low - 1e-9 <= down + lasts <= found.ended.high


def test_without_their_age_the_same_attempts_would_lie() -> None:
    (found,) = outages(scraped(1.0, 62.0, 121.0, 0.0))
    assert found.ended is not None
    assert not found.began.low <= 62.0 <= found.began.high


def test_a_run_waits_until_the_evidence_is_from_then() -> None:
    watch = Watch(["p"])
    for start in range(20):
        watch.saw(replace(attempt(start, start + 0.1, True), detail={"age": AGE}))
    assert watch.good_for(10.0) == 19 - AGE - 10
