"""What an experiment says of one environment: what stands in there, and what is different."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chaos.cli.validate import command as validate
from chaos.errors import InvalidInput, Located
from chaos.experiment import Experiment, load, load_lab
from chaos.faults import KINDS as FAULTS
from probes import KINDS as PROBES
from probes.dynamodb_ledger import DynamodbLedger
from probes.http import Http

TEXT = """\
name: drill
probes:
  playback: {kind: http, url: "http://api.stream.example/playback"}
  history: {kind: dynamodb_ledger, table: t, write_to: us-east-1, read_from: us-west-2}
faults:
  - {kind: region_outage, region: us-east-1, lasts: 180s}
objectives:
  playback: {rto: 60s}
  history: {heals_within: 5s}
environments:
  localstack:
    stand_ins: {dynamodb: the same over HTTP}
    lab: homepage
    probes:
      history: {kind: http, url: "http://api.stream.example/history"}
    objectives:
      playback: {rto: 90s}
"""


@pytest.fixture
def drill(tmp_path: Path) -> Experiment:
    path = tmp_path / "drill.yaml"
    path.write_text(TEXT)
    return load(path)


def test_in_its_environment_a_variant_takes_the_place_of_what_it_names(drill: Experiment) -> None:
    there = drill.on("localstack")
    assert isinstance(there.probes["history"], Http)
    assert there.probes["playback"] == drill.probes["playback"]
    assert list(there.probes) == list(drill.probes)
    assert there.objectives["playback"].rto == 90.0
    assert there.objectives["history"] == drill.objectives["history"]
    assert there.lab == "homepage"
    assert there.stand_ins == {"dynamodb": "the same over HTTP"}
    assert there.faults == drill.faults


@pytest.mark.parametrize("environment", ["embedded", "mars"])
def test_elsewhere_it_is_as_it_stands(drill: Experiment, environment: str) -> None:
    there = drill.on(environment)
    assert isinstance(there.probes["history"], DynamodbLedger)
    assert (there.lab, there.stand_ins, there.environments) == ("streaming", {}, {})
    assert there.objectives == drill.objectives


def test_what_was_read_is_not_changed(drill: Experiment) -> None:
    there = drill.on("localstack")
    assert there.environments == {}
    assert there.on("localstack").stand_ins == {}
    assert list(drill.environments) == ["localstack"]
    assert (drill.lab, drill.stand_ins) == ("streaming", {})


def test_the_journal_holds_what_was_run(drill: Experiment) -> None:
    data = json.loads(json.dumps(drill.on("localstack").to_json(), allow_nan=False))
    assert data["stand_ins"] == {"dynamodb": "the same over HTTP"}
    assert data["probes"]["history"]["kind"] == "http"
    assert data["lab"] == "homepage"
    assert data["objectives"]["playback"]["rto"] == 90.0
    assert "environments" not in data
    assert data["text"] == TEXT
    assert drill.to_json()["stand_ins"] == {}


@pytest.mark.parametrize(
    ("path", "place", "where"),
    [
        (("probes", "history"), (15, 7), "environments.localstack.probes.history"),
        (("probes", "history", "url"), (15, 29), "environments.localstack.probes.history.url"),
        (("probes", "playback"), (3, 3), "probes.playback"),
        (("probes",), (2, 1), "probes"),
        (("lab",), (13, 5), "environments.localstack.lab"),
        (("stand_ins", "dynamodb"), (12, 17), "environments.localstack.stand_ins.dynamodb"),
        (("faults", 0), (6, 5), "faults[0]"),
        ((), (1, 1), "experiment"),
    ],
)
def test_what_is_wrong_with_it_has_its_place_in_the_file(
    drill: Experiment, path: tuple[str | int, ...], place: tuple[int, int], where: str
) -> None:
    told = drill.on("localstack").located(path, "is wrong")
    assert isinstance(told, Located)
    assert ((told.line, told.col), told.where) == (place, where)
    elsewhere = drill.located(path, "is wrong")
    assert isinstance(elsewhere, Located)
    assert not elsewhere.where.startswith("environments")


def test_values_of_variables_stand_in_variants_too(tmp_path: Path) -> None:
    path = tmp_path / "drill.yaml"
    path.write_text(
        TEXT.replace("rto: 90s", 'rto: "${soon}"') + "variables: {soon: {default: 80s}}\n"
    )
    assert load(path, {"soon": "70s"}).on("localstack").objectives["playback"].rto == 70.0
    with pytest.raises(InvalidInput) as caught:
        load(path, {"soon": "176s"})
    assert "environments.localstack.objectives.playback.rto: needs" in str(caught.value)


def test_a_variant_may_bring_its_lab(tmp_path: Path) -> None:
    path, lab = tmp_path / "drill.yaml", tmp_path / "own.yaml"
    path.write_text(TEXT.replace("lab: homepage", "lab: own.yaml"))
    with pytest.raises(InvalidInput) as caught:
        load(path)
    place = f"{path}:13:10: environments.localstack.lab"
    assert str(caught.value) == f"{place}: there is no file own.yaml beside this one"
    lab.write_text("name: own\n")
    with pytest.raises(InvalidInput):
        load_lab(load(path).on("localstack"), path)
    found = CliRunner().invoke(validate, [str(path)])
    assert isinstance(found.exception, InvalidInput)
    assert all(problem.startswith(f"{lab}:") for problem in found.exception.problems)


def test_a_file_without_variants_is_in_every_environment_the_same() -> None:
    usual = {
        "name": "drill",
        "probes": {"playback": {"kind": "dns", "name": "a.example"}},
        "faults": [{"kind": "region_outage", "region": "us-east-1", "lasts": "9s"}],
        "objectives": {"playback": {"unaffected": True}},
    }
    drill = Experiment.model_validate(usual)
    assert drill.on("localstack").to_json() == drill.to_json()


AWS = {"kind": "aws", "service": "sqs", "region": "us-east-1", "operation": "list_queues"}
LEDGER = {
    "kind": "dynamodb_ledger",
    "table": "t",
    "write_to": "us-east-1",
    "read_from": "us-west-2",
}
ALARM = {"kind": "cloudwatch_alarm", "alarm": "errors", "region": "us-east-1"}


@pytest.mark.parametrize(
    ("settings", "services"),
    [
        (AWS, {"sqs"}),
        (LEDGER, {"dynamodb"}),
        (ALARM, {"cloudwatch"}),
        ({"kind": "dns", "name": "a.example"}, set()),
    ],
)
def test_a_probe_names_the_services_that_it_calls(
    settings: dict[str, Any], services: set[str]
) -> None:
    assert PROBES[settings["kind"]].model_validate(settings).services() == services


OUTAGE = {"kind": "dependency_outage"}


@pytest.mark.parametrize(
    ("settings", "services"),
    [
        ({"kind": "instance_termination", "region": "us-east-1"}, {"ec2"}),
        ({"kind": "region_outage", "region": "us-east-1"}, set()),
        (OUTAGE | {"service": "recommendations"}, set()),
        (OUTAGE | {"service": "dynamodb"}, {"dynamodb"}),
        # Their calls are signed by other names than boto3 has for them.
        (OUTAGE | {"service": "monitoring"}, {"cloudwatch"}),
        (OUTAGE | {"service": "states"}, {"stepfunctions"}),
    ],
)
def test_a_fault_names_the_services_that_must_be_there(
    settings: dict[str, Any], services: set[str]
) -> None:
    assert FAULTS[settings["kind"]].model_validate(settings).services() == services
