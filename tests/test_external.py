"""What people break: asked, marked, measured from the mark, asked back; in virtual time."""

from __future__ import annotations

import asyncio
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes import Look, LookLab, experiment

from chaos.cli import group
from chaos.environments import enter_key
from chaos.environments.attended import Attended, Marks, Operator, marks_beside
from chaos.errors import InvalidInput, JournalFailed
from chaos.experiment import Experiment
from chaos.history import History, Pull, fold
from chaos.journal import Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.rollback import incomplete, resume
from chaos.run import Run
from chaos.safety import plan
from chaos.testing import small_lab
from chaos.verdict import judge

DO, UNDO = "pull the plug", "plug it in again"
BY_HAND = {"kind": "external", "do": DO, "undo": UNDO, "lasts": 20, "within": 60}
Acts = dict[float, Callable[[LookLab, Marks], None]]  # by seconds after the asking


def break_it(lab: LookLab, _marks: Marks) -> None:
    lab.state["reachability"]["us-east-1"] = "drop"


def mend_it(lab: LookLab, _marks: Marks) -> None:
    lab.state["reachability"]["us-east-1"] = "open"


def mark(_lab: LookLab, marks: Marks) -> None:
    ((task, state),) = marks.waiting()
    marks.mark(task, state)


DOES: Acts = {3.0: break_it, 5.0: mark}
UNDOES: Acts = {2.0: mend_it, 4.0: mark}


def wanted(**changes: Any) -> Experiment:
    objectives = changes.pop("objectives", {"look": {"heals_within": 30}})
    faults = changes.pop("faults", [BY_HAND | changes.pop("fault", {})])
    return experiment(
        faults=faults, objectives=objectives, allow_irreversible=[], recover_within=30, **changes
    )


def carry_out(
    tmp_path: Path,
    wanted: Experiment,
    does: Acts,
    undoes: Acts,
    stop_after: float | None = None,
) -> tuple[History, list[Pull], list[str]]:
    """The run with a person beside it; returns what the journal tells, the pulls and the notes."""
    tmp_path.mkdir(exist_ok=True)
    path, lab, told = tmp_path / "journal.jsonl", LookLab(small_lab()), list[str]()
    marks = marks_beside(path)

    async def main() -> list[Pull]:
        now, stop, loop = Stopwatch(), Stop(), asyncio.get_running_loop()

        def tell(text: str) -> None:
            told.append(text)
            steps = undoes if UNDO in text else does
            for after, act in steps.items():
                loop.call_later(after, act, lab, marks)
            if stop_after is not None and len(told) == 1:
                loop.call_later(stop_after, stop.request, "stopped by SIGINT")

        attended = Attended(lab, Operator(wanted.to_json()["faults"], marks, tell))
        journal = Journal.create(path, now)
        header: dict[str, Any] = {
            "environment": attended.describe(),
            "experiment": wanted.to_json(),
        }
        header |= {"tool": "0", "wall": "2026-11-21T12:00:00+00:00", "fidelity": ["real"]}
        journal.write("run", v=1, run="r", speed=1, **header)
        try:
            async with asyncio.timeout(600):
                return await Run("r", wanted, attended, journal, stop, now).go()
        finally:
            journal.close()

    pulls = run_virtual(main())
    return fold(read(path)), pulls, told


def test_the_clocks_start_with_the_first_bad_attempt_when_the_mark_is_late(tmp_path: Path) -> None:
    history, pulls, told = carry_out(tmp_path, wanted(), DOES, UNDOES)
    assert [DO in told[0], UNDO in told[1], len(told)] == [True, True, 2]
    asked = history.pulls[0].at
    assert history.first_injection == pytest.approx(asked + 3, abs=1.0)
    assert history.faults[0].injected == pytest.approx(asked + 5, abs=0.5)
    assert [p.outcome for p in pulls] == ["restored"]
    assert judge(history).value == "held"


def test_the_clocks_start_with_the_mark_when_the_effect_comes_later(tmp_path: Path) -> None:
    history, _, _ = carry_out(tmp_path, wanted(), {1.0: mark, 4.0: break_it}, UNDOES)
    assert history.first_injection == history.faults[0].injected
    assert judge(history).value == "held"


def test_what_failed_and_was_back_before_the_mark_may_be_anothers_doing(tmp_path: Path) -> None:
    does = {3.0: break_it, 5.0: mend_it, 20.0: break_it, 22.0: mark, 24.0: mend_it}
    for rto, value in ((10, "unknown"), (30, "held"), (1, "broken")):
        promised = wanted(objectives={"look": {"rto": rto}}, fault={"lasts": 60})
        history, _, _ = carry_out(tmp_path / value, promised, does, UNDOES)
        asked = history.pulls[0].at
        assert history.first_injection == pytest.approx(asked + 3, abs=1.0)
        assert history.latest_injection == pytest.approx(asked + 20, abs=1.0)
        assert judge(history).value == value


def test_what_no_probe_sees_is_unknown_even_when_nothing_may_be_affected(tmp_path: Path) -> None:
    quiet = wanted(objectives={"look": {"unaffected": True}})
    history, _, _ = carry_out(tmp_path, quiet, {5.0: mark}, {4.0: mark})
    verdict = judge(history)
    assert verdict.value == "unknown"
    assert "nothing shows that external (faults[0]) was done" in verdict.reasons[0]


def test_the_named_witness_must_see_it(tmp_path: Path) -> None:
    probes = {
        "look": Look(every=1.0, timeout=0.5, confirm=1),
        "west": Look(every=1.0, timeout=0.5, confirm=1, region="us-west-2"),
    }
    history, _, _ = carry_out(
        tmp_path, wanted(probes=probes, fault={"seen_by": ["west"]}), DOES, UNDOES
    )
    assert "no attempt of west failed under it" in judge(history).reasons[0]


def test_nobody_marks_it_as_done(tmp_path: Path) -> None:
    history, pulls, told = carry_out(tmp_path, wanted(), {}, UNDOES)
    assert "nobody marked it as done within 60 s: pull the plug" in history.faults[0].error
    assert "if it was begun: plug it in again" in told[1]
    assert not incomplete(pulls)
    assert judge(history).value == "unknown"


def test_nobody_marks_it_as_undone_and_rollback_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(_: dict[str, Any], **__: Any) -> LookLab:
        return LookLab(small_lab())

    monkeypatch.setattr("chaos.rollback.attach", find)
    _, pulls, _ = carry_out(tmp_path, wanted(), DOES, {})
    (left,) = incomplete(pulls)
    assert "nobody marked it as undone within 60 s: plug it in again" in left.error
    path = tmp_path / "journal.jsonl"
    told: list[str] = []

    async def again() -> list[Pull]:
        def tell(text: str) -> None:
            told.append(text)
            asyncio.get_running_loop().call_later(5, mark, LookLab(small_lab()), marks_beside(path))

        return await resume(path, tell)

    assert [p.outcome for p in run_virtual(again())] == ["restored"]
    assert told == [f"BY HAND: once more: {UNDO} — then press Enter, or: chaos mark {tmp_path}"]


def test_a_mark_that_is_lost_says_nothing_of_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(_: dict[str, Any], **__: Any) -> LookLab:
        return LookLab(small_lab())

    def lose(_lab: LookLab, marks: Marks) -> None:
        shutil.rmtree(marks.directory)

    monkeypatch.setattr("chaos.rollback.attach", find)
    _, pulls, _ = carry_out(tmp_path, wanted(), {1.0: lose}, {1.0: lose})
    assert len(incomplete(pulls)) == 1
    shutil.rmtree(tmp_path / "marks")
    told: list[str] = []
    (still,) = run_virtual(resume(tmp_path / "journal.jsonl", told.append))
    assert still.outcome == "failed"
    assert UNDO in told[0]


def test_a_stop_need_not_wait_for_the_person_to_begin(tmp_path: Path) -> None:
    history, pulls, _ = carry_out(tmp_path, wanted(), {}, {4.0: mark}, stop_after=2.0)
    assert history.ended < 30
    assert not incomplete(pulls)
    assert history.stops == ("stopped by SIGINT",)


def test_the_levers_of_others_do_not_wait_for_the_person(tmp_path: Path) -> None:
    other = {"kind": "region_outage", "region": "us-west-2", "at": 1, "lasts": 100}
    both = wanted(faults=[BY_HAND, other])
    history, pulls, _ = carry_out(tmp_path, both, DOES, {50.0: mend_it, 52.0: mark}, stop_after=30)
    assert not incomplete(pulls)
    by_hand, outage = history.faults
    assert outage.ended is not None
    assert outage.ended == pytest.approx(history.pulls[0].at + 30, abs=1)
    assert by_hand.ended is not None
    assert by_hand.ended > outage.ended + 40
    assert [p.late for p in history.pulls if p.fault == 0] == [False]


def test_what_another_fault_may_have_broken_shows_nothing(tmp_path: Path) -> None:
    other = {"kind": "region_outage", "region": "us-east-1", "at": 1, "lasts": 24}
    for seen_by, known in (([], False), (["look"], True)):
        both = wanted(faults=[BY_HAND | {"seen_by": seen_by}, other])
        history, _, _ = carry_out(tmp_path / str(known), both, {5.0: mark}, {2.0: mark})
        doubt = "no attempt of any probe failed under it alone; name some in seen_by"
        assert any(doubt in reason for reason in judge(history).reasons) is not known


def test_a_mark_that_crosses_the_asking_back_does_not_hold_the_run(tmp_path: Path) -> None:
    def crossing(_lab: LookLab, marks: Marks) -> None:
        marks.put(DO, "done")

    history, pulls, _ = carry_out(
        tmp_path, wanted(), DOES, {1.0: crossing, 2.0: mend_it, 3.0: mark}
    )
    assert not incomplete(pulls)
    assert history.ended < 60


def test_a_plan_asks_nobody(tmp_path: Path) -> None:
    told: list[str] = []
    lab = LookLab(small_lab())
    operator = Operator(wanted().to_json()["faults"], Marks(tmp_path / "marks"), told.append)
    (planned,) = run_virtual(plan(wanted(), Attended(lab, operator)))
    assert (planned.prior, planned.value) == ("untouched", "handed out")
    assert told == []
    assert not (tmp_path / "marks").exists()


def test_nobody_can_be_asked_for_anything_else(tmp_path: Path) -> None:
    operator = Operator([], Marks(tmp_path), print)
    with pytest.raises(InvalidInput, match="nobody can be asked to dance"):
        run_virtual(operator.call("dance"))


def test_the_command_marks_and_says_so(tmp_path: Path) -> None:
    journal = tmp_path / "20261121-r" / "journal.jsonl"
    journal.parent.mkdir()
    journal.write_text("")
    call = ["mark", "latest", "--runs", str(tmp_path)]
    nothing = CliRunner().invoke(group, call)
    assert isinstance(nothing.exception, InvalidInput)
    assert "nothing waits for a mark" in str(nothing.exception)
    marks_beside(journal).put(DO, "to do")
    assert CliRunner().invoke(group, call).output == f"marked as done: {DO}\n"
    assert marks_beside(journal).state(DO) == "done"


def test_one_call_marks_one_task(tmp_path: Path) -> None:
    journal = tmp_path / "20261121-r" / "journal.jsonl"
    journal.parent.mkdir()
    journal.write_text("")
    marks, call = marks_beside(journal), ["mark", "latest", "--runs", str(tmp_path)]
    marks.put(DO, "to undo")
    marks.put("cut the cable", "to do")
    which = CliRunner().invoke(group, call)
    assert "more than one waits for a mark" in str(which.exception)
    assert f"'{DO}' (to undo)" in str(which.exception)
    done = CliRunner().invoke(group, [*call, "--task", "cable"])
    assert done.output == "marked as done: cut the cable\n"
    assert marks.waiting() == [(DO, "to undo")]


def test_what_is_no_mark_is_told(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.put(DO, "to do")
    next(tmp_path.glob("*.json")).write_text("not so")
    with pytest.raises(JournalFailed, match="is no mark of ours"):
        marks.waiting()
    with pytest.raises(JournalFailed, match="is no mark of ours"):
        marks.state(DO)


AT_A_TERMINAL = """
import os, select, sys
from chaos.environments import enter_key

os.login_tty(int(sys.argv[1]))
print("ready", flush=True)
select.select([0], [], [])
enter_key.forget()
print("pressed" if enter_key.pressed() else "forgotten", flush=True)
select.select([0], [], [])
print("pressed" if enter_key.pressed() else "nothing", flush=True)
"""


def test_enter_at_the_terminal_is_a_mark_and_what_was_typed_before_is_none() -> None:
    terminal, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, str(theirs)], pass_fds=[theirs]
    ) as person:
        os.close(theirs)
        _until(terminal, b"ready")
        os.write(terminal, b"typed before\n")
        _until(terminal, b"forgotten")
        os.write(terminal, b"\n")
        _until(terminal, b"pressed")
    assert person.returncode == 0
    os.close(terminal)


def test_without_a_terminal_nobody_presses_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not enter_key.pressed()
    enter_key.forget()
    monkeypatch.setattr(sys, "stdin", None)
    assert not enter_key.pressed()


def _until(fd: int, text: bytes) -> bytes:
    got = b""
    while text not in got:
        got += os.read(fd, 1024)
    return got
