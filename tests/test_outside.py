"""The copy of the journal outside: a pull is in it before its lever moves; all else may lag."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import LookLab, experiment

from chaos.errors import JournalFailed
from chaos.history import History, Pull, fold
from chaos.journal import Event, Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.outside import WITHIN_S, tell_outside
from chaos.record import Stop
from chaos.rollback import resume
from chaos.run import Run
from chaos.testing import small_lab

Outside = Callable[[Event], Awaitable[None]]


def carry_out(tmp_path: Path, lab: LookLab, outside: Outside) -> tuple[History, list[Pull]]:
    path = tmp_path / "run" / "journal.jsonl"

    async def main() -> list[Pull]:
        now = Stopwatch()
        journal = Journal.create(path, now)
        journal.write("run", v=1, run="r", environment={}, experiment=experiment().to_json())
        journal.outside = outside
        try:
            return await Run("r", experiment(), lab, journal, Stop(), now).go()
        finally:
            journal.close()

    pulls = run_virtual(main())
    return fold(read(path)), pulls


def refusing(*events: str) -> tuple[Outside, list[Event]]:
    """A copy that does not take these events, and what it has been given."""
    given: list[Event] = []

    async def outside(event: Event) -> None:
        given.append(event)
        if event["event"] in events:
            raise JournalFailed("s3://undo: AccessDenied")

    return outside, given


def test_a_pull_is_on_disk_and_outside_before_its_lever_is_touched(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    path = tmp_path / "run" / "journal.jsonl"
    touched: list[int] = []
    taken: list[int] = []
    lab.before = lambda: touched.append(len(taken))

    async def outside(event: Event) -> None:
        assert event in read(path)
        if event["event"] == "pull":
            assert len(touched) == event["pull"]
            taken.append(event["pull"])

    _, pulls = carry_out(tmp_path, lab, outside)
    assert taken == [0, 1, 2, 3, 4]
    assert touched[:5] == [1, 2, 3, 4, 5]
    assert {pull.outcome for pull in pulls} == {"restored", "kept"}


def test_it_is_told_all_that_a_rollback_elsewhere_needs(tmp_path: Path) -> None:
    outside, given = refusing()
    carry_out(tmp_path, LookLab(small_lab()), outside)
    names = [event["event"] for event in given]
    assert names[:2] == ["pull", "pulled"]
    assert (names.count("pull"), names.count("pulled"), names.count("restored")) == (5, 5, 5)
    assert names[-1] == "end"


def test_a_pull_that_it_does_not_take_is_not_made_and_all_before_it_goes_back(
    tmp_path: Path,
) -> None:
    lab = LookLab(small_lab())
    taken: list[Event] = []

    async def outside(event: Event) -> None:
        if event["event"] == "pull" and event["pull"] == 2:
            raise JournalFailed("s3://undo: AccessDenied")
        taken.append(event)

    history, pulls = carry_out(tmp_path, lab, outside)
    assert history.stops == ("region_outage failed: s3://undo: AccessDenied",)
    assert [pull.outcome for pull in pulls] == ["restored", "restored", "already"]
    assert not history.open_pulls
    assert lab.state["api_rules"] == {}
    assert lab.state["replication"] == small_lab()["replication"]
    assert lab.state["instances"]["i-1"] == "running"


@pytest.mark.parametrize("event", ["pulled", "restored", "end"])
def test_else_a_copy_that_fails_is_told_once_and_keeps_nothing_broken(
    tmp_path: Path, event: str
) -> None:
    lab = LookLab(small_lab())
    outside, given = refusing(event)
    history, pulls = carry_out(tmp_path, lab, outside)
    assert {pull.outcome for pull in pulls} == {"restored", "kept"}
    assert history.notes == ("the copy of the journal is behind: s3://undo: AccessDenied",)
    assert history.stops == ()
    assert [e["event"] for e in given].count("restored") == 5  # it goes on with the others


def test_a_copy_that_hangs_delays_no_lever_and_ends(tmp_path: Path) -> None:
    lab = LookLab(small_lab())

    async def outside(event: Event) -> None:
        if event["event"] == "restored":
            await asyncio.Event().wait()

    history, _ = carry_out(tmp_path, lab, outside)
    outage = history.faults[0]
    assert outage.lifting is not None
    assert outage.ended is not None
    assert outage.ended - outage.lifting < WITHIN_S
    assert f"took more than {WITHIN_S:g} s" in history.notes[0]
    assert not history.open_pulls


def test_a_defect_of_the_copy_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def outside(_: Event) -> None:
        raise ZeroDivisionError("a defect")

    async def main() -> None:
        journal = Journal.create(tmp_path / "run" / "journal.jsonl", Stopwatch())
        journal.outside = outside
        await tell_outside(journal, {"event": "end"}, {"event": "end"})
        journal.close()

    run_virtual(main())
    assert caplog.text.count("ZeroDivisionError: a defect") == 2
    told = [event["event"] for event in read(tmp_path / "run" / "journal.jsonl")]
    assert told == ["note"]


def test_what_another_process_puts_back_is_in_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = LookLab(small_lab())
    outside, _ = refusing()
    carry_out(tmp_path, lab, outside)
    path = tmp_path / "run" / "journal.jsonl"
    cut = [
        line for line in path.read_bytes().splitlines(keepends=True) if b'"restored"' not in line
    ]
    path.write_bytes(b"".join(cut))

    async def find(*_: Any, **__: Any) -> LookLab:
        return lab

    monkeypatch.setattr("chaos.rollback.attach", find)
    outside, given = refusing()
    pulls = run_virtual(resume(path, print, outside=outside))
    assert len(pulls) == 5
    assert [event["event"] for event in given] == ["restored"] * 5
