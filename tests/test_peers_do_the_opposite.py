"""What a well-known tool gets wrong, row by row, and that it goes the other way here.

Each row is a situation in which that tool ends with exit code 0, or lets harm stay. Runs are real
ones, in virtual time, judged as `chaos run` judges them; what has to do with files goes through the
command itself.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import Look, LookLab, experiment
from installed_package import installed

from chaos import safety
from chaos.cli.ending import conclude
from chaos.errors import CallFailed, ChaosError
from chaos.experiment import Experiment
from chaos.history import History, fold
from chaos.journal import Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.run import Run
from chaos.secrets import Secrets
from chaos.testing import small_lab
from probes.net import Net
from probes.probe import Attempt, ProbeFailed

HELD, BROKEN, INVALID, UNKNOWN, NOT_BACK = range(5)
OUTAGE = {"kind": "region_outage", "region": "us-east-1", "lasts": 3}
FILE = """
name: drill
probes: {api: {kind: http, url: "http://api.stream.example/playback"}}
faults: [{kind: region_outage, region: us-east-1, lasts: 60s}]
objectives: {api: {heals_within: 10s}}
"""

Prepare = Callable[[Stop, Journal], None]


def ended(
    directory: Path,
    lab: LookLab,
    wanted: Experiment,
    prepare: Prepare = lambda _stop, _journal: None,
) -> tuple[int, History]:
    """Carry it out; what the command exits with, and what the journal tells."""
    path = directory / "run" / "journal.jsonl"

    async def main() -> None:
        now, stop = Stopwatch(), Stop()
        journal = Journal.create(path, now)
        header = {"v": 1, "run": "r", "wall": "2025-01-01T00:00:00+00:00", "tool": "0", "speed": 1}
        told = {"environment": lab.describe(), "experiment": wanted.to_json()}
        journal.write("run", **header, **told, fidelity=["lab" for _ in wanted.faults])
        prepare(stop, journal)
        try:
            async with asyncio.timeout(3600):
                await Run("r", wanted, lab, journal, stop, now).go()
        finally:
            journal.close()

    run_virtual(main())
    return conclude(path), fold(read(path))


def unchanged(lab: LookLab) -> bool:
    """Whether the lab is as it was, whatever it notes of what is open."""
    lab.state["reachability"] = {
        scope: state for scope, state in lab.state["reachability"].items() if state != "open"
    }
    return lab.state == small_lab()


def chaos(directory: Path, text: str, *args: str) -> subprocess.CompletedProcess[str]:
    (directory / "drill.yaml").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "chaos", *args],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refused(directory: Path, text: str, says: str) -> None:
    """`chaos run` ends with 2 and that sentence, and has left no trace of a run."""
    done = chaos(directory, text, "run", "drill.yaml")
    assert (done.returncode, done.stdout) == (INVALID, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in directory.iterdir()] == ["drill.yaml"]


def test_steady_state_not_met_is_no_success_and_nothing_is_undone(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"
    code, history = ended(tmp_path, lab, experiment())
    assert code == UNKNOWN
    assert history.pulls == ()
    assert not any(call.startswith(("put_", "terminate_")) for call, _ in lab.calls)


def test_an_action_that_raises_is_no_success(tmp_path: Path) -> None:
    lab = LookLab(small_lab())

    def denied() -> None:
        lab.before = lambda: None
        raise CallFailed("ec2 put_reachability", "AccessDenied", "not you")

    lab.before = denied
    code, history = ended(tmp_path, lab, experiment(faults=[OUTAGE]))
    assert code == UNKNOWN
    assert "AccessDenied" in history.stops[0]
    assert unchanged(lab)


def test_a_rollback_that_fails_is_the_loudest_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = LookLab(small_lab())

    def nothing_goes_back(_stop: Stop, journal: Journal) -> None:
        def deny() -> None:
            raise CallFailed("lab", "AccessDenied", "not any more")

        def watch(event: dict[str, Any]) -> None:
            if event["event"] == "fault" and event["state"] == "lifting":
                lab.before = deny

        journal.watchers.append(watch)

    code, history = ended(tmp_path, lab, experiment(faults=[OUTAGE]), nothing_goes_back)
    assert code == NOT_BACK
    assert history.open_pulls
    assert "chaos rollback" in capsys.readouterr().out


def test_an_objective_that_fails_on_every_sample_is_broken(tmp_path: Path) -> None:
    faults = [{**OUTAGE, "lasts": 30}]
    wanted = experiment(faults=faults, objectives={"look": {"availability": 0.1}})
    code, history = ended(tmp_path, LookLab(small_lab()), wanted)
    assert code == BROKEN
    during = [s for s in history.samples["look"] if not s.ok]
    assert during
    assert len(during) >= 28


def test_an_outage_that_heals_before_the_end_is_broken_still(tmp_path: Path) -> None:
    """Good samples at its end do not hide the bad ones in between."""
    lab = LookLab(small_lab())
    wanted = experiment(
        faults=[{**OUTAGE, "lasts": 30}], objectives={"look": {"availability": 0.999}}
    )

    def heal_after_two_seconds(_stop: Stop, journal: Journal) -> None:
        def watch(event: dict[str, Any]) -> None:
            if event["event"] == "phase" and event["phase"] == "hold":
                loop = asyncio.get_running_loop()
                loop.call_later(2, lab.state["reachability"].update, {"us-east-1": "open"})
                loop.call_later(25, lab.state["reachability"].update, {"us-east-1": "drop"})

        journal.watchers.append(watch)

    # The lever is moved behind the run's back and moved again, so that its rollback finds it.
    code, history = ended(tmp_path, lab, wanted, heal_after_two_seconds)
    assert code == BROKEN
    assert history.samples["look"][-1].ok


def test_a_guard_that_cannot_be_evaluated_refuses() -> None:
    """What it would have to ask fails: nothing is planned, let alone pulled.

    Each guard of a real account, with each question that fails: tests/safety/.
    """
    lab = LookLab(small_lab())

    def no_answer(**_: Any) -> Any:
        raise CallFailed("ec2 describe_instances", "RequestLimitExceeded", "later")

    lab._describe_instances = no_answer  # type: ignore[method-assign]  # a fake that fails
    with pytest.raises(ChaosError, match="RequestLimitExceeded"):
        asyncio.run(safety.plan(experiment(), lab))
    assert unchanged(lab)


def test_a_guard_whose_module_is_missing_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        installed(tmp_path, monkeypatch),
        pytest.raises(ValueError, match="acme_nowhere"),
    ):
        experiment(faults=[{"kind": "acme_broken"}])


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"steady_state": {"for": 1, "within": 1}},
        {"faults": [{**OUTAGE, "at": 0}, {**OUTAGE, "at": 20}]},
        {"stop_when": [{"longer_than": 60}]},
        {"recover_within": 0.001, "objectives": {"look": {"availability": 0.1}}},
    ],
    ids=lambda odd: ",".join(odd) or "as usual",
)
def test_a_plan_with_odd_settings_never_acts(odd: dict[str, Any]) -> None:
    lab = LookLab(small_lab())
    assert asyncio.run(safety.plan(experiment(**odd), lab))
    assert lab.state == small_lab()
    assert all(call.startswith(("describe_", "get_", "list_")) for call, _ in lab.calls)


@pytest.mark.parametrize(
    "text",
    [
        FILE + "dry: true\n",
        FILE.replace("lasts: 60s", "lasts: 60s, dry: actions"),
        FILE.replace("kind: http", "kind: http, dry: 'yes'"),
    ],
    ids=["of the experiment", "of a fault", "of a probe"],
)
def test_dry_in_the_file_is_refused(tmp_path: Path, text: str) -> None:
    refused(tmp_path, text, "dry: is not known here")


@pytest.mark.parametrize("why", ["stopped by SIGINT", "stopped by SIGTERM", "stop_when: look"])
def test_whatever_ends_it_early_everything_is_put_back(tmp_path: Path, why: str) -> None:
    """Signals as processes get them: tests/drills/test_interruptions.py."""
    lab = LookLab(small_lab())
    stop_when = [{"probe": "look", "down_for": 1}] if why.startswith("stop_when") else []

    def stop_while_it_holds(stop: Stop, journal: Journal) -> None:
        def watch(event: dict[str, Any]) -> None:
            if event["event"] == "phase" and event["phase"] == "hold" and not stop_when:
                stop.request(why)

        journal.watchers.append(watch)

    wanted = experiment(faults=[{**OUTAGE, "lasts": 60}], stop_when=stop_when)
    code, history = ended(tmp_path, lab, wanted, stop_while_it_holds)
    assert code in (UNKNOWN, BROKEN)
    assert history.stops[0].startswith(why)
    assert [pull.outcome for pull in history.pulls]
    assert {pull.outcome for pull in history.pulls} == {"restored"}
    assert unchanged(lab)


class Hangs(Look):
    """Hangs while the region cannot be reached."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        try:
            await super().check(net, attempt)
        except ProbeFailed:
            await asyncio.sleep(10_000)


def test_a_timeout_is_enforced(tmp_path: Path) -> None:
    probes = {"look": Hangs(every=1.0, timeout=0.5, confirm=1)}
    code, history = ended(tmp_path, LookLab(small_lab()), experiment(probes=probes))
    assert code in (HELD, BROKEN)
    bad = [sample for sample in history.samples["look"] if not sample.ok]
    assert bad
    assert max(sample.end - sample.start for sample in bad) == pytest.approx(0.5, abs=0.01)


def test_an_unknown_variable_is_refused(tmp_path: Path) -> None:
    text = FILE.replace("region: us-east-1", 'region: "${typo}"')
    refused(tmp_path, text, "there is no variable 'typo'")


@pytest.mark.parametrize(("key", "near"), [("metod: []", ""), ("bakground: true", "")])
def test_unknown_keys_are_refused(tmp_path: Path, key: str, near: str) -> None:
    name = key.partition(":")[0]
    refused(tmp_path, f"{FILE}{key}\n", f"{name}: is not known here{near}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FILE.replace("objectives: {api", "objectives: {ap"), "there is no probe 'ap'"),
        (FILE + "stop_when: [{probe: nobody, down_for: 5s}]\n", "there is no probe 'nobody'"),
        (FILE + "lab: nowhere\n", "there is no lab 'nowhere'"),
        (FILE + "allow_irreversible: [nothing]\n", "'nothing' is nothing that cannot be undone"),
    ],
    ids=["of an objective", "of a stop condition", "of a lab", "of a lever"],
)
def test_a_bad_reference_is_found_before(tmp_path: Path, text: str, says: str) -> None:
    refused(tmp_path, text, says)


def test_the_journal_exists_before_anything_is_touched(tmp_path: Path) -> None:
    lab = LookLab(small_lab())
    path = tmp_path / "run" / "journal.jsonl"
    known: list[set[str]] = []

    def look_at_it() -> None:
        known.append({event["event"] for event in read(path)})

    lab.before = look_at_it
    ended(tmp_path, lab, experiment(faults=[OUTAGE]))
    assert known
    assert all({"run", "pull"} <= events for events in known)


class Echoes(Look):
    """Repeats what it was told, as a server's page of an error does."""

    async def check(self, net: Net, attempt: Attempt) -> None:
        try:
            await super().check(net, attempt)
        except ProbeFailed as error:
            raise ProbeFailed(f"{error}: 401 for the token c4nary-t0ken-of-a-user") from error


def test_a_secret_that_is_echoed_is_not_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("chaos.journal.SECRETS", known := Secrets())
    known.add("c4nary-t0ken-of-a-user")
    probes = {"look": Echoes(every=1.0, timeout=0.5, confirm=1)}
    ended(tmp_path, LookLab(small_lab()), experiment(probes=probes))
    files = [path for path in (tmp_path / "run").iterdir() if path.is_file()]
    assert len(files) >= 4
    text = "".join(path.read_text() for path in files) + capsys.readouterr().out
    assert "401 for the token ***" in text
    assert "c4nary" not in text


def test_what_could_not_be_put_back_from_the_journal_is_not_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.journal.SECRETS", known := Secrets())
    known.add("us-east-1")  # as if it were one: levers are called by it
    lab = LookLab(small_lab())
    code, history = ended(tmp_path, lab, experiment(faults=[OUTAGE]))
    assert code == UNKNOWN
    assert "a secret is in the lever of the pull" in history.stops[0]
    assert history.pulls == ()
    assert unchanged(lab)
