"""The order of things in a run, whatever goes wrong in it; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from fakes import Look, LookLab, LookLedger, experiment

from chaos import faults
from chaos.errors import CallFailed
from chaos.experiment import Experiment
from chaos.faults.fault import Fault, Fidelity
from chaos.faults.fault import Look as Looking
from chaos.faults.fault import Pull as Pulling
from chaos.history import History, Pull, fold
from chaos.journal import Journal, read
from chaos.levers.lab import Reachability
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.run import Run
from chaos.testing import small_lab

Prepare = Callable[[Stop, Journal], None]


def carry_out(
    tmp_path: Path,
    lab: LookLab,
    wanted: Experiment,
    prepare: Prepare = lambda _stop, _journal: None,
) -> tuple[History, list[Pull]]:
    """Run it on the virtual loop; returns what the journal tells, and the pulls."""
    path = tmp_path / "journal.jsonl"

    async def main() -> list[Pull]:
        now, stop = Stopwatch(), Stop()
        journal = Journal.create(path, now)
        journal.write("run", v=1, run="r", environment=lab.describe(), experiment=wanted.to_json())
        prepare(stop, journal)
        try:
            async with asyncio.timeout(600):
                return await Run("r", wanted, lab, journal, stop, now).go()
        finally:
            journal.close()

    pulls = run_virtual(main())
    return fold(read(path)), pulls


def at(event: str, do: Callable[[], None], **fields: Any) -> Callable[[dict[str, Any]], None]:
    """A watcher of the journal that acts once, at the first event that looks like that."""
    done: list[bool] = []

    def watch(entry: dict[str, Any]) -> None:
        fits = entry["event"] == event and all(entry.get(k) == v for k, v in fields.items())
        if fits and not done:
            done.append(True)
            do()

    return watch


def test_the_phases_come_in_order_and_everything_goes_back(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    history, pulls = carry_out(tmp_path, lab, experiment())
    assert [phase for phase, _ in history.phases] == [
        "steady",
        "inject",
        "hold",
        "rollback",
        "recover",
        "judge",
    ]
    assert [p.outcome for p in pulls] == ["restored"] * 4 + ["kept"]
    assert list(history.pulls) == [
        *(p for p in history.pulls if p.outcome == "restored"),
        *(p for p in history.pulls if p.outcome == "kept"),
    ]
    assert history.finished
    assert not history.open_pulls
    assert lab.state["reachability"] == {"us-east-1": "open"}
    outage, death = history.faults
    assert outage.ended is not None
    assert outage.injected is not None
    assert outage.ended - outage.injected == pytest.approx(3)
    assert death.ended is None  # nothing lifts it


def test_without_a_steady_state_nothing_is_touched(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"
    history, pulls = carry_out(tmp_path, lab, experiment())
    assert pulls == []
    assert not any(call.startswith(("put_", "terminate_")) for call, _ in lab.calls)
    assert history.stops == (
        "no steady state within 5 s: not good: look (unreachable); nothing was broken",
    )
    assert [phase for phase, _ in history.phases] == ["steady", "rollback", "judge"]


@pytest.mark.parametrize(
    "moment",
    [
        {"event": "phase", "phase": "steady"},
        {"event": "sample"},
        {"event": "phase", "phase": "inject"},
        {"event": "pull", "pull": 0},
        {"event": "pull", "pull": 2},
        {"event": "phase", "phase": "hold"},
        {"event": "pull", "pull": 4},
        {"event": "fault", "state": "lifting"},
        {"event": "restored"},
        {"event": "phase", "phase": "rollback"},
        {"event": "phase", "phase": "recover"},
    ],
    ids=lambda m: "-".join(str(v) for v in m.values()),
)
def test_a_stop_at_any_moment_puts_everything_back(tmp_path: Path, moment: dict[str, Any]) -> None:
    lab = LookLab(small_lab())

    def stop_there(stop: Stop, journal: Journal) -> None:
        journal.watchers.append(at(**moment, do=lambda: stop.request("stopped by SIGINT")))
        journal.watchers.append(at(**moment, do=lambda: stop.request("stopped by SIGINT")))

    history, pulls = carry_out(tmp_path, lab, experiment(), stop_there)
    assert history.stops == ("stopped by SIGINT", "stopped by SIGINT")
    assert history.finished
    assert not history.open_pulls
    assert not [p for p in pulls if p.outcome == "open"]
    assert lab.state["api_rules"] == {}
    assert lab.state["replication"] == small_lab()["replication"]
    assert lab.state["reachability"].get("us-east-1", "open") == "open"


def test_a_stop_condition_ends_the_run(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    history, _ = carry_out(
        tmp_path,
        lab,
        experiment(
            faults=[{"kind": "region_outage", "region": "us-east-1", "lasts": 60}],
            stop_when=[{"probe": "look", "down_for": 3}],
            objectives={"look": {"heals_within": 5}},
        ),
    )
    assert history.stops == ("stop_when: look was down for 3 s",)
    lifted, began = history.faults[0].ended, history.faults[0].began
    assert lifted is not None
    assert began is not None
    assert 3 <= lifted - began < 6
    assert not history.open_pulls


def test_a_stop_condition_counts_only_while_something_is_broken(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"

    def heal_later(_: Stop, __: Journal) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(3, lab.state["reachability"].update, {"us-east-1": "open"})

    history, _ = carry_out(
        tmp_path,
        lab,
        experiment(
            faults=[{"kind": "region_outage", "region": "us-west-2", "lasts": 3}],
            stop_when=[{"probe": "look", "down_for": 2}],
        ),
        heal_later,
    )
    assert history.stops == ()


def test_a_call_that_fails_during_injection_ends_in_a_rollback(tmp_path: Path) -> None:
    lab = LookLab(small_lab())

    def refuse() -> None:
        if lab.calls[-1][0] == "put_reachability" and lab.calls[-1][1]["state"] == "drop":
            raise CallFailed("lab put_reachability", "AccessDenied", "you may not")

    lab.before = refuse
    history, pulls = carry_out(tmp_path, lab, experiment())
    why = "lab put_reachability failed: AccessDenied: you may not"
    assert history.stops == (f"region_outage failed: {why}",)
    assert history.faults[0].error == why
    assert {p.outcome for p in pulls} == {"restored", "already"}
    assert lab.state["replication"] == small_lab()["replication"]
    assert lab.state["instances"]["i-1"] == "running"  # the second fault did not come


def test_a_lever_that_does_not_take_is_a_failed_injection(tmp_path: Path) -> None:
    class Inert(LookLab):
        def _put_reachability(self, **_: Any) -> None:
            pass

    history, _ = carry_out(tmp_path, Inert(small_lab()), experiment())
    assert history.stops == (
        "region_outage failed: reachability us-east-1 was set to drop but reads open",
    )


def test_a_one_way_door_that_is_not_allowed_stays_shut(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    closed = experiment().model_copy(update={"allow_irreversible": []})
    history, _ = carry_out(tmp_path, lab, closed)
    assert "allow_irreversible: [instance_termination]" in history.stops[0]
    assert lab.state["instances"] == small_lab()["instances"]


def test_somebody_elses_change_is_a_conflict(tmp_path: Path) -> None:
    lab = LookLab(small_lab())

    def meddle(_: Stop, journal: Journal) -> None:
        change = {"us-east-1": "refuse"}
        journal.watchers.append(
            at("phase", lambda: lab.state["reachability"].update(change), phase="hold")
        )

    history, pulls = carry_out(tmp_path, lab, experiment(), meddle)
    assert [p.outcome for p in pulls].count("conflict") == 1
    assert [p.lever["kind"] for p in history.open_pulls] == ["reachability"]
    assert history.faults[0].ended is None  # it was not lifted
    assert lab.state["reachability"]["us-east-1"] == "refuse"


def test_ledgers_are_read_before_the_lifting_and_at_the_end(tmp_path: Path) -> None:
    lab = LookLab({**small_lab(), "written": [0, 1, 2]})
    ledger = LookLedger(every=1.0, timeout=0.5, confirm=1)
    history, _ = carry_out(tmp_path, lab, experiment(probes={"look": ledger}))
    lifting = history.faults[0].lifting
    assert lifting is not None
    reads = [(r.when, r.found) for r in history.ledgers]
    assert reads == [("failover", (0, 1, 2)), ("failover", (0, 1, 2)), ("end", (0, 1, 2))]
    assert history.ledgers[0].t <= lifting


def test_a_ledger_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    class Hanging(LookLedger):
        async def read(self, *_: Any) -> list[int]:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    probe = Hanging(every=1.0, timeout=0.5, confirm=1)
    history, _ = carry_out(tmp_path, LookLab(small_lab()), experiment(probes={"look": probe}))
    assert {(r.found, r.error) for r in history.ledgers} == {((), "no answer within 500 ms")}


def test_a_read_that_fails_without_a_word_has_failed_all_the_same(tmp_path: Path) -> None:
    """asyncio says no more than this when a server closes in the middle of a TLS handshake."""

    class Speechless(LookLedger):
        async def read(self, *_: Any) -> list[int]:
            raise ConnectionResetError

    probe = Speechless(every=1.0, timeout=0.5, confirm=1)
    history, _ = carry_out(tmp_path, LookLab(small_lab()), experiment(probes={"look": probe}))
    assert {r.error for r in history.ledgers} == {"ConnectionResetError"}


class Defective(Fault):
    """Pulls one lever and then breaks."""

    summary: ClassVar[str] = "a defect"
    fidelity: ClassVar[dict[str, Fidelity]] = {"embedded": "lab"}
    kind: Literal["defective"]
    changes: bool = False

    async def inject(self, look: Looking, pull: Pulling) -> None:
        if self.changes:
            await look("ec2", "us-east-1", "terminate_instances", InstanceIds=["i-1"])
        await pull(Reachability(scope="us-east-1"), "drop")
        raise ZeroDivisionError("a defect")


def test_a_defect_of_a_fault_is_logged_and_all_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(faults.KINDS, "defective", Defective)
    lab = LookLab(small_lab())
    wanted = experiment(faults=[{"kind": "defective", "lasts": 3}])
    history, _ = carry_out(tmp_path, lab, wanted)
    assert "ZeroDivisionError: a defect" in caplog.text
    assert history.stops == ("defective failed: a defect",)
    assert history.finished
    assert lab.state["reachability"] == {"us-east-1": "open"}


def test_two_faults_may_not_pull_the_same_lever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(faults.KINDS, "defective", Defective)
    outage = {"kind": "region_outage", "region": "us-east-1", "lasts": 9}
    twice = experiment(faults=[outage, {"kind": "defective", "lasts": 9, "at": 1}])
    lab = LookLab(small_lab())
    history, pulls = carry_out(tmp_path, lab, twice)
    assert history.stops == (
        "defective failed: reachability us-east-1 is already pulled by another fault of this run",
    )
    assert {p.outcome for p in pulls} == {"restored"}
    assert lab.state["reachability"] == {"us-east-1": "open"}


def test_a_fault_can_change_nothing_but_by_pulling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(faults.KINDS, "defective", Defective)
    lab = LookLab(small_lab())
    meddler = experiment(faults=[{"kind": "defective", "lasts": 3, "changes": True}])
    history, _ = carry_out(tmp_path, lab, meddler)
    assert history.stops == (
        "defective failed: a fault may only look, and ec2 terminate_instances is no look",
    )
    assert lab.state["instances"]["i-1"] == "running"


def test_a_full_disk_ends_the_run_and_everything_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = LookLab(small_lab())
    full: list[bool] = []
    real = Journal._append

    def append(journal: Journal, line: bytes) -> None:
        if full and journal._reserve.exists():
            raise OSError(28, "No space left on device")
        real(journal, line)

    monkeypatch.setattr(Journal, "_append", append)

    def fill(_: Stop, journal: Journal) -> None:
        journal.watchers.append(at("phase", lambda: full.append(True), phase="hold"))

    history, pulls = carry_out(tmp_path, lab, experiment(), fill)
    assert "No space left on device" in history.stops[0]
    assert history.finished  # the reserve took the record of the rollback
    assert not history.open_pulls
    assert {p.outcome for p in pulls} == {"restored"}
    assert lab.state["reachability"] == {"us-east-1": "open"}


def test_a_disk_that_takes_nothing_at_all_keeps_nothing_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = LookLab(small_lab())

    def fill(_: Stop, journal: Journal) -> None:
        def append(_line: bytes) -> None:
            raise OSError(5, "Input/output error")

        journal.watchers.append(
            at("phase", lambda: monkeypatch.setattr(journal, "_append", append), phase="hold")
        )

    _, pulls = carry_out(tmp_path, lab, experiment(), fill)
    assert {p.outcome for p in pulls} == {"restored"}
    assert lab.state["reachability"] == {"us-east-1": "open"}


def test_a_run_that_is_cancelled_puts_everything_back_all_the_same(tmp_path: Path) -> None:
    lab = LookLab(small_lab())

    def cancel(_: Stop, journal: Journal) -> None:
        task = asyncio.current_task()
        assert task is not None

        def cancel_it() -> None:
            task.cancel()

        journal.watchers.append(at("pull", cancel_it, pull=2))

    with pytest.raises(asyncio.CancelledError):
        carry_out(tmp_path, lab, experiment(), cancel)
    history = fold(read(tmp_path / "journal.jsonl"))
    # The last one was recorded and then not set any more.
    assert [p.outcome for p in history.pulls] == ["restored", "restored", "already"]
    assert lab.state["api_rules"] == {}


def test_a_stop_while_a_pull_waits_for_its_turn_keeps_it_from_being_pulled(tmp_path: Path) -> None:
    lab = LookLab(small_lab())

    async def slow(event: dict[str, Any]) -> None:
        if event["event"] == "pull" and event["pull"] == 3:
            await asyncio.sleep(2)

    def stop_soon(stop: Stop, journal: Journal) -> None:
        journal.outside = slow
        loop = asyncio.get_running_loop()

        def soon() -> None:
            loop.call_later(1.5, stop.request, "stopped by SIGINT")

        journal.watchers.append(at("phase", soon, phase="inject"))

    history, _ = carry_out(tmp_path, lab, experiment(), stop_soon)
    assert [p.lever["kind"] for p in history.pulls][-1] == "reachability"
    assert lab.state["instances"]["i-1"] == "running"
    assert not [1 for _, params in lab.calls if params.get("state") == "drop"]


def test_a_probe_that_hangs_is_not_steady(tmp_path: Path) -> None:
    class Hanging(Look):
        async def check(self, net: Any, attempt: Any) -> None:
            if attempt.n > 0:
                await asyncio.Event().wait()

    probes = {
        "look": Look(every=1.0, timeout=0.5, confirm=1),
        "slow": Hanging(every=1.0, timeout=8.0, confirm=1),
    }
    lab = LookLab(small_lab())
    wanted = experiment(probes=probes, steady_state={"for": 5, "within": 20})
    history, pulls = carry_out(tmp_path, lab, wanted)
    assert pulls == []
    assert "no steady state" in history.stops[0]


def test_an_environment_that_ends_ends_the_run(tmp_path: Path) -> None:
    class Ending(LookLab):
        async def ended(self) -> str:
            await asyncio.sleep(2.5)
            return "the lab has ended, with exit code -9"

    history, _ = carry_out(tmp_path, Ending(small_lab()), experiment())
    assert history.stops == ("the lab has ended, with exit code -9",)
    assert not history.open_pulls


def test_the_probes_see_what_was_done(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    outage = {"kind": "region_outage", "region": "us-east-1", "lasts": 2.75}
    look = Look(every=0.5, timeout=0.25, confirm=1)
    history, _ = carry_out(tmp_path, lab, experiment(faults=[outage], probes={"look": look}))
    assert (history.first_injection, history.faults[0].ended) == (1, 3.75)
    bad = [s.due for s in history.samples["look"] if not s.ok]
    assert bad == [1.5, 2, 2.5, 3, 3.5]


def test_a_defect_in_the_following_of_samples_ends_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lab = LookLab(small_lab())

    def break_it(_: Stop, journal: Journal) -> None:
        def break_now() -> None:
            raise ZeroDivisionError("a defect")

        journal.watchers.append(at("sample", break_now, attempt=2))

    history, _ = carry_out(tmp_path, lab, experiment(), break_it)
    assert "ZeroDivisionError: a defect" in caplog.text
    assert history.stops[0].startswith("the schedule of a probe broke: ")
    assert not history.open_pulls
