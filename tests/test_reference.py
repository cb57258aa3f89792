"""Kinds are described by their own classes, wholly and in the words of those who write files."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from installed_package import installed
from pydantic import BaseModel, Field

from chaos import reference, schema
from chaos.experiment import Experiment
from chaos.experiment.percentages import Percentage
from chaos.reference import FAMILIES, Kind, Parameter, parameters
from chaos.reference import Family as FamilyName
from probes.durations import Duration

EVERY: list[tuple[FamilyName, str]] = [
    (family, kind) for family in FAMILIES for kind in FAMILIES[family].table()
]
PROBE = """\
  seen:
    kind: http
    url: http://api.stream.example/playback
"""
FAULT = """\
  - kind: region_outage
    region: us-east-1
    lasts: 60s
"""


def experiment(kind: Kind) -> str:
    """The least that makes a whole experiment of the kind's example."""
    probes, faults, extra = PROBE, FAULT, ""
    if kind.family == "probe":
        probes += textwrap.indent(kind.example, "  ") + "\n"
    else:
        faults = textwrap.indent(kind.example, "  ") + "\n"
        extra = f"allow_irreversible: [{', '.join(kind.to_allow)}]\n"
    extra += "steady_state: {for: 1m, within: 10m}\n"
    objectives = "objectives:\n  seen: {availability: 1%}\n"
    return f"name: example\nprobes:\n{probes}faults:\n{faults}{extra}{objectives}"


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_every_kind_says_what_it_does(family: FamilyName, name: str) -> None:
    kind = reference.describe(family, name)
    first, _, rest = kind.text.partition("\n")
    assert kind.summary
    assert len(kind.summary) <= 90
    assert first.endswith((".", ":")), f"{name}: the first line is a sentence of its own"
    assert rest == "" or rest.startswith("\n"), f"{name}: a blank line below the first"
    assert kind.text.count("`") % 2 == 0


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_every_parameter_says_what_it_is(family: FamilyName, name: str) -> None:
    kind = reference.describe(family, name)
    for parameter in (*kind.parameters, *kind.common):
        assert parameter.description, f"{name}.{parameter.name} has no description"
        assert parameter.description.count("`") % 2 == 0
        assert parameter.type


@pytest.mark.parametrize(("family", "name"), [pair for pair in EVERY if pair[0] != "lever"])
def test_every_example_is_right(family: FamilyName, name: str) -> None:
    kind = reference.describe(family, name)
    assert f"kind: {name}" in kind.example
    found = schema.loads(experiment(kind).encode(), Experiment, "example.yaml")
    kinds = {p.kind for p in found.probes.values()} | {f.kind for f in found.faults}
    assert name in kinds


@pytest.mark.parametrize("name", FAMILIES["fault"].table())
def test_every_fault_pulls_a_lever(name: str) -> None:
    kind = reference.describe("fault", name)
    assert kind.levers
    assert set(kind.levers) <= set(reference.names("lever"))


def test_what_cannot_be_put_back_is_told_with_what_to_allow() -> None:
    fault, lever = reference.find("instance_termination")
    assert (fault.family, lever.family) == ("fault", "lever")
    assert fault.to_allow == lever.to_allow == ("instance_termination",)
    assert "lasts" not in {p.name for p in fault.common}
    (outage,) = reference.find("region_outage")
    assert not outage.to_allow
    assert next(p for p in outage.common if p.name == "lasts").required


def test_levers_are_those_that_the_file_of_the_fault_pulls() -> None:
    (outage,) = reference.find("region_outage")
    in_a_lab = {"api_rule", "reachability", "replication"}
    assert set(outage.levers) == in_a_lab | {
        "autoscaling_process",
        "bucket_replication",
        "endpoint_access",
        "endpoint_policy",
        "subnet_acl",
        "table_replication",
    }
    assert outage.fidelity == {"embedded": "lab", "localstack": "lab", "aws": "real"}
    (zone,) = reference.find("zone_outage")
    assert "database_failover" in zone.levers
    assert not zone.to_allow  # only when it is asked to fail over


def test_nothing_has_a_name_that_is_not_there() -> None:
    assert reference.find("meteor") == []
    with pytest.raises(KeyError):
        reference.describe("fault", "meteor")


def test_kinds_of_installed_packages_are_described_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(tmp_path, monkeypatch):
        (kind,) = reference.find("acme_unplug")
        broken = next(k for k in reference.kinds("fault") if k.kind == "acme_broken")
    assert (kind.package, kind.text) == (
        "acme-chaos 1.2",
        "Pulls a plug.\n\nThe whole rack is dark.",
    )
    inert = dict.fromkeys(("embedded", "localstack", "aws"), "unsupported")
    assert kind.fidelity == inert
    assert kind.parameters[0].limits == "at least 1"
    assert "cannot be loaded" in broken.problem
    assert broken.package == "acme-chaos 1.2"


class Inner(BaseModel):
    """Within another."""

    depth: int = Field(default=2, description="how deep")
    key: str


class Strange:
    """What JSON Schema has no words for."""


class Everything(BaseModel):
    """One of each."""

    model_config: ClassVar = {"arbitrary_types_allowed": True}

    kind: Literal["everything"]
    wait: Duration = Field(default=90.0, ge=0.25, le=3600)
    given: Duration | None = Field(default=None, gt=0)
    share: Percentage = 0.4
    choice: Literal["a", "b", "c"] = "b"
    texts: tuple[str, ...] = Field(default=("x", "y"), min_length=1)
    either: int | str = 5
    tags: dict[str, str] = Field(default_factory=lambda: {"a": "b"})
    flag: bool = False
    empty: str = ""
    word: Annotated[str, Field(min_length=2, max_length=9)] = "word"
    json_: object = Field(default=None, alias="json")
    strange: Strange | None = None
    inner: Inner
    several: list[Inner] = Field(default_factory=list)
    named: dict[str, Inner] = Field(default_factory=dict)
    perhaps: Inner | None = None


@pytest.mark.parametrize(
    ("name", "type_", "limits", "default"),
    [
        ("kind", "`everything`", "", None),
        ("wait", "duration", "250ms to 1h", "90s"),
        ("given", "duration", "above 0s", None),
        ("share", "percentage", "", "40%"),
        ("choice", "`a`, `b` or `c`", "", "b"),
        ("texts", "list of text", "at least one entry", "[x, y]"),
        ("either", "whole number or text", "", "5"),
        ("tags", "mapping of names to text", "", "{a: b}"),
        ("flag", "`true` or `false`", "", "false"),
        ("empty", "text", "", '""'),
        ("word", "text", "2 to 9 characters", "word"),
        ("json", "anything", "", None),
        ("strange", "anything", "", None),
        ("inner.depth", "whole number", "", "2"),
        ("several[].key", "text", "", None),
        ("named.NAME.key", "text", "", None),
        ("perhaps.key", "text", "", None),
    ],
)
def test_types_limits_and_defaults_are_in_plain_words(
    name: str, type_: str, limits: str, default: str | None
) -> None:
    (found,) = [p for p in parameters(Everything) if p.name == name]
    assert (found.type, found.limits, found.default) == (type_, limits, default)


def test_what_is_within_something_optional_is_not_required_but_by_each_entry_of_it() -> None:
    required = {p.name for p in parameters(Everything) if p.required}
    assert required == {"kind", "inner.key", "several[].key", "named.NAME.key"}


def test_only_what_differs_from_the_base_is_a_kinds_own() -> None:
    class Slower(Inner):
        depth: int = Field(default=9, description="how deep")

    assert parameters(Slower, but=Inner) == [
        Parameter(
            name="depth",
            type="whole number",
            required=False,
            default="9",
            description="how deep",
        )
    ]


def test_a_place_in_a_file_is_found_by_its_path() -> None:
    data = b"name: x\nfaults:\n  - kind: a\n  - kind: b\n    at: 1s\n"
    assert schema.place(data, ("faults", 1)) == (4, 5)
    assert schema.place(data, ("faults", 1, "at")) == (5, 5)
    assert schema.place(data, ("faults", 1, "none", "below")) == (4, 5)
    assert schema.place(data, ("name", 0)) == (1, 1)
    assert schema.place(b": {", ("name",)) == (1, 1)
