"""One service of a chain fails: what is pulled, and what is refused before anything is touched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.errors import InvalidInput
from chaos.faults.dependency_outage import AWS, DependencyOutage
from chaos.injection import Looker
from chaos.lab.links import Rule
from chaos.levers import Lever, Value, to_json
from chaos.proxies.rules import Rule as ApiRule
from chaos.testing import FakeEnvironment, small_lab

SERVICE = {"service": "recommendations"}


def outage(**given: Any) -> DependencyOutage:
    return DependencyOutage.model_validate({"kind": "dependency_outage", "lasts": "60s", **given})


def pulled(**given: Any) -> list[tuple[dict[str, Any], Value]]:
    """The levers that the fault pulls, as JSON, with their values."""
    seen: list[tuple[dict[str, Any], Value]] = []

    async def pull(lever: Lever, value: Value, /) -> None:
        seen.append((to_json(lever), value))

    environment = FakeEnvironment(small_lab())
    asyncio.run(outage(**given).inject(Looker(environment), pull))
    return seen


LINKS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({}, "any-to-recommendations-hang", {"action": "hang"}),
    ({"from": "home"}, "home-to-recommendations-hang", {"action": "hang", "from": "home"}),
    (
        {"from": "clients", "how": "refuse"},
        "clients-to-recommendations-refuse",
        {"action": "refuse", "from": "clients"},
    ),
    (
        {"how": "error"},
        "any-to-recommendations-error-503",
        {"action": "error", "status": 503},
    ),
    (
        {"how": "error", "status": 429, "region": "us-west-2"},
        "any-to-recommendations-error-429-us-west-2",
        {"action": "error", "status": 429, "regions": ["us-west-2"]},
    ),
    (
        {"how": "slow", "delay": "2s"},
        "any-to-recommendations-slow-2s",
        {"action": "delay", "seconds": 2.0},
    ),
    (
        {"how": "slow", "delay": "2s", "jitter": "500ms"},
        "any-to-recommendations-slow-2s-500ms",
        {"action": "delay", "seconds": 2.0, "jitter": 0.5},
    ),
]


@pytest.mark.parametrize(("given", "id_", "rule"), LINKS, ids=[case[1] for case in LINKS])
def test_a_link_of_the_lab_gets_a_rule(
    given: dict[str, Any], id_: str, rule: dict[str, Any]
) -> None:
    ((lever, value),) = pulled(**SERVICE, **given)
    assert lever == {"kind": "link_rule", "id": id_}
    assert value == {"to": "recommendations", **rule}
    assert Rule.from_json(value).to_json() == value  # as it will be read back


@pytest.mark.parametrize("how", ["hang", "refuse", "error", "slow"])
def test_a_service_of_aws_gets_a_rule_of_its_api(how: str) -> None:
    more = {"delay": "2s"} if how == "slow" else {}
    ((lever, value),) = pulled(service="dynamodb", how=how, region="us-west-2", **more)
    assert lever["kind"] == "api_rule"
    assert value["services"] == ["dynamodb"]
    assert value["regions"] == ["us-west-2"]
    assert ApiRule.from_json(value).to_json() == value


def test_a_service_of_aws_fails_for_one_service_of_the_lab_by_its_access_key() -> None:
    given = {"from": "home", "how": "slow", "delay": "2s", "jitter": "1s"}
    ((lever, value),) = pulled(service="states", operations=["SendTaskSuccess"], **given)
    assert lever == {"kind": "api_rule", "id": "home-to-states-slow-2s-1s-SendTaskSuccess"}
    assert value == {
        "action": "delay",
        "seconds": 2.0,
        "jitter": 1.0,
        "services": ["states"],
        "operations": ["SendTaskSuccess"],
        "callers": ["lab-home"],
    }
    assert ApiRule.from_json(value).to_json() == value


@pytest.mark.parametrize(
    ("given", "boto3"),
    [("states", "stepfunctions"), ("stepfunctions", "stepfunctions"), ("sqs", "sqs")],
)
def test_what_it_breaks_must_be_there(given: str, boto3: str) -> None:
    assert outage(service=given).services() == {boto3}


def test_the_services_of_aws_are_listed_once_and_in_order() -> None:
    assert sorted(set(AWS)) == AWS


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"service": "recomendations"},
            (
                "there is no service 'recomendations' here; there is home, recommendations;"
                " did you mean 'recommendations'?"
            ),
        ),
        (
            {"service": "zebra"},
            "there is no service 'zebra' here; there is home, recommendations",
        ),
        (
            {"service": "dynamo"},
            (
                "there is no service 'dynamo' here; there is home, recommendations;"
                " did you mean 'dynamodb'?"
            ),
        ),
        (
            {**SERVICE, "from": "hom"},
            (
                "there is no service 'hom' here; there is home, recommendations, clients;"
                " did you mean 'home'?"
            ),
        ),
        (
            {**SERVICE, "region": "us-east-2"},
            (
                "there is no region 'us-east-2' here; there is us-east-1, us-west-2;"
                " did you mean 'us-west-2'?"
            ),
        ),
        (
            {"service": "home", "from": "recommendations"},
            "recommendations does not call home; it calls nothing",
        ),
        (
            {"service": "home", "from": "home"},
            "home does not call home; it calls recommendations, stepfunctions",
        ),
        (
            {"service": "dynamodb", "from": "home"},
            "home does not call dynamodb; it calls recommendations, stepfunctions",
        ),
        (
            {"service": "s3", "from": "clients"},
            (
                "'from: clients' is for services of the lab; who calls s3 is known by the access"
                " keys of the lab's own services"
            ),
        ),
        (
            {**SERVICE, "operations": ["PutItem"]},
            (
                "'operations' is for services of AWS; recommendations is one of the lab: leave it"
                " out"
            ),
        ),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        pulled(**given)
    assert str(refused.value) == f"dependency_outage: {sentence}"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"status": 503}, "means nothing to 'how: hang', only to 'how: error'"),
        ({"how": "error", "delay": "1s"}, "means nothing to 'how: error', only to 'how: slow'"),
        ({"how": "refuse", "jitter": "1s"}, "means nothing to 'how: refuse', only to 'how: slow'"),
        ({"how": "slow"}, "is missing; 'how: slow' needs it, such as 2s"),
        (
            {"how": "slow", "delay": "1s", "jitter": "2s"},
            "can be at most 'delay': no answer comes before",
        ),
        ({"how": "error", "status": 200}, "greater than or equal to 400"),
        ({"how": "vanish"}, "'refuse', 'hang', 'error' or 'slow'"),
        ({"from_": "home"}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_together_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        outage(**SERVICE, **given)
    assert sentence in str(refused.value)
