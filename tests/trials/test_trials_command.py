"""`chaos run --trials`: what it asks for, prints and returns; and `chaos report` of a set."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from trials.fake_drills import FakeDrill

from chaos.cli import group
from chaos.errors import InvalidInput
from chaos.safety.consent import Asked, Wish
from chaos.trials.consent import once

YAML = """\
name: drill
probes:
  page: {kind: http, url: "http://api.stream.example/"}
faults:
  - {kind: region_outage, region: us-east-1, lasts: 180s}
objectives:
  page: {rto: {p90: 60s}}
"""


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeDrill:
    monkeypatch.chdir(tmp_path)
    drill = FakeDrill(late=(0, 3.5))
    monkeypatch.setattr("chaos.drill.Drill", lambda *_, **__: drill)
    return drill


def call(*args: str) -> Result:
    return CliRunner().invoke(group, ["run", "slow-dns", "--history", "none", *args])


@pytest.mark.usefixtures("faked")
def test_a_set_from_the_command_line_and_judged_again() -> None:
    result = call("--trials", "2", "--seed", "7")
    assert result.exit_code == 1
    assert "--trials 2 --seed 7 draws the same again" in result.stdout
    assert re.search(r"trial 2 of 2: ✗ failed, look heals within [\d.]+ – [\d.]+ s", result.stdout)
    assert "✗ BROKEN, flaky: 1 of 2 trials held" in result.stdout
    [path] = Path("chaos-runs").glob("set-*")
    before = (path / "trials.json").read_text()
    again = CliRunner().invoke(group, ["report", path.name])
    assert again.exit_code == 1
    assert again.stdout in result.stdout
    assert (path / "trials.json").read_text() == before


@pytest.mark.usefixtures("faked")
def test_with_json_stdout_has_the_set_and_nothing_else() -> None:
    result = call("--trials", "2", "--json")
    said = json.loads(result.stdout)
    assert (said["value"], said["of"], len(said["trials"])) == ("broken", 2, 2)
    assert f"--seed {said['seed']}" in result.stderr


@pytest.mark.usefixtures("faked")
def test_each_trial_is_sent_where_a_single_run_is() -> None:
    result = call("--trials", "2", "--push-metrics", "http://127.0.0.1:1")
    assert result.stderr.count("--push-metrics: ") == 2
    assert result.exit_code == 1


@pytest.mark.usefixtures("faked")
def test_a_seed_without_trials_is_refused() -> None:
    result = call("--seed", "7")
    assert isinstance(result.exception, InvalidInput)
    assert not Path("chaos-runs").exists()


def test_too_few_trials_are_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("drill.yaml").write_text(YAML)
    result = CliRunner().invoke(group, ["run", "drill.yaml", "--trials", "10"])
    assert isinstance(result.exception, InvalidInput)  # which the program ends with exit code 2 for
    assert str(result.exception) == (
        "drill.yaml:7:10: objectives.page.rto: 29 trials without a failure are needed for p90 at"
        " 95%; --trials 10 cannot show it"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["drill.yaml"]


@pytest.mark.usefixtures("faked")
def test_a_set_that_was_killed_is_judged_as_far_as_it_came() -> None:
    call("--trials", "2")
    [path] = Path("chaos-runs").glob("set-*/trials.json")
    said = json.loads(path.read_text())
    path.write_text(json.dumps(said | {"runs": said["runs"][:1], "over": False}))
    shutil.rmtree(path.parent.parent / said["runs"][1])
    result = CliRunner().invoke(group, ["report", said["set"]])
    assert result.exit_code == 3
    assert "UNKNOWN: 1 of 1 trial held (2 were planned)" in result.stdout
    assert "the set ended before its time: whoever carried it out ended before" in result.stdout


def wish(**changes: Any) -> Wish:
    account = Asked(name="only", id="123456789012", alias=None, regions=("us-east-1",))
    usual: dict[str, Any] = {
        "accounts": (account,),
        "targets": 2,
        "for_good": ("i-1",),
        "by_itself": "by 10:00",
    }
    return Wish(**usual | changes)


@pytest.mark.parametrize(
    ("later", "times"),
    [
        (wish(by_itself="by 10:30"), 1),
        (wish(targets=1, for_good=()), 1),
        (wish(targets=3), 2),
        (wish(for_good=("i-2",)), 2),
        (wish(accounts=()), 2),
    ],
)
def test_consent_is_asked_for_once_and_again_for_anything_more(later: Wish, times: int) -> None:
    asked: list[Wish] = []
    told: list[str] = []

    async def agree(wish: Wish) -> None:
        asked.append(wish)

    async def twice() -> None:
        ask = once(agree, 29, told.append)
        await ask(wish())
        await ask(later)

    asyncio.run(twice())
    assert len(asked) == len(told) == times
    assert "29 trials, one after another: agreed to once for all of them" in told[0]


def test_a_refusal_is_no_consent() -> None:
    async def agree(_: Wish) -> None:
        raise InvalidInput("that is not the id of the account only; nothing was touched")

    async def twice() -> None:
        ask = once(agree, 2, lambda _: None)
        for _ in range(2):
            with pytest.raises(InvalidInput):
                await ask(wish())

    asyncio.run(twice())
