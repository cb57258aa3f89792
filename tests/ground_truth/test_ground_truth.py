"""A sample of the campaign `ground_truth`: what is told against what a server really did."""

from __future__ import annotations

from statistics import median

from campaigns.ground_truth import campaign
from ground_truth.scripts import KINDS, drawn

SAMPLE = 20


def test_the_truth_lies_in_every_interval_and_it_is_no_wider_than_a_period_and_an_answer() -> None:
    tally = campaign(SAMPLE, 1)
    assert tally.wrong == []
    assert {judged.name for judged in tally.judged} == set(KINDS)
    assert {judged.kind for judged in tally.judged} == {"during", "after"}
    shortest = min(s.every_ms for s in drawn(SAMPLE, 1)) / 1000
    answer = max(judged.answer_s for judged in tally.judged)
    assert median(w for judged in tally.judged for w in judged.widths) <= 1 + answer / shortest


def test_a_seed_draws_the_same_scenarios_again() -> None:
    assert drawn(SAMPLE, 7) == drawn(SAMPLE, 7)
    assert drawn(SAMPLE, 7) != drawn(SAMPLE, 8)
