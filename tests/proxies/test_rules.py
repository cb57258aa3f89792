"""Rules of the AWS API proxy: read strictly, matched in order, counted."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rule, Rules

EAST = ApiRequest(region="us-east-1", service="dynamodb", operation="PutItem", access_key="lab-api")
WEST = ApiRequest(region="us-west-2", service="s3")
OUTAGE = {"action": "hang", "regions": ["us-east-1"]}


def decided(rules: Rules, request: ApiRequest) -> str | None:
    """The id of the rule that decides."""
    effect = rules.decide(request)
    return effect.rule if effect else None


@pytest.mark.parametrize(
    "rule",
    [
        OUTAGE,
        {"action": "refuse", "services": ["s3", "sqs"], "operations": ["ListObjectsV2"]},
        {"action": "error"},
        {"action": "error", "status": 400, "code": "AWS.SimpleQueueService.NonExistentQueue"},
        {"action": "delay", "seconds": 0.25},
        {"action": "delay", "seconds": 2, "jitter": 0.5, "probability": 0.1, "seed": 7},
        {"action": "hang", "forward": True, "callers": ["lab-home"], "first": 2},
        {"action": "reset", "after": 0, "schedule": [10, 20.5, 30], "description": "why\nnot"},
        {"action": "truncate"},
        {"action": "bandwidth", "rate": 1000},
        {"action": "throttle", "limit": 0.5, "burst": 3, "message": "slow down, {service}"},
    ],
)
def test_a_rule_reads_back_as_it_was_put(rule: dict[str, Any]) -> None:
    assert Rule.from_json(rule).to_json() == rule


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (7, "rule"),
        ({}, "action"),
        ({"action": "explode"}, "action"),
        ({"action": None}, "action"),
        ({"action": ["hang"]}, "action"),
        ({"action": "hang", "region": "us-east-1"}, "region"),
        ({"action": "hang", "regions": "us-east-1"}, "regions"),
        ({"action": "hang", "regions": []}, "regions"),
        ({"action": "hang", "services": [7]}, "services"),
        ({"action": "hang", "operations": [""]}, "operations"),
        ({"action": "hang", "operations": None}, "operations"),
        ({"action": "error", "status": 200}, "status"),
        ({"action": "error", "status": True}, "status"),
        ({"action": "error", "status": "503"}, "status"),
        ({"action": "error", "code": "a\r\nb"}, "code"),
        ({"action": "error", "code": ""}, "code"),
        ({"action": "hang", "status": 503}, "status"),
        ({"action": "refuse", "code": "X"}, "code"),
        ({"action": "error", "seconds": 1}, "seconds"),
        ({"action": "delay"}, "seconds"),
        ({"action": "delay", "seconds": -1}, "seconds"),
        ({"action": "delay", "seconds": float("nan")}, "seconds"),
        ({"action": "delay", "seconds": True}, "seconds"),
        ({"action": "delay", "seconds": "1s"}, "seconds"),
        ({"action": "delay", "seconds": 10**400}, "seconds"),
        ({"action": "delay", "seconds": float("inf")}, "seconds"),
        ({"action": "delay", "seconds": 1, "jitter": 2}, "jitter"),
        ({"action": "hang", "jitter": 1}, "jitter"),
        ({"action": "hang", "probability": 1.5}, "probability"),
        ({"action": "hang", "probability": True}, "probability"),
        ({"action": "hang", "probability": float("nan")}, "probability"),
        ({"action": "hang", "seed": 1}, "seed"),
        ({"action": "hang", "probability": 1, "seed": -1}, "seed"),
        ({"action": "hang", "probability": 1, "seed": 1.5}, "seed"),
        ({"action": "hang", "first": 0}, "first"),
        ({"action": "hang", "first": True}, "first"),
        ({"action": "hang", "schedule": 5}, "schedule"),
        ({"action": "hang", "schedule": []}, "schedule"),
        ({"action": "hang", "schedule": [5, 5]}, "schedule"),
        ({"action": "hang", "schedule": [-1]}, "schedule"),
        ({"action": "hang", "schedule": ["5s"]}, "schedule"),
        ({"action": "hang", "schedule": [float("nan"), 5]}, "schedule"),
        ({"action": "hang", "callers": "lab"}, "callers"),
        ({"action": "hang", "forward": 1}, "forward"),
        ({"action": "refuse", "forward": True}, "forward"),
        ({"action": "reset", "after": -1}, "after"),
        ({"action": "reset", "after": 5, "forward": False}, "after"),
        ({"action": "error", "after": 5}, "after"),
        ({"action": "error", "message": "a\r\nb"}, "message"),
        ({"action": "error", "message": "half a pair: \ud800"}, "message"),
        ({"action": "bandwidth"}, "rate"),
        ({"action": "bandwidth", "rate": 0}, "rate"),
        ({"action": "throttle"}, "limit"),
        ({"action": "throttle", "limit": 0}, "limit"),
        ({"action": "throttle", "limit": 1, "burst": 0}, "burst"),
        ({"action": "throttle", "limit": 1, "seconds": 1}, "seconds"),
        ({"action": "error", "description": "x" * 8193}, "description"),
    ],
)
def test_a_bad_rule_is_refused_by_the_name_of_its_field(rule: Any, field: str) -> None:
    rules = Rules()
    rules.put("r", OUTAGE)
    with pytest.raises(ValueError, match=rf"^{field}: "):
        rules.put("r", rule)
    assert rules.get("r") == Rule.from_json(OUTAGE), "what was in force must stay"


@pytest.mark.parametrize(
    ("rule", "east", "west"),
    [
        ({"action": "hang"}, True, True),
        ({"action": "hang", "regions": ["us-east-1", "eu-west-1"]}, True, False),
        ({"action": "hang", "services": ["s3"]}, False, True),
        ({"action": "hang", "regions": ["us-east-1"], "services": ["s3"]}, False, False),
        ({"action": "hang", "operations": ["PutItem"]}, True, False),
        ({"action": "hang", "callers": ["lab-home", "lab-api"]}, True, False),
        ({"action": "hang", "services": ["no-such-service"]}, False, False),
    ],
)
def test_a_rule_means_what_all_its_keys_mean(rule: Any, east: bool, west: bool) -> None:
    rules = Rules()
    rules.put("r", rule)
    assert (rules.decide(EAST) is not None) is east
    assert (rules.decide(WEST) is not None) is west


def test_a_call_of_no_region_is_in_none() -> None:
    rules = Rules()
    rules.put("r", OUTAGE)
    assert rules.decide(ApiRequest(service="s3")) is None


def test_the_rule_that_was_put_first_wins() -> None:
    rules = Rules()
    rules.put("first", {"action": "refuse", "services": ["dynamodb"]})
    rules.put("second", {"action": "hang"})
    assert [decided(rules, EAST), decided(rules, WEST)] == ["first", "second"]
    rules.put("first", {"action": "error"})  # replaced: it keeps its place
    assert decided(rules, EAST) == "first"
    rules.put("first", None)
    rules.put("first", {"action": "error"})  # put anew: it is the last
    assert decided(rules, EAST) == "second"


def test_rules_that_were_passed_are_left_out() -> None:
    rules = Rules()
    rules.put("slow", {"action": "delay", "seconds": 1})
    assert rules.decide(EAST, passed={"slow"}) is None
    assert rules.hits("slow") == 0


def test_hits_are_counted_from_the_putting_and_outlive_the_removal() -> None:
    rules = Rules()
    assert rules.hits("r") == 0
    rules.put("r", OUTAGE)
    rules.decide(EAST)
    rules.decide(WEST)
    rules.put("r", OUTAGE)  # idempotent: nothing begins anew
    assert rules.hits("r") == 1
    rules.put("r", None)
    assert rules.decide(EAST) is None
    assert rules.hits("r") == 1
    rules.put("r", OUTAGE)
    assert rules.hits("r") == 0
    rules.decide(EAST)
    rules.put("r", {"action": "refuse"})
    assert rules.hits("r") == 0, "what has met the one before has not met this one"


def test_listeners_hear_of_changes_only() -> None:
    rules, heard = Rules(), []
    rules.on_change.append(lambda: heard.append(rules.get("r")))
    rules.put("r", None)
    rules.put("r", OUTAGE)
    rules.put("r", dict(OUTAGE))
    rules.put("r", None)
    assert heard == [Rule.from_json(OUTAGE), None]


def test_all_rules_are_replaced_at_once_or_none() -> None:
    rules, heard = Rules(), []
    rules.put("old", {"action": "hang"})
    rules.put("kept", OUTAGE)
    rules.put("new", None)
    rules.decide(WEST)
    rules.on_change.append(lambda: heard.append([*rules.items()]))
    with pytest.raises(ValueError, match=r"^action: "):
        rules.replace_all({"kept": OUTAGE, "bad": {}})
    assert ([*dict(rules.items())], heard) == (["old", "kept"], [])
    rules.replace_all({"new": {"action": "refuse", "services": ["s3"]}, "kept": OUTAGE})
    assert len(heard) == 1, "nobody sees a half of it"
    assert [decided(rules, EAST), decided(rules, WEST)] == ["kept", "new"]
    rules.replace_all(dict(reversed([(name, rule.to_json()) for name, rule in rules.items()])))
    assert [*dict(rules.items())] == ["kept", "new"]
    assert len(heard) == 2, "another order is another meaning"
    assert rules.hits("kept") == 1, "what stays goes on counting"
