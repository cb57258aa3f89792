"""Journals that are damaged, or were edited by hand: what there is goes back, the rest is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from click.testing import CliRunner

from chaos import levers, rollback
from chaos.cli import group
from chaos.environments.environment import Environment
from chaos.errors import JournalFailed
from chaos.history import load
from chaos.journal import Event

PULL: Event = {"event": "pull", "fault": 0, "account": None, "prior": "on", "value": "off"}
RUN: Event = {"event": "run", "v": 1, "run": "r", "environment": {"kind": "embedded"}}
EXPERIMENT: dict[str, Any] = {"probes": {}, "faults": [{"kind": "region_outage"}]}
ZEROS = bytes(40)


@dataclass(frozen=True)
class Switch:
    name: str

    kind: ClassVar[str] = "switch"
    irreversible: ClassVar[bool] = False
    states: ClassVar[dict[str, str]] = {}

    async def read(self, _: object) -> str:
        return self.states.get(self.name, "off")

    async def set(self, _: object, value: str) -> None:
        self.states[self.name] = value


class Place:
    kind = "embedded"
    stale_s = 0.0

    def at(self, _: object) -> Environment:
        return cast("Environment", self)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    async def reach(*_: object) -> Environment:
        return cast("Environment", Place())

    monkeypatch.setitem(levers.KINDS, "switch", Switch)
    monkeypatch.setattr(rollback, "reach", reach)
    Switch.states.clear()


def pull(number: int) -> Event:
    return {**PULL, "pull": number, "lever": {"kind": "switch", "name": f"s{number}"}}


def about(number: int, event: str = "pulled", **more: str) -> Event:
    return {"event": event, "pull": number, **more}


def journal(path: Path, *lines: Event | bytes, header: Event | None = None) -> Path:
    """A journal of these lines behind its header."""
    journal = path / "r" / "journal.jsonl"
    journal.parent.mkdir(exist_ok=True)
    whole: list[Event | bytes] = [header or {**RUN, "experiment": EXPERIMENT}, *lines]
    told = [
        line if isinstance(line, bytes) else json.dumps({"n": n, "t": float(n), **line}).encode()
        for n, line in enumerate(whole)
    ]
    journal.write_bytes(b"".join(line + b"\n" for line in told))
    return journal


def without(name: str) -> Event:
    return {key: value for key, value in pull(0).items() if key != name}


BROKEN = {
    "zeros": ZEROS,
    "a list": b"[1, 2]",
    "a lever of no kind": {**pull(0), "lever": {}},
    "no lever": {**pull(0), "lever": None},
    "a kind that is none": {**pull(0), "lever": {"kind": []}},
    "no prior": without("prior"),
    "no number": without("pull"),
    "a number that is none": {**pull(0), "pull": "0"},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_other_pulls_go_back_and_the_broken_one_is_told(
    tmp_path: Path, broken: Event | bytes
) -> None:
    path = journal(tmp_path, broken, about(0), pull(1), about(1))
    told = CliRunner().invoke(group, ["rollback", str(path)])
    assert told.exit_code == 4, told.output
    assert Switch.states == {"s1": "on"}
    assert "the pull 0 cannot be read, so its lever is not put back" in told.output
    assert "nothing is left open" not in told.output


def test_the_last_line_but_one_may_have_been_a_pull(tmp_path: Path) -> None:
    path = journal(tmp_path, pull(0), about(0), ZEROS, {"event": "note", "text": "x"})
    told = CliRunner().invoke(group, ["rollback", str(path), "--json"])
    assert told.exit_code == 4, told.output
    assert json.loads(told.output)["lost"] == [
        "line 4 cannot be read; if it told of a pull, that lever is not put back"
    ]
    assert Switch.states == {"s0": "on"}


def test_check_tells_of_it_too(tmp_path: Path) -> None:
    path = journal(tmp_path, pull(0), about(0, "restored", outcome="restored"), ZEROS)
    told = CliRunner().invoke(group, ["rollback", str(path), "--check"])
    assert told.exit_code == 4, told.output
    assert told.output.splitlines()[0].startswith("line 4 cannot be read")
    assert "nothing else is open" in told.output


HARMLESS: dict[str, list[Event | bytes]] = {
    "something before a pull that is there": [ZEROS, pull(0)],
    "a pull that went back": [ZEROS, about(0, "restored", outcome="restored"), pull(1)],
    "something of a run that came to its end": [pull(0), ZEROS, {"event": "end"}],
}


@pytest.mark.parametrize("lines", HARMLESS.values(), ids=HARMLESS)
def test_what_surely_hides_no_open_pull_is_no_matter(
    tmp_path: Path, lines: list[Event | bytes]
) -> None:
    assert load(journal(tmp_path, *lines), salvage=True).lost == ()


BESIDES: dict[str, Event] = {
    "samples of which a bit was changed": {"event": "samples", "probe": "page", "columns": "x"},
    "a sample of which half is there": {"event": "sample", "probe": "page"},
    "a call of which half is there": {"event": "call", "pull": 0},
    "a call of tomorrow": {"event": "call", "service": 1},
    "a phase without a name": {"event": "phase"},
    "a fault in a state of tomorrow": {"event": "fault", "fault": 0, "kind": "x", "state": "?"},
    "what ledgers had": {"event": "ledger"},
}


@pytest.mark.parametrize("other", BESIDES.values(), ids=BESIDES)
def test_what_is_not_about_levers_keeps_none_from_going_back(tmp_path: Path, other: Event) -> None:
    """Nor does it take time: a long run has millions of samples."""
    path = journal(tmp_path, pull(0), about(0), other)
    told = CliRunner().invoke(group, ["rollback", str(path)])
    assert told.exit_code == 0, (told.output, told.exception)
    assert Switch.states == {"s0": "on"}


def test_a_pull_that_did_not_go_back_is_missed(tmp_path: Path) -> None:
    path = journal(tmp_path, ZEROS, about(0, "restored", outcome="conflict"), {"event": "end"})
    assert len(load(path, salvage=True).lost) == 1


def test_what_is_not_known_of_a_pull_is_no_matter(tmp_path: Path) -> None:
    (found,) = load(journal(tmp_path, {**pull(0), "of tomorrow": 1}), salvage=True).pulls
    assert found.prior == "on"


@pytest.mark.parametrize("environment", [None, "aws", {}, {"kind": "aws", "endpoint": 5}])
def test_an_environment_that_is_none_is_said(tmp_path: Path, environment: object) -> None:
    from chaos.environments.attach import attach

    with pytest.raises(JournalFailed, match="does not say where its environment is"):
        asyncio.run(attach(cast("dict[str, Any]", environment)))
