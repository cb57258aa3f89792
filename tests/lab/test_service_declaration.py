"""Services, their apps and what they depend on: what fits, and every way in which it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos import schema
from chaos.errors import InvalidInput
from chaos.lab.apps import SERVERS
from chaos.lab.declaration import Lab
from chaos.lab.services import Service

SYSTEM = Path(__file__).parents[2] / "chaos" / "lab" / "systems" / "homepage.yaml"
HOMEPAGE = schema.load(SYSTEM, Lab)

Change = Callable[[dict[str, Any]], object]


def home(lab: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = lab["services"]["home"]
    return found


def on(lab: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = home(lab)["depends_on"]["recommendations"]
    return found


WRONG: list[tuple[Change, tuple[str, ...], str]] = [
    (
        lambda lab: home(lab).update(table="t"),
        ("home", "table"),
        "is for the app playback; home makes no use of it",
    ),
    (
        lambda lab: home(lab).update(table="t"),
        ("home", "table"),
        "no table 't' in this lab; there is none",
    ),
    (
        lambda lab: home(lab).update(aws_timeout="9s"),
        ("home", "aws_timeout"),
        "is for the apps encoder, playback, worker; home makes no use of it",
    ),
    (
        lambda lab: home(lab).update(elsewhere=True),
        ("home", "elsewhere"),
        "is for the app playback; home makes no use of it",
    ),
    (
        lambda lab: lab["services"]["recommendations"].update(depends_on={"home": on(lab)}),
        ("recommendations", "depends_on"),
        "is for the app home; recommendations makes no use of it",
    ),
    (
        lambda lab: home(lab).update(depends_on={}),
        ("home", "depends_on"),
        "is missing; the app home needs it",
    ),
    (
        lambda lab: home(lab).update(app="playback", depends_on={}, workers=8),
        ("home", "table"),
        "the app playback needs a table or a bucket, one of them",
    ),
    (
        lambda lab: home(lab).update(app="playback", depends_on={}, bucket="b", record="whole"),
        ("home", "record"),
        "is for a table; an object in a bucket is always the whole",
    ),
    (
        lambda lab: lab["services"]["recommendations"].update(secret={"name": "password"}),
        ("recommendations", "secret"),
        "is for the app playback; recommendations makes no use of it",
    ),
    (
        lambda lab: home(lab)["depends_on"].update(home=on(lab)),
        ("home", "depends_on"),
        "the app home calls one service, not several",
    ),
    (
        lambda lab: home(lab).update(depends_on={"home": on(lab)}),
        ("home", "depends_on", "home"),
        "home runs the app home; home calls recommendations",
    ),
    (
        lambda lab: home(lab).update(depends_on={"recommendation": on(lab)}),
        ("home", "depends_on", "recommendation"),
        "no service 'recommendation' in this lab; did you mean recommendations?",
    ),
    (
        lambda lab: on(lab).update(name="home.stream.example"),
        ("home", "depends_on", "recommendations", "name"),
        "no record home.stream.example leads to a balancer of recommendations",
    ),
    (
        lambda lab: lab["dns"]["records"].pop(),
        ("home", "depends_on", "recommendations", "name"),
        "no record recommendations.internal.stream.example leads to a balancer of recommendations",
    ),
]


@pytest.mark.parametrize(("change", "place", "sentence"), WRONG, ids=[w[2][:60] for w in WRONG])
def test_what_does_not_fit_is_told_with_its_place(
    change: Change, place: tuple[str, ...], sentence: str
) -> None:
    declared = HOMEPAGE.model_dump(mode="json")
    change(declared)
    with pytest.raises(ValidationError) as refused:
        Lab.model_validate(declared)
    found = [(error["loc"], error["msg"]) for error in refused.value.errors()]
    assert (("services", *place), sentence) in found


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("timeout: 1500ms", "timeout: soon", "services.home.depends_on.recommendations.timeout: "),
        ("failures: 3", "failures: 0", "recommendations.breaker.failures: "),
        ("stale: true", "stale: maybe", "recommendations.resolver.stale: "),
        ("fallback: true", "fall_back: true", "did you mean 'fallback'?"),
        ("app: home", "app: hom", "did you mean 'home'?"),
    ],
)
def test_what_is_misspelt_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = tmp_path / "lab.yaml"
    text = SYSTEM.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(InvalidInput) as refused:
        schema.load(path, Lab)
    assert sentence in str(refused.value)


def test_a_declaration_survives_the_way_to_the_labs_process() -> None:
    assert Lab.model_validate(HOMEPAGE.model_dump(mode="json")) == HOMEPAGE


def test_without_being_told_a_dependency_is_called_as_carelessly_as_most_are() -> None:
    service = Service.model_validate(
        {"app": "home", "depends_on": {"recommendations": {"name": "r.example"}}}
    )
    careless = service.depends_on["recommendations"]
    assert (careless.timeout, careless.breaker, careless.fallback) == (None, None, False)
    assert (careless.resolver.timeout, careless.resolver.stale) == (5, False)


def test_every_app_that_can_be_declared_has_a_program() -> None:
    declared = Lab.model_json_schema()["$defs"]["Service"]["properties"]["app"]["enum"]
    assert {*declared} == {*SERVERS}
