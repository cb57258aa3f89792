"""Declarations of labs: the shipped one, and every way of being wrong with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from chaos import schema
from chaos.errors import InvalidInput
from chaos.lab.declaration import Lab

SYSTEMS = Path(__file__).parents[2] / "chaos" / "lab" / "systems"
STREAMING = schema.load(SYSTEMS / "streaming.yaml", Lab)


@pytest.mark.parametrize("path", sorted(SYSTEMS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_system_is_named_like_its_file(path: Path) -> None:
    assert schema.load(path, Lab).name == path.stem


def test_a_declaration_survives_the_way_to_the_labs_process() -> None:
    assert Lab.model_validate(STREAMING.model_dump(mode="json")) == STREAMING
    assert Lab.model_validate_json(STREAMING.model_dump_json()) == STREAMING


def test_the_shipped_system_is_what_the_documentation_says() -> None:
    assert STREAMING.timing.boot == 25
    assert STREAMING.timing.detection == 15
    assert STREAMING.tables["viewing-history"].lag == 0.8
    assert [record.failover for record in STREAMING.dns.records[:2]] == ["primary", "secondary"]


Change = Callable[[dict[str, Any]], object]

WRONG: list[tuple[Change, tuple[object, ...], str]] = [
    (
        lambda lab: lab["regions"].update({"us-east-1": []}),
        ("regions", "us-east-1"),
        "a region needs a zone, such as us-east-1a",
    ),
    (
        lambda lab: lab["regions"].update({"us-east-1": ["us-east-1a", "us-east-1a"]}),
        ("regions", "us-east-1"),
        "a zone is listed twice",
    ),
    (
        lambda lab: lab["regions"].update({"us-east-1": ["us-west-2a"]}),
        ("regions", "us-east-1", 0),
        "a zone of us-east-1 is named like us-east-1a, not 'us-west-2a'",
    ),
    (
        lambda lab: lab["services"]["playback"]["balancer"].update(timeout="5s"),
        ("services", "playback", "balancer"),
        "the timeout must be shorter than the interval",
    ),
    (
        lambda lab: lab["services"]["playback"].update(tags={"service": "x"}),
        ("services", "playback", "tags"),
        "'service' and 'aws:…' are set by the lab",
    ),
    (
        lambda lab: lab["services"]["playback"].update(table="viewing-histori"),
        ("services", "playback", "table"),
        "no table 'viewing-histori' in this lab; did you mean viewing-history?",
    ),
    (
        lambda lab: lab["tables"]["viewing-history"].update(regions=["us-east-1"]),
        ("services", "playback", "table"),
        "viewing-history has no replica in us-west-2",
    ),
    (
        lambda lab: lab["tables"]["viewing-history"]["regions"].append("eu-west-1"),
        ("tables", "viewing-history", "regions", 2),
        "no region 'eu-west-1' in this lab; did you mean us-west-2?",
    ),
    (
        lambda lab: lab["tables"]["viewing-history"]["regions"].append("us-east-1"),
        ("tables", "viewing-history", "regions"),
        "a region is listed twice",
    ),
    (
        lambda lab: lab["tables"]["viewing-history"]["items"].append({"profile": "x"}),
        ("tables", "viewing-history", "items", 2),
        "has no 'watched', which is a key of the table",
    ),
    (
        lambda lab: lab["dns"].update(viewer_region="ap-south-1"),
        ("dns", "viewer_region"),
        "no region 'ap-south-1' in this lab; there is us-east-1, us-west-2",
    ),
    (
        lambda lab: lab["dns"].update(zone="other.example"),
        ("dns", "records", 0, "name"),
        "api.stream.example is not in the zone other.example",
    ),
    (
        lambda lab: lab["dns"]["records"][2].update(ttl="1500ms"),
        ("dns", "records", 2, "ttl"),
        "a TTL is a whole number of seconds",
    ),
    (
        lambda lab: lab["dns"]["records"][2].update(values=["192.0.2.1"]),
        ("dns", "records", 2),
        "give either balancer or values",
    ),
    (
        lambda lab: lab["dns"]["records"][0].update(
            balancer=None, values=["192.0.2.1", "192.0.2.2"]
        ),
        ("dns", "records", 0, "health_check"),
        "looks at one address, not at 2",
    ),
    (
        lambda lab: lab["dns"]["records"][2].update(balancer=None, values=["::1"]),
        ("dns", "records", 2, "values"),
        "'::1' is no IPv4 address",
    ),
    (
        lambda lab: lab["dns"]["records"][2]["balancer"].update(region="us-west-1"),
        ("dns", "records", 2, "balancer", "region"),
        "no region 'us-west-1' in this lab; did you mean us-west-2?",
    ),
    (
        lambda lab: lab["dns"]["records"][2]["balancer"].update(service="search"),
        ("dns", "records", 2, "balancer", "service"),
        "no service 'search' in this lab; there is playback",
    ),
    (
        lambda lab: lab["services"]["playback"].pop("balancer"),
        ("dns", "records", 0, "balancer", "service"),
        "the service playback has no balancer",
    ),
    (
        lambda lab: lab["dns"]["records"][1].update(failover="primary"),
        ("dns", "records"),
        "the 2 records of api.stream.example are no failover pair",
    ),
]


@pytest.mark.parametrize(("change", "place", "sentence"), WRONG, ids=[w[2][:40] for w in WRONG])
def test_parts_that_do_not_fit_each_other_are_told_with_their_place(
    change: Change, place: tuple[object, ...], sentence: str
) -> None:
    declared = STREAMING.model_dump(mode="json")
    change(declared)
    with pytest.raises(ValidationError) as refused:
        Lab.model_validate(declared)
    assert (place, sentence) in [(e["loc"], e["msg"]) for e in refused.value.errors()]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = (SYSTEMS / "streaming.yaml").read_text()
    path = tmp_path / "bad.yaml"
    path.write_text(text.replace("table: viewing", "table: x").replace("us-west-2b", "b"))
    with pytest.raises(InvalidInput) as refused:
        schema.load(path, Lab)
    assert [line.split(": ", 1)[1] for line in refused.value.problems] == [
        "regions.us-west-2[1]: a zone of us-west-2 is named like us-west-2a, not 'b'",
        "services.playback.table: no table 'x-history' in this lab; did you mean viewing-history?",
    ]


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all that it is made of."""
    yield model
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models(part)


@pytest.mark.parametrize("model", [*models(Lab)], ids=lambda model: model.__name__)
def test_every_key_is_documented(model: type[BaseModel]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "lab.md").read_text()
    for name in model.model_fields:
        assert f"`{name}`" in text, f"docs/lab.md does not tell of {model.__name__}.{name}"
