"""When a rule of the AWS API proxy decides, and what it decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from chaos.loops import run_virtual
from chaos.proxies.effect import Effect
from chaos.proxies.request import ApiRequest
from chaos.proxies.rules import Rules

CALL = ApiRequest(region="us-east-1", service="dynamodb", operation="PutItem")


def rules(*given: dict[str, Any]) -> Rules:
    made = Rules()
    made.replace_all({str(number): rule for number, rule in enumerate(given, 1)})
    return made


def only(made: Rules) -> Effect | None:
    return made.decide(CALL)


def pattern(effects: Iterable[Effect | None]) -> str:
    """`x` for each call that a rule decided, `.` for each that passed."""
    return "".join("." if effect is None else "x" for effect in effects)


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        ({"action": "hang"}, {"action": "hang"}),
        ({"action": "hang", "forward": True}, {"action": "hang", "forward": True}),
        ({"action": "refuse"}, {"action": "refuse"}),
        ({"action": "delay", "seconds": 2}, {"delay": 2.0}),
        ({"action": "bandwidth", "rate": 9}, {"rate": 9.0}),
        ({"action": "reset"}, {"action": "reset"}),
        ({"action": "reset", "forward": True}, {"action": "reset", "forward": True}),
        (
            {"action": "reset", "after": 0},
            {"action": "reset", "forward": True},
        ),
        ({"action": "truncate", "after": 7}, {"action": "truncate", "forward": True, "after": 7}),
        (
            {"action": "error"},
            {"action": "error", "status": 503, "code": "ServiceUnavailable"},
        ),
        (
            {"action": "error", "status": 400, "code": "A.B", "message": "no {service}"},
            {"action": "error", "status": 400, "code": "A.B", "message": "no dynamodb"},
        ),
    ],
)
def test_a_rule_has_the_effect_that_it_says(rule: dict[str, Any], effect: dict[str, Any]) -> None:
    assert only(rules(rule)) == Effect(rule="1", **effect)


@pytest.mark.parametrize("name", ["cloudwatch", "monitoring", "CloudWatch"])
def test_a_service_may_have_any_of_its_names(name: str) -> None:
    made = rules({"action": "hang", "services": [name]})
    assert made.decide(ApiRequest(service="monitoring"))
    assert not made.decide(CALL)


def test_a_seed_repeats_what_chance_has_done() -> None:
    rule = {"action": "hang", "probability": 0.3, "seed": 7}
    one, again = rules(rule), rules(rule)
    drawn = pattern(only(one) for _ in range(200))
    assert drawn == pattern(only(again) for _ in range(200))
    assert 40 < drawn.count("x") < 80
    other = rules({**rule, "seed": 8})
    assert drawn != pattern(only(other) for _ in range(200))


def test_without_a_seed_each_rule_has_one_of_its_own_and_tells_it() -> None:
    rule = {"action": "hang", "probability": 0.5}
    first, second = rules(rule), rules(rule)
    (one,), (other,) = first.armed(), second.armed()
    assert one.seed != other.seed
    again = rules({**rule, "seed": one.seed})
    drawn = pattern(only(first) for _ in range(99))
    assert drawn == pattern(only(again) for _ in range(99))
    assert drawn != pattern(only(second) for _ in range(99))


@pytest.mark.parametrize(("probability", "expected"), [(0, "....."), (1, "xxxxx")])
def test_the_ends_of_probability_are_certain(probability: int, expected: str) -> None:
    made = rules({"action": "hang", "probability": probability})
    assert pattern(only(made) for _ in range(5)) == expected


def test_jitter_stays_around_the_delay() -> None:
    made = rules({"action": "delay", "seconds": 2, "jitter": 0.5, "seed": 1})
    delays = [effect.delay for _ in range(200) if (effect := only(made))]
    assert len(delays) == 200
    assert 1.5 <= min(delays) < 1.6 < 2.4 < max(delays) <= 2.5


def test_a_rule_that_lets_a_call_through_leaves_it_to_the_next() -> None:
    made = rules(
        {"action": "hang", "probability": 0},
        {"action": "refuse", "first": 1},
        {"action": "reset"},
    )
    assert [e.action if (e := only(made)) else None for _ in range(2)] == ["refuse", "reset"]
    assert [(one.matched, made.hits(one.id)) for one in made.armed()] == [(2, 0), (2, 1), (1, 1)]


def test_the_first_calls_are_the_first_that_match() -> None:
    made = rules({"action": "hang", "services": ["dynamodb"], "first": 2})
    assert made.decide(ApiRequest(service="s3")) is None
    assert pattern(only(made) for _ in range(5)) == "xx..."
    assert made.in_force("1"), "what it holds stays held"


def test_a_delayed_call_asks_only_the_rules_behind() -> None:
    made = rules(
        {"action": "error", "probability": 0.5, "seed": 1},
        {"action": "delay", "seconds": 1},
        {"action": "delay", "seconds": 2},
        {"action": "refuse"},
    )
    while (effect := only(made)) is None or effect.action == "error":
        pass
    first, *_ = made.armed()
    drawn = first.matched
    assert effect.rule == "2"
    assert [e.rule if (e := made.decide(CALL, p)) else None for p in ({"2"}, {"2", "3"})] == [
        "3",
        "4",
    ]
    assert made.decide(CALL, {"2", "3", "4"}) is None
    assert first.matched == drawn, "what it drew for this call stands"


def test_a_schedule_counts_from_the_putting() -> None:
    async def test() -> str:
        await asyncio.sleep(100)
        made = rules({"action": "hang", "schedule": [2, 4, 6]})
        seen = []
        for _ in range(8):
            seen.append(only(made))
            await asyncio.sleep(1)
        return pattern(seen)

    assert run_virtual(test()) == "..xx..xx"


def test_who_holds_a_call_hears_when_its_rule_goes_off() -> None:
    async def test() -> list[tuple[float, bool]]:
        loop = asyncio.get_running_loop()
        made, heard = Rules(), list[tuple[float, bool]]()
        began = loop.time()
        made.put("r", {"action": "hang", "schedule": [0, 5, 7, 9]})
        made.put("gone", {"action": "hang", "schedule": [0, 8]})
        made.on_change.append(
            lambda: heard.append((round(loop.time() - began, 1), bool(made.in_force("r"))))
        )
        await asyncio.sleep(6)
        made.put("gone", None)
        await asyncio.sleep(60)
        return heard

    assert run_virtual(test()) == [(5.0, False), (6.0, False), (9.0, False)]


def test_throttling_lets_a_burst_through_and_then_the_rate() -> None:
    async def test() -> str:
        made = rules({"action": "throttle", "limit": 2, "burst": 3})
        seen = [only(made) for _ in range(5)]
        for _ in range(4):
            await asyncio.sleep(0.5)
            seen += [only(made), only(made)]
        await asyncio.sleep(3600)
        return pattern([*seen, *(only(made) for _ in range(4))])

    assert run_virtual(test()) == "...xx" + ".x" * 4 + "...x"


def test_a_slow_limit_lets_one_call_through_at_once() -> None:
    async def test() -> str:
        made = rules({"action": "throttle", "limit": 0.1})
        return pattern([only(made), only(made)])

    assert run_virtual(test()) == ".x"


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [
        ("dynamodb", 400, "ProvisionedThroughputExceededException"),
        ("ec2", 503, "RequestLimitExceeded"),
        ("s3", 503, "SlowDown"),
        ("lambda", 429, "TooManyRequestsException"),
        ("sts", 400, "Throttling"),
        ("states", 400, "ThrottlingException"),
        (None, 400, "ThrottlingException"),
    ],
)
def test_a_throttled_call_hears_its_service(service: str | None, status: int, code: str) -> None:
    async def test(**more: Any) -> Effect | None:
        made = rules({"action": "throttle", "limit": 1, **more})
        made.decide(ApiRequest(service=service))
        return made.decide(ApiRequest(service=service))

    assert run_virtual(test()) == Effect(rule="1", action="error", status=status, code=code)
    effect = run_virtual(test(status=418, code="Mine"))
    assert effect is not None
    assert (effect.status, effect.code) == (418, "Mine")
