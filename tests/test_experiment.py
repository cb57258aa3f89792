"""An experiment is a frozen value in which nothing contradicts itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos import experiment, library
from chaos.errors import InvalidInput
from chaos.experiment import Experiment, Objective, SteadyState, load, load_lab
from chaos.experiment.contradictions import Parts, contradictions, written
from chaos.experiment.entries import MOST
from chaos.experiment.sound import sound_parts

URL = "http://api.stream.example/playback"
OUTAGE = {"kind": "region_outage", "region": "us-east-1", "lasts": "100s"}
DEATH = {"kind": "instance_termination", "region": "us-east-1"}


def made(**parts: Any) -> Experiment:
    """An experiment of these parts; what is not given is right and short."""
    usual = {
        "name": "drill",
        "probes": {"playback": {"kind": "http", "url": URL}},
        "faults": [OUTAGE],
        "objectives": {"playback": {"rto": "60s"}},
    }
    return Experiment.model_validate(usual | parts)


def wrong(**parts: Any) -> list[tuple[str, str]]:
    """The problems of such an experiment: where and what."""
    with pytest.raises(ValidationError) as caught:
        made(**parts)
    return [(".".join(map(str, e["loc"])), e["msg"]) for e in caught.value.errors()]


def test_what_is_not_said_has_a_default() -> None:
    drill = made()
    assert drill.lab == "streaming"
    assert (drill.steady_state.for_, drill.steady_state.within) == (5.0, 60.0)
    assert drill.recover_within == 60.0
    assert drill.probes["playback"].every == 1.0
    assert (drill.title, drill.stop_when, drill.allow_irreversible) == ("", [], [])


def test_an_experiment_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        made().name = "other"


@pytest.mark.parametrize("name", ["a", "region-outage", "a_b", "7th"])
def test_names(name: str) -> None:
    assert made(name=name).name == name


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "a" * 64, "ä", "a\n"])
def test_what_is_no_name(name: str) -> None:
    assert wrong(name=name)[0][0] == "name"


@pytest.mark.parametrize(
    ("given", "fraction"),
    [("40%", 0.4), ("99.95%", 0.9995), ("100%", 1.0), (0.4, 0.4), (1, 1.0)],
)
def test_availability_is_a_fraction(given: object, fraction: float) -> None:
    availability = Objective.model_validate({"availability": given}).availability
    assert availability == pytest.approx(fraction, abs=1e-12)


@pytest.mark.parametrize("given", ["40", "0.4", "0%", "101%", "-1%", "nan%", "%", True, 0, 1.1])
def test_what_is_no_availability(given: object) -> None:
    with pytest.raises(ValidationError):
        Objective.model_validate({"availability": given})


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"unaffected": False},
        {"rto": "0s"},
        {"rto": float("nan")},
        {"rto": "5s", "unaffected": True},
        {"heals_within": "5s", "unaffected": True},
        {"sla": "5s"},
    ],
)
def test_what_promises_nothing_or_too_much(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Objective.model_validate(given)


def test_no_loss_at_all_is_an_objective() -> None:
    assert Objective.model_validate({"rpo": "0s"}).rpo == 0.0


def test_steady_state_cannot_last_longer_than_it_is_waited_for() -> None:
    assert SteadyState.model_validate({"for": "60s", "within": "60s"}).for_ == 60.0
    with pytest.raises(ValidationError):
        SteadyState.model_validate({"for": "61s", "within": "60s"})


# --- how long it is observed ------------------------------------------------------------------


def test_it_is_observed_until_the_last_fault_is_lifted() -> None:
    later = {**OUTAGE, "region": "us-west-2", "at": "30s", "lasts": "20s"}
    assert made().observed_until == 100.0
    assert made(faults=[OUTAGE, {**later, "lasts": "90s"}]).observed_until == 120.0
    assert made(faults=[OUTAGE, later]).observed_until == 100.0


def test_what_is_never_lifted_is_observed_until_recovery_can_be_known() -> None:
    drill = made(
        probes={
            "playback": {"kind": "http", "url": URL, "every": "2s", "timeout": "5s", "confirm": 4},
            "name": {"kind": "dns", "name": "stream.example"},
        },
        faults=[DEATH, {**DEATH, "at": "10s"}],
        allow_irreversible=["instance_termination"],
        objectives={"playback": {"rto": "60s"}, "name": {"unaffected": True, "availability": 1}},
    )
    assert drill.observed_until == 10 + 60 + 4 * 2 + 5


def test_what_is_never_lifted_and_has_no_rto_is_observed_for_the_time_of_recovery() -> None:
    drill = made(
        faults=[DEATH],
        allow_irreversible=["instance_termination"],
        objectives={"playback": {"unaffected": True}},
        recover_within="45s",
    )
    assert drill.observed_until == 45.0


# --- what cannot be ---------------------------------------------------------------------------


def test_an_rto_can_be_shown_in_exactly_the_time_that_it_needs() -> None:
    fault = {**OUTAGE, "lasts": "65s"}  # 60 s, three attempts a second apart, a timeout of 2 s
    assert made(faults=[fault]).observed_until == 65.0
    [(where, what)] = wrong(faults=[{**fault, "lasts": "64999ms"}])
    assert where == "objectives.playback.rto"
    assert what.endswith("let faults[0] last 65s or more")


def test_the_length_that_is_asked_for_is_enough() -> None:
    late = {**OUTAGE, "at": "30s", "lasts": "10s", "mode": "refuse"}
    short = {**OUTAGE, "lasts": "5s"}
    [(_, what)] = wrong(faults=[short, late])
    assert what.endswith("let faults[1] last 35s or more")
    made(faults=[short, {**late, "lasts": "35s"}])


def test_with_a_fault_that_is_never_lifted_an_rto_can_always_be_shown() -> None:
    allowed = {"allow_irreversible": ["instance_termination"]}
    assert made(faults=[{**OUTAGE, "lasts": "1s"}, DEATH], **allowed).observed_until == 65.0


def test_faults_that_follow_each_other_are_not_the_same_one_twice() -> None:
    def at(*times: tuple[float, float]) -> list[dict[str, Any]]:
        return [{**OUTAGE, "at": at, "lasts": lasts} for at, lasts in times]

    made(faults=at((0, 50), (60, 50)))
    made(faults=[*at((0, 100)), {**OUTAGE, "region": "us-west-2"}])
    assert wrong(faults=at((0, 100), (20, 10), (50, 10))) == [
        ("faults.1", "is the same as faults[0], which is still on"),
        ("faults.2", "is the same as faults[0], which is still on"),
    ]
    assert wrong(faults=at((50, 60), (0, 51))) == [
        ("faults.0", "is the same as faults[1], which is still on")
    ]
    assert wrong(faults=at((0, 50), (59, 50))) == [
        ("faults.1.at", "comes less than 10 s after faults[0], which is the same, ends")
    ]


def test_a_one_way_fault_may_come_again_but_not_at_once() -> None:
    allowed = {"allow_irreversible": ["instance_termination"]}
    made(faults=[DEATH, {**DEATH, "at": "1s"}], **allowed)
    assert wrong(faults=[DEATH, DEATH], **allowed)[0][0] == "faults.1"


def test_what_can_be_healed_at_all_may_be_promised_to_heal() -> None:
    promise = {"objectives": {"playback": {"heals_within": "30s"}}}
    allowed = {"allow_irreversible": ["instance_termination"]}
    made(**promise)
    made(faults=[DEATH, OUTAGE], **allowed, **promise)
    made(recover_within="30s", **promise)
    assert wrong(recover_within="29s", **promise)[0][0] == "objectives.playback.heals_within"
    assert wrong(faults=[DEATH], **allowed, **promise)[0][0] == "objectives.playback.heals_within"


def test_a_ledger_may_have_an_rpo() -> None:
    ledger = {
        "kind": "dynamodb_ledger",
        "table": "viewing-history",
        "write_to": "us-east-1",
        "read_from": "us-west-2",
    }
    drill = made(probes={"history": ledger}, objectives={"history": {"rpo": "5s"}})
    assert drill.objectives["history"].rpo == 5.0


def test_contradictions_are_told_together_with_whatever_else_is_wrong() -> None:
    found = wrong(
        name="No Name",
        title=7,
        probes={
            "playback": {"kind": "http", "url": URL, "every": "9s"},
            "broken": {"kind": "http"},
            "unknown": {"kind": "htpp"},
        },
        faults=[{**OUTAGE, "lasts": "10s"}, {**DEATH, "at": "5s"}, {**DEATH, "pick": "no"}],
        objectives={"broken": {"rto": "1h"}, "nobody": {}, "playback": {"rpo": "5s"}},
        stop_when=[{"probe": "nobody", "down_for": "5s"}, {"probe": "no"}],
    )
    assert sorted(where for where, _ in found) == [
        "faults.1.kind",
        "faults.2.pick",
        "name",
        "objectives.nobody",
        "objectives.nobody",
        "objectives.playback.rpo",
        "probes.broken.url",
        "probes.playback.every",
        "probes.unknown.kind",
        "stop_when.0.probe",
        "stop_when.1",
        "title",
    ]


@pytest.mark.parametrize("given", [7, None, [], {}, "name: drill"])
def test_what_is_no_experiment_at_all(given: object) -> None:
    with pytest.raises(ValidationError):
        Experiment.model_validate(given)


def test_of_what_is_wrong_in_itself_nothing_more_is_said() -> None:
    parts = Parts(
        probes={"playback": None},
        faults=[None],
        objectives={"playback": None, "other": None},
        stop_when=[None],
    )
    [found] = contradictions(parts)
    assert found["loc"] == ("objectives", "other")
    assert contradictions(Parts(objectives={"other": None})) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(125, "125s"), (0.25, "0.25s"), (0.1 + 0.2, "0.3s"), (1.00001, "1.001s")]
)
def test_durations_that_are_asked_for_are_never_too_short(seconds: float, text: str) -> None:
    assert written(seconds) == text
    assert written(seconds, down=True) in (text, "1s")


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", library.shipped(), ids=lambda path: path.stem)
def test_the_journal_tells_the_whole_experiment(path: Path) -> None:
    drill = load(path)
    data = json.loads(json.dumps(drill.to_json(), allow_nan=False))
    assert data["file"] == str(path)
    assert data["text"] == path.read_text()
    assert data["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert data["name"] == path.stem
    assert [fault["one_way"] for fault in data["faults"]] == [f.one_way for f in drill.faults]
    for name, objective in data["objectives"].items():
        assert Objective.model_validate(objective) == drill.objectives[name]


def test_the_journal_has_seconds_and_fractions() -> None:
    data = load(library.find("region-outage")).to_json()
    assert data["steady_state"] == {"for": 5.0, "within": 60.0}
    assert data["recover_within"] == 60.0
    assert data["objectives"]["playback"] == {
        "rto": 120.0,
        "rpo": None,
        "availability": 0.4,
        "heals_within": None,
        "detects_within": None,
        "fails_over_within": None,
        "full_capacity_within": None,
        "fails_back_within": None,
        "stale": None,
        "in_order": False,
        "no_duplicates": False,
        "unaffected": False,
    }
    fault = {"at": 0.0, "kind": "region_outage", "lasts": 180.0, "mode": "hang"}
    known = {"one_way": False, "by_hand": False}
    (told,) = data["faults"]
    assert told.items() >= {**fault, **known, "region": "us-east-1"}.items()
    assert data["probes"]["history"]["every"] == 0.5
    assert data["stop_when"] == [{"probe": "west_canary", "down_for": 10.0}]


@pytest.mark.parametrize("path", library.shipped(), ids=lambda path: path.stem)
def test_the_lab_of_a_shipped_experiment_can_be_read(path: Path) -> None:
    drill = load(path)
    assert load_lab(drill, path).name == drill.lab
    assert not drill.brings_lab


def test_a_lab_may_lie_beside_its_experiment(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes((experiment.SYSTEMS / "streaming.yaml").read_bytes())
    path = tmp_path / "drill.yaml"
    text = library.find("region-outage").read_text()
    path.write_text(text.replace("lab: streaming\n", "lab: own.yaml\n"))
    assert load(path).brings_lab
    assert load_lab(load(path), path).name == "streaming"


def test_all_that_is_wrong_with_a_lab_is_told(tmp_path: Path) -> None:
    lab = tmp_path / "own.yaml"
    lab.write_text("name: own\nregion: us-east-1\n")
    with pytest.raises(InvalidInput) as caught:
        load_lab(made(lab="own.yaml"), tmp_path / "drill.yaml")
    assert caught.value.problems == (
        f"{lab}:1:1: dns: is missing",
        f"{lab}:1:1: regions: is missing",
        f"{lab}:2:1: region: is not known here; did you mean 'regions'?",
    )


@pytest.mark.parametrize(
    ("lab", "why"),
    [
        ("streamin", "there is no lab 'streamin'; did you mean 'streaming'?"),
        ("../systems/streaming", "there is no lab '../systems/streaming'"),
        ("own.yaml", "there is no file own.yaml beside this one"),
        (f"{'a' * 5000}.yaml", "there is no file"),
    ],
)
def test_a_lab_that_is_not_there(lab: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_lab(made(lab=lab), tmp_path / "drill.yaml")
    assert str(caught.value).startswith(f"{tmp_path}/drill.yaml: lab: {why}")


@pytest.mark.parametrize("name", ["faults", "probes", "objectives", "allow_irreversible"])
def test_what_is_too_long_is_not_looked_at_entry_by_entry(name: str) -> None:
    """Or a file at the limit of its size takes a minute to be refused."""
    entries: Any = [{}] * (MOST + 1) if name == "faults" else ["a"] * (MOST + 1)
    if name in ("probes", "objectives"):
        entries = {f"p{n}": {} for n in range(MOST + 1)}
    assert contradictions(sound_parts({"name": "drill", name: entries}, Experiment)) == []
