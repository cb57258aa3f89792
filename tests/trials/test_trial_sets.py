"""A set of trials from the first to the last, or to whatever ends it; in virtual time."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes import LookLab
from trials.fake_drills import OUTAGE, FakeDrill, carried_out, of

from chaos.chance import Trial
from chaos.cli import group
from chaos.errors import CallFailed, EnvironmentFailed, InvalidInput, JournalFailed
from chaos.history import History, load
from chaos.record import Stop
from chaos.runs import Runs
from chaos.trials import Sets, TrialSet, judge, told
from chaos.trials.running import refuse_too_few

SPREAD = {"look": {"heals_within": {"p50": 2, "confidence": 0.9}}}
TERMINATION = {"kind": "instance_termination", "region": "us-east-1", "pick": "1"}


def journals(made: TrialSet) -> list[History]:
    beside = Runs(made.directory.parent)
    return [load(beside.journal(run)) for run in made.runs]


def test_every_trial_is_a_run_that_knows_its_place(tmp_path: Path) -> None:
    made, verdict, said = carried_out(tmp_path, FakeDrill(), 3)
    assert (verdict.value, verdict.exit_code, verdict.flaky) == ("held", 0, False)
    headers = [history.header["trial"] for history in journals(made)]
    assert headers == [{"set": made.set, "n": n, "of": 3, "seed": 7} for n in (1, 2, 3)]
    assert [trial.outcome for trial in said] == ["passed"] * 3
    assert len(set(made.runs)) == 3


def test_the_moment_of_the_fault_on_the_probes_grid_differs_and_comes_again(tmp_path: Path) -> None:
    def moments(seed: int) -> list[float]:
        made, _, _ = carried_out(tmp_path / str(seed), FakeDrill(), 4, seed=seed)
        return [(history.first_injection or 0.0) % 1.0 for history in journals(made)]

    first = moments(7)
    assert len(set(first)) == 4
    assert moments(7) == first
    assert not set(moments(8)) & set(first)


def test_what_is_picked_differs_and_comes_again(tmp_path: Path) -> None:
    wanted = of(faults=[OUTAGE, TERMINATION], allow_irreversible=["instance_termination"])

    def picked(seed: int) -> list[str]:
        made, _, _ = carried_out(tmp_path / str(seed), FakeDrill(wanted), 6, seed=seed)
        pulls = [pull for history in journals(made) for pull in history.pulls]
        return [p.lever["instance"] for p in pulls if p.lever["kind"] == "instance_termination"]

    first = picked(7)
    assert set(first) == {"i-1", "i-2"}
    assert picked(7) == first
    assert picked(9) != first


def test_a_flaky_system_is_shown_as_such(tmp_path: Path) -> None:
    _, verdict, _ = carried_out(tmp_path, FakeDrill(late=(0, 3.5, 0, 3.5)), 4)
    assert (verdict.value, verdict.exit_code) == ("broken", 1)
    assert told.title(verdict) == "BROKEN, flaky: 2 of 4 trials held"
    first = told.reasons(verdict)[0]
    assert first.startswith(
        "flaky: look: heals within ≤ 2 s: 2 of 4 trials kept it, 2 broke it; trial 2: look healed"
    )


def test_a_failure_that_the_percentile_allows_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    drill = FakeDrill(of(objectives=SPREAD), late=(0, 0, 0, 3.5, 0, 0, 0))
    _, verdict, _ = carried_out(tmp_path, drill, 7)
    assert (verdict.value, verdict.flaky) == ("held", True)
    assert told.reasons(verdict)[0] == (
        "flaky: look: p50 of heals within ≤ 2 s: 6 of 7 trials kept it, 1 broke it; that shows it"
        " with 90 % confidence, and 1 may"
    )


def test_a_single_run_shows_no_percentile(tmp_path: Path) -> None:
    _, verdict, said = carried_out(tmp_path, FakeDrill(of(objectives=SPREAD)), 1)
    [trial] = said
    assert (trial.verdict.value, trial.verdict.exit_code) == ("unknown", 3)
    assert trial.verdict.reasons[0].endswith(
        "; one run cannot show p50 ≤ 2 s (90% confidence): chaos run --trials 4"
    )
    assert verdict.value == "unknown"
    assert trial.outcome == "passed"


def undone_in_2(n: int, lab: LookLab) -> None:
    calls: list[int] = []

    def refuse() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise CallFailed("put_reachability", "AccessDenied", "no")

    if n == 2:
        lab.before = refuse


def test_an_incomplete_rollback_ends_the_set_at_once(tmp_path: Path) -> None:
    made, verdict, _ = carried_out(tmp_path, FakeDrill(break_=undone_in_2), 5)
    assert (verdict.value, verdict.exit_code, len(made.runs)) == ("unknown", 4, 2)
    assert told.reasons(verdict)[0] == (
        f"rollback incomplete; then run: chaos rollback {made.runs[1]}"
    )
    assert made.ended == "trial 2: the rollback is incomplete"


def test_a_trial_that_is_stopped_ends_the_set_which_judges_what_there_is(tmp_path: Path) -> None:
    def stop(n: int, stop: Stop) -> None:
        if n == 3:
            stop.request("stopped by SIGINT")

    made, verdict, _ = carried_out(tmp_path, FakeDrill(during=stop), 5)
    assert (len(made.runs), made.ended) == (3, "trial 3: stopped by SIGINT")
    assert (verdict.value, verdict.exit_code) == ("unknown", 3)
    assert told.title(verdict) == "UNKNOWN: 2 of 3 trials held (5 were planned)"
    assert told.reasons(verdict)[0] == "the set ended before its time: trial 3: stopped by SIGINT"


def test_ctrl_c_between_two_trials_ends_the_set_too(tmp_path: Path) -> None:
    def kill(n: int) -> None:
        if n == 2:
            os.kill(os.getpid(), signal.SIGINT)

    made, verdict, _ = carried_out(tmp_path, FakeDrill(before=kill), 5)
    assert (len(made.runs), made.ended, verdict.value) == (2, "stopped by SIGINT", "unknown")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_a_trials_reports_are_written_begins_no_further_trial(tmp_path: Path) -> None:
    def kill(_: Path) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    made, verdict, _ = carried_out(tmp_path, FakeDrill(), 5, conclude=kill)
    assert (len(made.runs), made.ended, verdict.value) == (1, "stopped by SIGINT", "unknown")


def test_what_comes_after_the_last_trial_has_ended_nothing_before_its_time(tmp_path: Path) -> None:
    def kill(n: int) -> None:
        if n == 2:
            os.kill(os.getpid(), signal.SIGINT)

    def full(_: Path) -> None:
        raise JournalFailed("no space left")

    made, verdict, _ = carried_out(tmp_path / "kill", FakeDrill(before=kill), 2)
    assert (made.ended, verdict.ended, verdict.value) == ("", "", "held")
    made, verdict, _ = carried_out(tmp_path / "full", FakeDrill(), 1, conclude=full)
    assert (made.ended, verdict.ended, verdict.value) == ("", "", "held")


def refuse(at: int) -> Any:
    def before(n: int) -> None:
        if n == at:
            raise EnvironmentFailed("the lab did not start")

    return before


def test_an_environment_that_fails_ends_the_set(tmp_path: Path) -> None:
    made, verdict, _ = carried_out(tmp_path, FakeDrill(before=refuse(3), late=(3.5, 0, 0)), 4)
    assert made.ended == "trial 3: the lab did not start"
    assert verdict.value == "broken"  # one broken run is a broken run, whatever came after it


class FailsAtTheEnd(FakeDrill):
    """The environment of the second trial fails when the run is over."""

    def run(self, runs: Runs, watch: Any, trial: Trial) -> Any:
        made = super().run(runs, watch, trial)
        if trial.n == 2:
            raise EnvironmentFailed("the lab did not end")
        return made


def test_a_trial_counts_though_its_environment_failed_in_the_end(tmp_path: Path) -> None:
    made, verdict, _ = carried_out(tmp_path, FailsAtTheEnd(break_=undone_in_2), 4)
    assert (len(made.runs), verdict.exit_code) == (2, 4)
    assert made.ended == "trial 2: the lab did not end"


def test_a_set_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed):
        carried_out(tmp_path / "chaos-runs", FakeDrill(before=refuse(1)), 4)
    assert not list(tmp_path.iterdir())


def test_a_set_that_can_no_longer_hold_goes_on_unless_it_is_told_to_end(tmp_path: Path) -> None:
    late = (0, 3.5, 0, 0)
    made, _, _ = carried_out(tmp_path / "all", FakeDrill(late=late), 4)
    assert (len(made.runs), made.ended) == (4, "")
    made, verdict, _ = carried_out(
        tmp_path / "some", FakeDrill(late=late), 4, stop_when_decided=True
    )
    assert (len(made.runs), verdict.value) == (2, "broken")
    assert made.ended == "decided by trial 2: it can no longer hold"


def test_so_few_trials_that_they_could_not_show_it_are_refused() -> None:
    wanted = of(objectives={"look": {"heals_within": {"p90": 2, "confidence": 0.95}}})
    refuse_too_few(wanted, 29)
    refuse_too_few(of(), 1)
    with pytest.raises(InvalidInput) as caught:
        refuse_too_few(wanted, 10)
    assert str(caught.value) == (
        "objectives.look.heals_within: 29 trials without a failure are needed for p90 at 95%;"
        " --trials 10 cannot show it"
    )


def test_runs_and_sets_are_not_taken_for_each_other(tmp_path: Path) -> None:
    made, _, _ = carried_out(tmp_path, FakeDrill(), 2)
    runs, sets = Runs(tmp_path), Sets(tmp_path)
    assert sorted(runs.all()) == sorted(made.runs)
    assert runs.find("latest").parent.name in made.runs
    assert sets.find("latest") is None
    assert sets.find(made.runs[0]) is None
    for name in (made.set, made.set[:12], str(made.directory), str(made.directory / "trials.json")):
        found = sets.find(name)
        assert found is not None
        assert (found.set, found.runs, found.seed) == (made.set, made.runs, 7)


def test_a_set_is_judged_again_from_the_journals_alone(tmp_path: Path) -> None:
    made, verdict, _ = carried_out(tmp_path, FakeDrill(late=(0, 3.5)), 2)
    found = Sets(tmp_path).find(made.set)
    assert found is not None
    assert judge(found.results(), found.of, found.ended) == verdict


def test_a_trial_in_which_the_set_was_killed_is_one_of_it(tmp_path: Path) -> None:
    made, verdict, _ = carried_out(tmp_path, FakeDrill(break_=undone_in_2), 3)
    assert (len(made.runs), verdict.exit_code) == (2, 4)
    path = made.directory / "trials.json"
    killed = {"runs": made.runs[:1], "over": False}
    path.write_text(json.dumps(json.loads(path.read_text()) | killed))
    result = CliRunner().invoke(group, ["report", str(made.directory), "--json"])
    said = json.loads(result.stdout)
    assert (result.exit_code, said["runs"]) == (4, [*made.runs])


def test_a_set_that_goes_on_is_not_judged_yet(tmp_path: Path) -> None:
    said = []

    def report(_: Path) -> None:
        [made] = tmp_path.glob("set-*")
        said.append(CliRunner().invoke(group, ["report", str(made)]).exception)

    made, _, _ = carried_out(tmp_path, FakeDrill(), 1, conclude=report)
    why = f"{made.directory}: the set still goes on; it is judged when it has ended"
    assert [str(each) for each in said] == [why]
    assert CliRunner().invoke(group, ["report", str(made.directory)]).exit_code == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"runs": ["../elsewhere"]}, "is no run"),
        ({"version": 2}, "has version 2"),
        ({"seed": None, "runs": 5}, "cannot be read"),
    ],
)
def test_a_file_that_is_no_set_is_refused(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    made, _, _ = carried_out(tmp_path, FakeDrill(), 1)
    path = made.directory / "trials.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidInput, match=why):
        Sets(tmp_path).find(made.set)


def test_a_run_of_another_set_is_no_trial_of_this_one(tmp_path: Path) -> None:
    one, _, _ = carried_out(tmp_path, FakeDrill(), 1)
    two, _, _ = carried_out(tmp_path, FakeDrill(), 1)
    path = one.directory / "trials.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"runs": list(two.runs)}))
    found = Sets(tmp_path).find(one.set)
    assert found is not None
    verdict = judge(found.results(), found.of)
    assert verdict.value == "unknown"
    assert "is not trial 1 of" in told.reasons(verdict)[0]


def test_what_a_trial_draws_is_the_same_everywhere() -> None:
    trial = Trial(set="s", n=3, of=29, seed=42)
    assert trial.pause("grid", 1.0) == 0.753015
    assert trial.pause("caches", 60.0) != trial.pause("grid", 60.0)
    assert 0 <= trial.pause("grid", 0.5) <= 0.5
