"""Each guard, refused and passed, on facts that are made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from guard_cases import CASES, MANY, WEEK
from guarded import NOW, facts, instance, own, policy, pull, refused

from chaos.safety.facts import Facts, Source
from chaos.safety.guards import GUARDS, judged


@pytest.mark.parametrize(("name", "passes", "_refused", "_said"), CASES)
def test_it_lets_pass(name: str, passes: tuple[Facts, Source], _refused: Any, _said: str) -> None:
    assert name not in refused(*passes)


@pytest.mark.parametrize(("name", "_passes", "wrong", "said"), CASES)
def test_it_refuses(name: str, _passes: Any, wrong: tuple[Facts, Source], said: str) -> None:
    told = refused(*wrong)
    assert said in "\n".join(told.get(name, ())), told


def test_every_guard_has_its_cases() -> None:
    assert {name for name, *_ in CASES} == set(GUARDS)


def test_an_action_of_fis_that_nothing_puts_back_is_a_termination() -> None:
    actions = {"kill": {"actionId": "aws:ec2:terminate-instances"}}
    lever = {"kind": "fis_experiment", "definition": {"actions": actions}}
    assert "terminations" in refused(facts(pull(instance(), lever=lever)))
    stop = {"kill": {"actionId": "aws:ec2:reboot-instances"}}
    lever = {"kind": "fis_experiment", "definition": {"actions": stop}}
    assert refused(facts(pull(instance(), lever=lever))) == {}


def test_several_are_told_in_one_sentence() -> None:
    (said,) = refused(facts(pull(*MANY)), policy(require_tags={"a": "b"}))["required tags"]
    assert said.startswith(
        "ec2:subnet subnet-0 in us-east-1, ec2:subnet subnet-1 in us-east-1, ec2:subnet subnet-2"
        " in us-east-1 and 8 more are without the tag a=b"
    )


def test_what_holds_says_by_which_rules() -> None:
    told = {r.name: r.said for r in judged(facts(pull(*MANY[:2])), [own(), policy(regions=())])}
    assert told["limit of a fault"] == "2 hit; at most 10, and 50% of a type in a region"
    assert told["hours"] == "held"
    (hours,) = [r.said for r in judged(facts(), [own(), policy(hours=[WEEK])]) if r.name == "hours"]
    assert hours == "held: hours of chaos.toml"


def test_a_window_is_as_long_as_the_day_on_which_clocks_change() -> None:
    """On 29 March 2026 there is no 02:30 in Berlin, and 04:00 is two hours after 01:00."""
    rules = policy(hours=[{"from": "01:00", "to": "04:00", "zone": "Europe/Berlin"}])
    now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert "hours" not in refused(facts(now=now, ends=now + timedelta(minutes=90)), rules)
    assert "hours" in refused(facts(now=now, ends=now + timedelta(minutes=91)), rules)


def test_nothing_planned_is_within_every_limit() -> None:
    assert refused(facts(now=NOW)) == {}
