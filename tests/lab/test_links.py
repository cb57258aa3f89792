"""Rules of links: what they may say, whom they mean, and which of them decides."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.errors import InvalidInput
from chaos.lab.links import Link, Links, Rule

SERVICES = ["home", "recommendations"]
HOME, ELSEWHERE = "127.1.1.10", "127.0.0.1"
HANG = {"action": "hang", "to": "recommendations"}


class Noted:
    """A connection that counts how often it was told to look."""

    def __init__(self) -> None:
        self.told = 0

    def link_changed(self) -> None:
        self.told += 1


def links() -> Links:
    made = Links(SERVICES)
    made.lives_at(HOME, "home")
    return made


def action(link: Link) -> str:
    return link.rule.action if link.rule else "open"


@pytest.mark.parametrize(
    "rule",
    [
        HANG,
        {"action": "refuse", "to": "home", "from": "clients", "regions": ["us-east-1"]},
        {"action": "error", "to": "home", "status": 503},
        {"action": "delay", "to": "home", "seconds": 2.0, "jitter": 2.0},
        {"action": "delay", "to": "home", "seconds": 0},
    ],
)
def test_a_rule_is_read_back_as_it_was_put(rule: dict[str, Any]) -> None:
    made = links()
    made.rules.put("r", rule)
    assert made.rules.describe("r") == {"rule": rule, "hits": 0}


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"action": "hang"}, "to: Field required"),
        ({"action": "explode", "to": "home"}, "action: Input should be 'refuse', 'hang', 'error'"),
        ({**HANG, "for": 3}, "for: Extra inputs are not permitted"),
        ({**HANG, "regions": []}, "regions: Tuple should have at least 1 item"),
        (
            {"action": "error", "to": "home"},
            "the action 'error' needs a 'status', and no other has",
        ),
        ({**HANG, "status": 503}, "the action 'error' needs a 'status', and no other has one"),
        ({"action": "error", "to": "home", "status": 200}, "status: Input should be greater than"),
        ({"action": "delay", "to": "home"}, "the action 'delay' needs 'seconds', and no other has"),
        ({"action": "delay", "to": "home", "seconds": float("inf")}, "seconds: Input should be a"),
        ({"action": "delay", "to": "home", "seconds": 1, "jitter": 2}, "'jitter' is at most the"),
        ({**HANG, "jitter": 1}, "'jitter' is at most the 'seconds' of a delay"),
        ({**HANG, "to": "recomendations"}, "did you mean 'recommendations'?"),
        ({**HANG, "to": "clients"}, "no service 'clients' here; there is home, recommendations"),
        ({**HANG, "from": "x"}, "no service 'x' here; there is home, recommendations, clients"),
        ("hang", "rule: Input should be a valid dictionary"),
    ],
)
def test_what_is_no_rule_is_refused_and_changes_nothing(rule: Any, sentence: str) -> None:
    made = links()
    made.rules.put("r", HANG)
    with pytest.raises(InvalidInput) as refused:
        made.rules.put("r", rule)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert made.rules.describe("r")["rule"] == HANG


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({}, ["home us-east-1", "home us-west-2", "clients us-east-1"]),
        ({"from": "home"}, ["home us-east-1", "home us-west-2"]),
        ({"from": "clients"}, ["clients us-east-1"]),
        ({"regions": ["us-west-2"]}, ["home us-west-2"]),
        ({"from": "home", "regions": ["us-east-1", "eu-west-1"]}, ["home us-east-1"]),
        ({"to": "home"}, []),
    ],
)
def test_a_rule_means_the_links_that_it_says(rule: dict[str, Any], met: list[str]) -> None:
    made = links()
    before = made.link(HOME, "recommendations", "us-east-1")
    made.rules.put("r", {**HANG, **rule})
    every = [
        before,
        made.link(HOME, "recommendations", "us-west-2"),
        made.link(ELSEWHERE, "recommendations", "us-east-1"),
    ]
    assert [f"{one.consumer} {one.region}" for one in every if one.rule] == met


def test_the_first_rule_decides_until_it_is_gone_and_each_is_counted_for_itself() -> None:
    made = links()
    link = made.link(HOME, "recommendations", "us-east-1")
    made.rules.put("a", HANG)
    made.rules.put("b", {"action": "refuse", "to": "recommendations"})
    assert action(link) == "hang"
    link.hit()
    made.rules.put("a", None)
    assert action(link) == "refuse"
    link.hit()
    link.hit()
    assert [made.rules.describe(rule)["hits"] for rule in ("a", "b", "c")] == [1, 2, 0]
    made.rules.put("b", None)
    assert action(link) == "open"
    assert made.rules.describe("b") == {"rule": None, "hits": 2}


def test_a_rule_that_replaces_another_or_is_put_again_counts_from_nothing() -> None:
    made = links()
    made.rules.put("a", HANG)
    made.link(HOME, "recommendations", "us-east-1").hit()
    made.rules.put("a", HANG)  # idempotent: nothing begins anew
    assert made.rules.describe("a")["hits"] == 1
    made.rules.put("a", {**HANG, "from": "home"})
    assert made.rules.describe("a")["hits"] == 0
    made.link(HOME, "recommendations", "us-east-1").hit()
    made.rules.put("a", None)
    made.rules.put("a", HANG)
    assert made.rules.describe("a")["hits"] == 0


def test_connections_are_told_of_a_change_of_their_own_link_alone() -> None:
    made = links()
    ours, other = Noted(), Noted()
    made.link(HOME, "recommendations", "us-east-1").passing.add(ours)
    made.link(ELSEWHERE, "recommendations", "us-east-1").passing.add(other)
    for _ in range(2):
        made.rules.put("r", {**HANG, "from": "home"})
    assert (ours.told, other.told) == (1, 0)
    made.rules.put("r", None)
    made.rules.put("r", None)
    assert (ours.told, other.told) == (2, 0)


def test_jitter_spreads_the_delay_to_both_sides_and_each_answer_counts() -> None:
    made = links()
    made.rules.put("r", {"action": "delay", "to": "home", "seconds": 2, "jitter": 1.5})
    link = made.link(ELSEWHERE, "home", "us-east-1")
    seen = [link.lateness() for _ in range(200)]
    assert 0.5 <= min(seen) < 1.2 < 2.8 < max(seen) <= 3.5
    assert made.rules.describe("r")["hits"] == 200


def test_a_rule_without_delay_holds_nothing_back() -> None:
    assert Link().lateness() == 0
    assert Link(rule=Rule.from_json(HANG)).lateness() == 0
