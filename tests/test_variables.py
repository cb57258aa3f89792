"""Variables: declared in a file, given when it is used, put in as text and decoded in place."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from chaos import experiment
from chaos.cli import options
from chaos.cli.validate import command as validate
from chaos.drill import Drill
from chaos.errors import InvalidInput
from chaos.experiment import Experiment
from chaos.schema.reader import FORBIDDEN

FILE = """\
name: drill-${region}
title: "$${region} is ${region}, for ${lasts}"
variables:
  region: {default: us-east-1, one_of: [us-east-1, us-west-2]}
  lasts: {type: duration, description: how long it is dark}
  good: {type: percentage, default: 40%}
  confirm: {type: integer, default: 3}
  body: {type: text, default: "null"}
  skip: {type: boolean, default: "no"}
probes:
  playback:
    kind: http
    url: http://api.stream.example/playback
    confirm: ${confirm}
    expect: {json: {count: "${confirm}", word: "${body}", skip: "${skip}"}}
faults:
  - kind: region_outage
    region: ${region}
    lasts: ${lasts}
objectives:
  playback: {rto: 60s, availability: "${good}"}
"""


def load(path: Path, text: str = FILE, **values: str) -> Experiment:
    """The experiment of that text, with these values; underscores are as they are."""
    path /= "drill.yaml"
    path.write_text(text)
    return experiment.load(path, values)


def wrong(path: Path, text: str = FILE, **values: str) -> list[str]:
    """What is wrong with it, without the file's path."""
    with pytest.raises(InvalidInput) as caught:
        load(path, text, **values)
    return [line.replace(f"{path}/", "") for line in caught.value.problems]


def test_values_are_decoded_as_if_they_were_written_there(tmp_path: Path) -> None:
    drill = load(tmp_path, region="us-west-2", lasts="3m", confirm="5", good="99.5%")
    assert drill.name == "drill-us-west-2"
    assert drill.title == "${region} is us-west-2, for 3m"
    assert drill.faults[0].lasts == 180.0
    assert drill.probes["playback"].confirm == 5
    assert drill.objectives["playback"].availability == pytest.approx(0.995)


def test_where_anything_may_stand_the_type_of_the_variable_decides(tmp_path: Path) -> None:
    probe = load(tmp_path, lasts="3m", skip="Off").to_json()["probes"]["playback"]
    assert probe["expect"]["json"] == {"count": 3, "word": "null", "skip": False}


def test_the_journal_has_the_values_that_were_used(tmp_path: Path) -> None:
    data = load(tmp_path, lasts="3m", skip="On").to_json()
    assert json.loads(json.dumps(data["variables"])) == {
        "region": "us-east-1",
        "lasts": "3m",
        "good": "40%",
        "confirm": "3",
        "body": "null",
        "skip": "true",
    }
    assert data["text"] == FILE


def test_an_experiment_without_variables_has_no_values(tmp_path: Path) -> None:
    assert load(tmp_path, plain()).to_json()["variables"] == {}


def plain(title: str = "a title", variables: str = "{}") -> str:
    return f"""\
name: drill
title: {title}
variables: {variables}
probes: {{playback: {{kind: dns, name: api.stream.example}}}}
faults: [{{kind: region_outage, region: us-east-1, lasts: 3m}}]
objectives: {{playback: {{unaffected: true}}}}
"""


@given(st.text(max_size=60).filter(lambda text: not FORBIDDEN.search(text)))
def test_a_value_stays_text_whatever_is_in_it(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("variables")
    drill = load(path, plain("<${it}|$${it}>", "{it: {}}"), it=text)
    assert drill.title == f"<{text}|${{it}}>"
    assert load(path, plain("${it}", "{it: {}}"), it=text).title == text


def test_several_values_stand_in_one_scalar(tmp_path: Path) -> None:
    declared = "{a: {default: x}, b-2: {type: number, default: 1.50}}"
    assert load(tmp_path, plain("${a}${b-2} $$${a}", declared)).title == "x1.50 $${a}"


def test_all_that_is_missing_and_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    known = "region, lasts, good, confirm, body, skip"
    lacks = "has no value (how long it is dark); give one: --var lasts=30s"
    assert wrong(tmp_path, regoin="x", good="much", confirm="0") == [
        f"--var: drill.yaml has no variable 'regoin', only {known}; did you mean 'region'?",
        "--var good: 'much' is no percentage; write 40% or 99.9%",
        f"drill.yaml:5:3: variables.lasts: {lacks}",
        "drill.yaml:14:14: probes.playback.confirm: must be at least 1 (${confirm} is '0')",
    ]


def test_what_lacks_a_part_that_was_refused_is_not_refused_too(tmp_path: Path) -> None:
    text = FILE.replace("{rto: 60s, availability: ", "{availability: ")
    assert wrong(tmp_path, text, lasts="60s", good="much") == [
        "--var good: 'much' is no percentage; write 40% or 99.9%"
    ]


def test_a_value_for_a_file_that_declares_none(tmp_path: Path) -> None:
    told = "--var: drill.yaml has no variable 'it', nor any other"
    assert wrong(tmp_path, plain(), it="x") == [told]


def test_a_value_for_a_variable_that_is_wrong_in_itself_is_not_looked_at(tmp_path: Path) -> None:
    text = plain("${it}", "{it: {type: word}}")
    [told] = wrong(tmp_path, text, it="x")
    assert told.startswith("drill.yaml:3:24: variables.it.type: 'word' is not one of boolean,")


@pytest.mark.parametrize(
    ("type_", "text", "said"),
    [
        ("boolean", "maybe", "'maybe' is neither true nor false"),
        ("boolean", "", "'' is neither true nor false"),
        ("duration", "5", "'5' is no duration; write 250ms, 5s, 2m or 1h"),
        ("duration", "5s\n", "'5s\\n' is no duration; write 250ms, 5s, 2m or 1h"),
        ("integer", "1.0", "'1.0' is no whole number such as 3"),
        ("integer", "٣", "'٣' is no whole number such as 3"),
        ("integer", "9" * 19, f"'{'9' * 19}' is no whole number such as 3"),
        ("number", "1e999", "'1e999' is no number such as 1.5"),
        ("number", "nan", "'nan' is no number such as 1.5"),
        ("percentage", "40", "'40' is no percentage; write 40% or 99.9%"),
        ("percentage", "101%", "must be above 0% and at most 100%, not 101%"),
        ("text", "a\x1b[2J", "the character U+001B is not allowed"),
    ],
)
def test_a_value_is_of_its_type(tmp_path: Path, type_: str, text: str, said: str) -> None:
    assert wrong(tmp_path, plain("${it}", f"{{it: {{type: {type_}}}}}"), it=text) == [
        f"--var it: {said}"
    ]


def test_choices_are_compared_by_what_they_mean(tmp_path: Path) -> None:
    declared = "{it: {type: duration, one_of: [1m, 2m]}}"
    assert load(tmp_path, plain("${it}", declared), it="120s").title == "120s"
    assert wrong(tmp_path, plain("${it}", declared), it="3m") == [
        "--var it: '3m' is not one of 1m, 2m"
    ]


def test_what_is_no_mapping_has_no_variables(tmp_path: Path) -> None:
    assert wrong(tmp_path, "- ${it}", it="x") == [
        "--var: drill.yaml has no variable 'it', nor any other",
        "drill.yaml:1:1: experiment: must be a mapping, not a list",
        "drill.yaml:1:3: [0]: there is no variable 'it'",
    ]


def test_what_cannot_be_read_has_no_variables_either(tmp_path: Path) -> None:
    [told] = wrong(tmp_path, "name: [", it="x")
    assert told.startswith("drill.yaml:1:8: syntax:")


def test_a_drill_takes_values(tmp_path: Path) -> None:
    load(tmp_path, lasts="3m")
    drill = Drill(tmp_path / "drill.yaml", variables={"lasts": "90s"})
    assert drill.experiment.faults[0].lasts == 90.0


# --- the command line -------------------------------------------------------------------------


@click.command()
@options.variables
def echo(variables: dict[str, str]) -> None:
    click.echo(json.dumps(variables))


@pytest.mark.parametrize(
    ("given", "values"),
    [([], {}), (["a=1", "b=x=y", "c="], {"a": "1", "b": "x=y", "c": ""})],
)
def test_values_are_given_by_name(given: list[str], values: dict[str, str]) -> None:
    result = CliRunner().invoke(echo, [part for text in given for part in ("--var", text)])
    assert json.loads(result.output) == values


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["region"], "'region' gives no value; write region=eu-west-1"),
        (["=x"], "'=x' gives no value; write region=eu-west-1"),
        (["a=1", "a=1"], "'a' is given a second time"),
    ],
)
def test_what_gives_no_value_is_refused(given: list[str], said: str) -> None:
    result = CliRunner().invoke(echo, [part for text in given for part in ("--var", text)])
    assert result.exit_code == 2
    assert f"Invalid value for '--var': {said}" in result.output


def test_validate_takes_values(tmp_path: Path) -> None:
    load(tmp_path, lasts="3m")
    runner, path = CliRunner(), str(tmp_path / "drill.yaml")
    result = runner.invoke(validate, [path, "--var", "lasts=3m", "--var", "region=us-west-2"])
    assert result.output == f"{path}: valid\n"
    result = runner.invoke(validate, [path])
    assert isinstance(result.exception, InvalidInput)
    assert "give one: --var lasts=30s" in str(result.exception)
