"""Rules of the AWS API proxy: read strictly, matched in order, counted."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rule, Rules

EAST = ApiRequest(region="us-east-1", service="dynamodb", operation="PutItem")
WEST = ApiRequest(region="us-west-2", service="s3")
OUTAGE = {"action": "hang", "regions": ["us-east-1"]}


@pytest.mark.parametrize(
    "rule",
    [
        OUTAGE,
        {"action": "refuse", "services": ["s3", "sqs"], "operations": ["ListObjectsV2"]},
        {"action": "error"},
        {"action": "error", "status": 400, "code": "AWS.SimpleQueueService.NonExistentQueue"},
        {"action": "delay", "seconds": 0.25},
    ],
)
def test_a_rule_reads_back_as_it_was_put(rule: dict[str, Any]) -> None:
    rules = Rules()
    rules.put("r", rule)
    found = rules.get("r")
    assert found is not None
    assert found.to_json() == rule


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
    ],
)
def test_a_rule_means_what_all_its_keys_mean(rule: Any, east: bool, west: bool) -> None:
    assert Rule.from_json(rule).matches(EAST) is east
    assert Rule.from_json(rule).matches(WEST) is west


def test_a_call_of_no_region_is_in_none() -> None:
    assert not Rule.from_json(OUTAGE).matches(ApiRequest(service="s3"))


def test_the_rule_that_was_put_first_wins() -> None:
    rules = Rules()
    rules.put("first", {"action": "refuse", "services": ["dynamodb"]})
    rules.put("second", {"action": "hang"})
    assert [rules.match(EAST), rules.match(WEST)] == [
        ("first", rules.get("first")),
        ("second", rules.get("second")),
    ]
    rules.put("first", {"action": "error"})  # replaced: it keeps its place
    assert rules.match(EAST) == ("first", rules.get("first"))
    rules.put("first", None)
    rules.put("first", {"action": "error"})  # put anew: it is the last
    assert rules.match(EAST) == ("second", rules.get("second"))


def test_rules_that_were_passed_are_left_out() -> None:
    rules = Rules()
    rules.put("slow", {"action": "delay", "seconds": 1})
    assert rules.match(EAST, passed={"slow"}) is None
    assert rules.hits("slow") == 0


def test_hits_are_counted_from_the_putting_and_outlive_the_removal() -> None:
    rules = Rules()
    assert rules.hits("r") == 0
    rules.put("r", OUTAGE)
    rules.match(EAST)
    rules.match(WEST)
    rules.put("r", OUTAGE)  # idempotent: nothing begins anew
    assert rules.hits("r") == 1
    rules.put("r", None)
    assert rules.match(EAST) is None
    assert rules.hits("r") == 1
    rules.put("r", OUTAGE)
    assert rules.hits("r") == 0
    rules.match(EAST)
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
