"""The files of planted systems: what they say, how they become a drill, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos.drill import Drill
from chaos.errors import InvalidInput
from chaos.testing import planted
from chaos.testing.planted import SYSTEMS, System

ALL = planted.systems()
NAMES = [system.name for system in ALL]
SOUND = """\
title: a sound system
base: two-zones
expect: {value: held, reason: page was back after}
"""


def written(directory: Path, text: str, name: str = "mine.yaml") -> Path:
    (directory / name).write_text(text)
    return directory / name


def shipped(name: str) -> System:
    return next(system for system in ALL if system.name == name)


def test_there_are_as_many_as_were_promised() -> None:
    values = [system.expect.value for system in ALL]
    assert values.count("held") >= 15
    assert values.count("broken") >= 25


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_drill_that_is_valid(name: str, tmp_path: Path) -> None:
    system = shipped(name)
    drill = Drill(system.write(tmp_path, system.drill()), speed=planted.SPEED)
    assert drill.experiment.name == name
    assert {*system.probes} == {*drill.experiment.probes}


@pytest.mark.parametrize("name", NAMES)
def test_each_defect_is_one_sentence(name: str) -> None:
    defect = shipped(name).defect
    assert not defect or (defect.endswith(".") and ". " not in defect)


def test_every_base_is_sound_as_it_stands() -> None:
    """What breaks a system is what its own file says, and nothing of its base."""
    used = {(SYSTEMS / "bases" / f"{s.base}.yaml").stem for s in ALL}
    assert used == {file.stem for file in (SYSTEMS / "bases").glob("*.yaml")}
    held = {s.base for s in ALL if s.expect.value == "held"}
    assert held == used


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (SOUND + "tittle: no\n", "tittle: is not known here; did you mean 'title'?"),
        (SOUND + "defect: one\n", "a system that is not to hold has a 'defect', and no other one"),
        (SOUND.replace("held", "broken"), "a system that is not to hold has a 'defect'"),
        (SOUND.replace("two-zones", "two-zone"), "there is no base 'two-zone'; did you mean"),
        (SOUND.replace("two-zones", "none.yaml"), "none.yaml: cannot be read"),
        (SOUND.replace("page was back after", "'page ['"), "expect.reason: "),
        (SOUND + "experiment: {faults: {7: {lasts: 1s}}}\n", "'7' is no position in a list of 1"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        System.load(written(tmp_path, text)).drill()
    assert sentence in str(refused.value)
    assert "mine.yaml" in str(refused.value) or "none.yaml" in str(refused.value)


def test_a_change_that_makes_no_lab_or_experiment_is_told_as_in_any_file(tmp_path: Path) -> None:
    text = SOUND + "change: {services: {shop: {per_zone: none}}}\n"
    system = System.load(written(tmp_path, text))
    with pytest.raises(InvalidInput, match=r"lab\.yaml:\d+:\d+: .*per_zone"):
        Drill(system.write(tmp_path, system.drill()))


def test_a_base_may_be_a_file_beside_it(tmp_path: Path) -> None:
    base = (SYSTEMS / "bases" / "two-zones.yaml").read_text()
    written(tmp_path, base, "ours.yaml")
    system = System.load(written(tmp_path, SOUND.replace("two-zones", "ours.yaml")))
    assert (system.name, system.probes, system.faults) == ("mine", ("page",), ("zone_outage",))


def test_probes_and_faults_of_others_take_the_place_of_the_suites() -> None:
    def probe(suite: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "acme_page", "every": suite["every"]}

    def fault(suite: dict[str, Any]) -> dict[str, Any]:
        return {**suite, "kind": "acme_zone"}

    drill = shipped("two-zones").drill({"page": probe}, {"zone_outage": fault})
    assert drill["probes"] == {"page": {"kind": "acme_page", "every": "500ms"}}
    assert drill["faults"] == [{"kind": "acme_zone", "zone": "us-east-1a", "lasts": "35s"}]
    assert shipped("two-zones").drill()["probes"]["page"]["kind"] == "http"


def test_what_a_replacement_changes_is_its_own() -> None:
    def spoiling(probe: dict[str, Any]) -> dict[str, Any]:
        probe["expect"]["status"] = 503
        return probe

    assert shipped("two-zones").drill({"page": spoiling})["probes"]["page"]["expect"] == {
        "status": 503
    }
    assert shipped("two-zones").drill()["probes"]["page"]["expect"] == {"status": 200}


def test_what_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(
        InvalidInput, match="two-zones has no probe 'pages' to replace; it has page"
    ):
        shipped("two-zones").drill({"pages": dict})
    with pytest.raises(InvalidInput, match="has no fault 'region_outage' to replace; it has zone"):
        shipped("two-zones").drill(faults={"region_outage": dict})
