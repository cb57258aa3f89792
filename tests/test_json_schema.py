"""The JSON Schema for editors accepts what may be written, and refuses what never can be right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from chaos import experiment, extensions, faults, library, schema
from chaos.cli import COMMANDS
from chaos.cli.schema import command
from chaos.errors import InvalidInput
from chaos.experiment import Experiment
from chaos.schema import reader
from chaos.schema.decode import Decoder
from chaos.schema.json_schema import json_schema
from probes import KINDS as PROBES

SCHEMA = json_schema(Experiment, "an experiment")
VALIDATOR = Draft202012Validator(SCHEMA)
WRONG = sorted((Path(__file__).parent / "invalid").glob("*.yaml"))

# What no schema can see: values that are right one by one, files that are not there, and texts
# that more than a pattern decides on.
BEYOND = {
    "account-external-id-without-role",
    "account-none",
    "account-not-named",
    "account-not-named-by-probe",
    "account-of-page",
    "account-partitions",
    "account-probe-region",
    "account-region",
    "account-region-again",
    "account-role-of-another",
    "account-role-partition",
    "account-session-too-long",
    "account-twice",
    "account-unknown",
    "availability-none",
    "availability-over-all",
    "aws-family",
    "aws-jmespath",
    "aws-jmespath-function",
    "aws-operation-camel-case",
    "aws-operation-writes",
    "cloudwatch-stale-too-soon",
    "command-dns-cache",
    "dependency-jitter-over-delay",
    "dependency-slow-without-delay",
    "dependency-status-without-error",
    "detects-longer-than-fault",
    "detects-with-rto",
    "detects-with-unaffected",
    "detects-without-alarm",
    "dns-address-in-vpc",
    "dns-family",
    "dns-names-on-instances",
    "dns-nodata-in-a-lab",
    "dns-nxdomain-on-instances",
    "dns-servfail-in-vpc",
    "dns-slow-in-vpc",
    "dns-ttl-in-vpc",
    "dns-types-on-instances",
    "dns-via-without-region",
    "dns-vpcs-without-via",
    "duration-too-long",
    "duration-zero",
    "environment-changes-nothing",
    "environment-lab-unknown",
    "environment-makes-wrong",
    "environment-probe-new",
    "external-seen-by",
    "fault-again-too-soon",
    "fault-twice",
    "first-fault-late",
    "fis-action-unknown",
    "fis-after-itself",
    "fis-at-once",
    "fis-duration",
    "fis-duration-missing",
    "fis-irreversible",
    "fis-irreversible-idle",
    "fis-lasts-too-long",
    "fis-nothing",
    "fis-tags-beside-arns",
    "fis-target-everything",
    "fis-target-key",
    "fis-target-type",
    "fis-target-unknown",
    "fis-template-and-actions",
    "fis-type-unknown",
    "heals-after-nothing",
    "heals-too-late",
    "irreversible-not-allowed",
    "irreversible-unknown",
    "json-number-too-large",
    "lab-file-missing",
    "lab-unknown",
    "lasts-missing",
    "lasts-on-one-way",
    "ledger-promises-that-cannot-be",
    "objective-says-nothing",
    "objective-says-nothing-either",
    "objective-without-probe",
    "probe-family-of-address",
    "probe-max-latency-over-timeout",
    "probe-max-latency-zero",
    "probe-pattern",
    "probe-too-seldom",
    "probe-too-seldom-by-default",
    "probe-url",
    "prometheus-alert-suffers",
    "prometheus-without-series",
    "rpo-without-ledger",
    "rto-longer-than-fault",
    "rto-without-confirmation",
    "safety-blackout",
    "safety-empty",
    "safety-limits-nothing",
    "safety-no-time",
    "safety-zone",
    "spread-confidence",
    "spread-shorter-at-p90",
    "spread-too-long",
    "steady-state-impossible",
    "stop-alarm-in-no-account",
    "stop-before-the-end",
    "stop-sooner-than-timeout",
    "stop-without-probe",
    "tcp-host-with-port",
    "tcp-send-without-expect",
    "timeout-too-long",
    "timeout-too-many",
    "tls-ca-missing",
    "tls-valid-for-unverified",
    "unaffected-with-rto",
    "variable-among-others",
    "variable-choice-of-other-type",
    "variable-default-empty",
    "variable-default-no-choice",
    "variable-default-of-other-type",
    "variable-in-variables",
    "variable-makes-wrong",
    "variable-makes-wrong-together",
    "variable-missing",
    "variable-misspelt",
    "variable-of-unknown-probe",
    "variable-secret-choices",
    "variable-secret-default",
    "variable-secret-missing",
    "variable-secret-type",
    "variable-unclosed",
    "variable-unknown",
    "variable-unused",
}


def seen_by_an_editor(data: bytes) -> Any:
    """The file as the core rules of YAML 1.2 have it; None for what is no acceptable YAML."""
    node, found = reader.read(data, "file")
    return None if node is None or found else Decoder().decode(node, Any)


def refused(data: bytes) -> list[str]:
    """What the schema has against the file."""
    return [error.message for error in VALIDATOR.iter_errors(seen_by_an_editor(data))]


def drill(**parts: str) -> bytes:
    """A short experiment in which these parts are replaced."""
    usual = {
        "name": "drill",
        "probes": "{playback: {kind: dns, name: api.stream.example}}",
        "faults": "[{kind: region_outage, region: us-east-1, lasts: 3m}]",
        "objectives": "{playback: {unaffected: true}}",
    }
    return "".join(f"{key}: {value}\n" for key, value in (usual | parts).items()).encode()


def right(data: bytes) -> bool:
    """What the reader of files says of it."""
    try:
        schema.loads(data, Experiment, "drill.yaml")
    except InvalidInput:
        return False
    return True


def test_it_is_a_schema_of_its_dialect() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["title"] == "an experiment"
    assert SCHEMA["additionalProperties"] is False


@pytest.mark.parametrize("path", library.shipped(), ids=lambda path: path.stem)
def test_it_accepts_each_shipped_experiment(path: Path) -> None:
    assert refused(path.read_bytes()) == []


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_it_refuses_what_a_schema_can_see(path: Path) -> None:
    data = path.read_bytes()
    if seen_by_an_editor(data) is not None:
        seen = "is accepted: if no schema can see what is wrong, put it into BEYOND"
        assert bool(refused(data)) == (path.stem not in BEYOND), refused(data) or seen


def test_what_it_cannot_see_is_less_than_what_it_can() -> None:
    readable = [path for path in WRONG if seen_by_an_editor(path.read_bytes()) is not None]
    assert {path.stem for path in WRONG} >= BEYOND
    assert len(readable) - len(BEYOND) >= 40


@pytest.mark.parametrize(
    "parts",
    [
        {"name": "7"},
        {"title": "7"},
        {"title": "true"},
        {"title": '"${title}"'},
        {"lab": "${lab}"},
        {"recover_within": "'${lasts}'"},
        {"recover_within": "1.5m"},
        {"stop_when": "[]"},
        {"variables": "{a: {default: 7}, b-2: {type: duration, one_of: [3m]}}"},
        {"objectives": "{playback: {unaffected: yes}}"},
        {"objectives": '{playback: {unaffected: "On"}}'},
        {"objectives": '{playback: {unaffected: "${up}", availability: "${much}"}}'},
        {"objectives": "{playback: {rto: null, unaffected: true}}"},
        {"faults": '[{kind: "${kind}", anything: 7}]'},
        {"faults": '[{kind: region_outage, region: us-east-1, lasts: 3m, mode: "${mode}"}]'},
        {"faults": "[{kind: instance_termination, region: us-east-1, pick: 2}]"},
        {"faults": "[{kind: instance_termination, region: us-east-1, tags: {n: 7, on: true}}]"},
        {"probes": "{a: {kind: dns, name: a.example, confirm: '5'}}"},
        {"probes": "{a: {kind: dns, name: a.example, confirm: +5}}"},
        {"probes": '{a: {kind: dns, name: a.example, confirm: "${n}"}}'},
        {"probes": "{a: {kind: http, url: 'http://a.example', expect: {status: [2xx, 301]}}}"},
        {"probes": "{a: {kind: http, url: 'http://a.example', expect: {json: {a: [null, 1]}}}}"},
        {"environments": "{localstack: {stand_ins: {s3: 7}, lab: streaming}}"},
        {"environments": "{embedded: {probes: {playback: {kind: dns, name: '${name}'}}}}"},
    ],
    ids=str,
)
def test_it_accepts_what_the_reader_of_files_accepts(parts: dict[str, str]) -> None:
    assert refused(drill(**parts)) == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"nmae": "x"}, "'nmae' was unexpected"),
        ({"name": "No Name"}, "'No Name' is not valid"),
        ({"probes": "{Name: {kind: dns, name: a}}"}, "'Name'"),
        ({"probes": "{a: {kind: dns, name: a, evry: 5s}}"}, "'evry' was unexpected"),
        ({"probes": "{a: {kind: dns}}"}, "'name' is a required property"),
        ({"probes": "{a: {kind: dns, name: a, every: 5}}"}, "5 is not valid"),
        ({"probes": "{a: {kind: dns, name: a, confirm: few}}"}, "'few' is not valid"),
        ({"probes": "{a: {kind: dns, name: a, confirm: 0}}"}, "0 is not valid"),
        ({"probes": "{a: {kind: dsn, name: a}}"}, "'dsn' is not valid"),
        ({"probes": "{a: {name: a}}"}, "'kind' is a required property"),
        ({"faults": "[{kind: region_outage, region: [a], lasts: 3m}]"}, "['a'] is not"),
        ({"faults": "[{kind: region_outage, region: a, mode: slow}]"}, "'slow' is not valid"),
        ({"objectives": "{a: {unaffected: perhaps}}"}, "'perhaps' is not valid"),
        ({"variables": "{a: {kind: text}}"}, "'kind' was unexpected"),
        ({"lab": ""}, "None is not"),
        ({"environments": "{mars: {lab: streaming}}"}, "'mars' does not match"),
        ({"environments": "{localstack: {stand_ins: {S 3: files}}}"}, "'S 3' does not match"),
        ({"environments": "{localstack: {probes: {a: {kind: dns}}}}"}, "'name' is a required"),
    ],
    ids=str,
)
def test_it_refuses_slips(parts: dict[str, str], said: str) -> None:
    messages = refused(drill(**parts))
    assert [message for message in messages if said in message], messages


SCALARS = ["7", "-1", "0.5", "1e3", "yes", "true", "Off", "ttl", "3m", "40%", "''", "a b", "[7]"]
SCALARS += ["null", "0x1F", "1_000", "+7", "' 7 '", "{a: b}", "2xx", "us-east-1", "1:30", "all"]
PLACES: list[tuple[str, str]] = [
    ("name", "{}"),
    ("title", "{}"),
    ("recover_within", "{}"),
    ("objectives", "{{playback: {{unaffected: {}, availability: 40%}}}}"),
    ("objectives", "{{playback: {{availability: {}}}}}"),
    ("probes", "{{playback: {{kind: dns, name: a.example, confirm: {}}}}}"),
    ("probes", "{{playback: {{kind: http, url: 'http://a.example', dns_cache: {}}}}}"),
    ("probes", "{{playback: {{kind: http, url: 'http://a.example', expect: {{status: {}}}}}}}"),
    ("probes", "{{playback: {{kind: http, url: 'http://a.example', expect: {{json: {}}}}}}}"),
    ("probes", "{{playback: {{kind: http, url: 'http://a.example', headers: {{a: {}}}}}}}"),
]


@given(st.sampled_from(PLACES), st.sampled_from(SCALARS))
def test_whatever_is_right_is_accepted(place: tuple[str, str], scalar: str) -> None:
    key, around = place
    data = drill(**{key: around.format(scalar)})
    assert not right(data) or refused(data) == []


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """All schemas within it, and some more mappings."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from schemas(inner)


def test_each_default_is_one_that_may_be_written() -> None:
    for each in schemas(SCHEMA):
        if "default" in each and isinstance(each.get("description"), str):
            alone = {**each, "$defs": SCHEMA["$defs"]}
            assert Draft202012Validator(alone).is_valid(each["default"]), each


def test_each_pattern_is_one_that_an_editor_knows() -> None:
    patterns = [each["pattern"] for each in schemas(SCHEMA) if isinstance(each.get("pattern"), str)]
    assert patterns
    for pattern in patterns:
        assert not re.search(r"\(\?[^:=!]|\\[AZ]", pattern), pattern


def test_each_setting_of_each_kind_is_in_it() -> None:
    for section, kinds in (("probes", PROBES), ("faults", faults.KINDS)):
        described = SCHEMA["properties"][section]
        entry = described.get("items") or next(iter(described["patternProperties"].values()))
        told = {case["if"]["properties"]["kind"]["const"]: case["then"] for case in entry["allOf"]}
        assert set(told) >= set(kinds)
        for kind, model in kinds.items():
            then = told[kind]
            then = SCHEMA["$defs"][then["$ref"].rpartition("/")[2]] if "$ref" in then else then
            fields = model.model_fields.items()
            assert set(then["properties"]) == {info.alias or name for name, info in fields}


def test_kinds_of_installed_packages_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Moon(BaseModel):
        kind: Literal["moon"]
        phase: Literal["full", "new"]

    def find(group: str, kind: str) -> type[BaseModel] | None:
        if kind == "broken":
            raise InvalidInput("the kind 'broken' of a package cannot be loaded: ImportError")
        return Moon

    monkeypatch.setattr(extensions, "names", lambda _: ["broken", "moon"])
    monkeypatch.setattr(extensions, "find", find)
    validator = Draft202012Validator(json_schema(Experiment, "an experiment"))

    def accepts(fault: str) -> bool:
        return validator.is_valid(seen_by_an_editor(drill(faults=f"[{fault}]")))

    assert accepts("{kind: moon, phase: full}")
    assert not accepts("{kind: moon, phase: half}")
    assert accepts("{kind: broken, anything: 7}")
    assert "cannot be loaded" in json.dumps(validator.schema)


def test_the_command_prints_it_and_nothing_else() -> None:
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["$schema"] == SCHEMA["$schema"]
    assert printed["properties"] == SCHEMA["properties"]
    assert COMMANDS["schema"] == "chaos.cli.schema"


def test_a_comment_for_editors_does_not_matter_to_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "drill.yaml"
    path.write_bytes(b"# yaml-language-server: $schema=chaos.schema.json\n" + drill())
    assert experiment.load(path).name == "drill"
