"""Rules of the AWS API proxy as people write them: in a line, as JSON, in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.cli.rule_file import read_rules
from chaos.cli.rule_shown import shown_rule
from chaos.cli.rule_text import read_rule
from chaos.errors import InvalidInput

RULES: list[tuple[str, dict[str, Any]]] = [
    (
        "dynamodb.PutItem in us-east-1: error 500 SomethingWentWrong p=0.3 first=10",
        {
            "action": "error",
            "services": ["dynamodb"],
            "operations": ["PutItem"],
            "regions": ["us-east-1"],
            "status": 500,
            "code": "SomethingWentWrong",
            "probability": 0.3,
            "first": 10,
        },
    ),
    (
        "s3,sqs: delay 2s jitter=500ms p=0.5 seed=7",
        {
            "action": "delay",
            "services": ["s3", "sqs"],
            "seconds": 2.0,
            "jitter": 0.5,
            "probability": 0.5,
            "seed": 7,
        },
    ),
    ("hang", {"action": "hang"}),
    ("in eu-west-1,eu-west-2: refuse", {"action": "refuse", "regions": ["eu-west-1", "eu-west-2"]}),
    (
        "*.GetItem,PutItem: reset 100B",
        {"action": "reset", "operations": ["GetItem", "PutItem"], "after": 100},
    ),
    (
        "cloudwatch: throttle 2.5/s burst=5",
        {"action": "throttle", "services": ["cloudwatch"], "limit": 2.5, "burst": 5},
    ),
    (
        "s3.ListObjectsV2: bandwidth 100KB/s",
        {"action": "bandwidth", "services": ["s3"], "operations": ["ListObjectsV2"], "rate": 1e5},
    ),
    (
        "s3: truncate 1.5MB callers=a,b",
        {"action": "truncate", "services": ["s3"], "after": 1_500_000, "callers": ["a", "b"]},
    ),
    ("s3: error SlowDown", {"action": "error", "services": ["s3"], "code": "SlowDown"}),
    (
        "sqs: error 400 AWS.SimpleQueueService.NonExistentQueue 'message=it: gone' forward",
        {
            "action": "error",
            "services": ["sqs"],
            "status": 400,
            "code": "AWS.SimpleQueueService.NonExistentQueue",
            "message": "it: gone",
            "forward": True,
        },
    ),
    (
        "hang during=10s-40s,1m-",
        {"action": "hang", "schedule": [10.0, 40.0, 60.0]},
    ),
]


@pytest.mark.parametrize(("text", "rule"), RULES, ids=[text for text, _ in RULES])
def test_a_line_is_a_rule_and_a_rule_a_line(text: str, rule: dict[str, Any]) -> None:
    assert read_rule(text) == rule
    assert read_rule(json.dumps(rule)) == rule
    assert read_rule(shown_rule(rule)) == rule


@pytest.mark.parametrize("shown", ["hang", "s3: delay 2s", "s3 in us-east-1: throttle 5/s p=0.5"])
def test_what_is_shown_is_what_was_written(shown: str) -> None:
    assert shown_rule(read_rule(shown)) == shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is no action; there is error, delay"),
        ("s3: hung", "'hung' is no action; did you mean 'hang'?"),
        ("s3 hang", "'s3' is no action; there is"),
        ("s33: hang", "services: 's33' is no service of AWS; did you mean 's3'?"),
        ("dynamodb.putitem: hang", "is no operation of dynamodb; did you mean 'PutItem'?"),
        ('{"action": "hang", "services": ["dynamdb"]}', "did you mean 'dynamodb'?"),
        ("s3: delay", "by: missing; 'delay' needs it, such as 200ms"),
        ("s3: error first", "'first' has no value; write it as first=VALUE"),
        ("s3: delay soon", "by: 'soon' is no duration; write 250ms"),
        ("s3: error 200", "status: must be a number from 400 to 599, not 200"),
        ("s3: error 500 X Y", "'Y' means nothing behind 'error'"),
        ("s3: hang by=3s", "by: means nothing to 'hang', only to 'delay'"),
        ("s3: hang speed=3", "'speed' is not known here; there is status, code"),
        ("s3: hang first=1 first=2", "first: is given twice"),
        ("s3: hang p=half", "p: 'half' is no number"),
        ("s3: reset 4KB/s", "after: '4KB/s' is no size; write it as 100KB"),
        ("s3: bandwidth fast", "rate: 'fast' is no size; write it as 100KB/s"),
        ("s3: hang during=4s", "during: '4s' says no times; write it as 10s-40s,60s-"),
        ("s3: hang during=4s-2s", "during: must be a list of seconds, each later"),
        ("s3,sqs.SendMessage: hang", "operations are of one service; give a rule for each"),
        ("s3 at home: hang", "'s3 at home' does not say which calls; write it as 'dynamodb."),
        ("s3: 'hang", "No closing quotation"),
        ("*.GetObjekt: hang", "operations: 'GetObjekt' is no operation of any service; did you"),
        ('{"action": "hang"', "Expecting"),
        ('{"action": "hang", "action": "error"}', "action: is given twice"),
        ('{"action": "hang", "description": "\\ud800"}', "description: must be a text of 8192"),
        ('{"action": "hang", "region": "x"}', "region: unknown; a rule has action, regions"),
    ],
)
def test_what_is_no_rule_is_told_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_rule(text)
    (problem,) = raised.value.problems
    assert problem.startswith(f"--rule {text!r}: ")
    assert says in problem


@pytest.mark.parametrize(
    "text",
    [
        "- 's3: delay 2s'\n- action: hang\n  services: [sqs]\n  probability: 0.5\n  first: 3\n",
        (
            '["s3: delay 2s",\n {"action": "hang", "services": ["sqs"],\n'
            ' "probability": 0.5, "first": 3}]'
        ),
    ],
    ids=["yaml", "json"],
)
def test_a_file_has_rules_behind_those_given_one_by_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    assert read_rules(["hang"], file) == {
        "1": {"action": "hang"},
        "2": {"action": "delay", "services": ["s3"], "seconds": 2.0},
        "3": {"action": "hang", "services": ["sqs"], "probability": 0.5, "first": 3},
    }


def test_all_problems_are_told_each_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("- 's3: hung'\n- hang\n- action: delay\n- 7\n")
    with pytest.raises(InvalidInput) as raised:
        read_rules(["nope", "hang"], file)
    first, *rest = raised.value.problems
    assert first.startswith("--rule 'nope': 'nope' is no action")
    assert [problem.partition(" ")[0] for problem in rest] == [
        f"{file}:{line}:3:" for line in (1, 3, 4)
    ]
    assert "[2]: seconds: missing; 'delay' needs it" in rest[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: []\n", "rules.yaml:1:1: rules: must be a list"),
        ("[", "a key or a value is missing"),
    ],
)
def test_a_file_that_holds_no_list_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=says):
        read_rules([], file)
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        read_rules([], tmp_path / "none.yaml")
