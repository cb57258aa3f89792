"""`chaos compare`: a run beside others, and the gate with its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from calls import called, document, printed
from report import journals
from results.past import days, kept, promise, wall

from chaos import results
from chaos.errors import InvalidInput
from chaos.results import RunResult
from chaos.runs import Runs

RUNS = Runs(Path("chaos-runs"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHAOS_HISTORY", raising=False)
    return tmp_path


def keep(runs: Iterable[RunResult]) -> None:
    location = results.located(str(RUNS.history))
    assert location is not None
    with results.opened(location) as store:
        for run in runs:
            store.put(run)


def refused(*args: str) -> str:
    done = called("compare", *args)
    assert isinstance(done.exception, InvalidInput)
    assert done.stdout == ""
    return str(done.exception)


def gate(*args: str) -> tuple[int, str]:
    """The exit code, and what is said last."""
    done = called("compare", *args, "--worse-than", "20%", COLUMNS="200")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.stdout.split("\n\n")[-1].split())


def test_two_runs_side_by_side() -> None:
    now = kept(2, promise(60.0, 61.0), tool="0.2.0", sha256="cd34" * 16, value="broken")
    keep([kept(1, promise(40.0, 42.0)), now])
    assert printed("compare", "r02", "r01").splitlines() == [
        "a region goes dark",
        "now     r02, 2026-11-03 09:30 UTC, broken",
        "before  r01, 2026-11-02 09:30 UTC, held",
        "",
        "               now        before     difference",
        "playback  RTO  60 – 61 s  40 – 42 s  18 – 21 s longer",
        "",
        "changed  text of the experiment: sha256 ab12ab12ab12 → sha256 cd34cd34cd34",
        "changed  version of chaos: 0.1.0 → 0.2.0",
        "A difference may be owed to what was changed: text of the experiment.",
    ]


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        (promise(40.5, 41.5), promise(40.0, 41.0), "none that can be told"),
        (promise(30.0), promise(40.0), "10 s shorter"),
        (promise(90.0, float("inf")), promise(40.0), "–"),
        (promise(0.0), promise(0.0), "none"),
    ],
)
def test_a_difference_in_words(now: Any, before: Any, told: str) -> None:
    keep([kept(1, before), kept(2, now)])
    assert printed("compare", "r02").splitlines()[-1].endswith(f"  {told}")


def test_of_availability_less_is_told_in_points() -> None:
    share: dict[str, Any] = {"objective": "availability", "wanted": 0.4}
    keep([kept(1, promise(0.9, **share)), kept(2, promise(0.85, **share))])
    assert printed("compare", "r02").splitlines()[-1] == (
        "playback  availability  85%  90%     5 points less"
    )


def test_the_last_runs_that_are_alike_are_found_by_themselves() -> None:
    keep([*days(40.0, 41.0, 42.0), kept(3, speed=1.0), kept(5, promise(43.0))])
    told = document("compare", "r05", "--last", "2")
    assert (told["now"], told["before"], told["gate"]) == (["r05"], ["r01", "r02"], None)
    assert told["objectives"][0]["difference"] == {"low": 1.0, "high": 2.0}
    assert told["objectives"][0]["before"] == {
        "runs": 2,
        "left_out": 0,
        "median": {"low": 41.0, "high": 42.0},
        "reach": {"low": 41.0, "high": 42.0},
    }


def test_a_run_is_told_by_its_journal() -> None:
    path = journals.region_outage(RUNS.directory)
    header = json.loads(path.read_text().splitlines()[0])
    sha = header["experiment"]["sha256"]
    keep([kept(1, promise(50.0), sha256=sha)])
    told = document("compare", "latest")
    assert (told["now"], told["before"]) == ([header["run"]], ["r01"])
    (rto,) = (o for o in told["objectives"] if o["objective"] == "rto")
    assert rto["difference"]["low"] == pytest.approx(24.1, abs=0.1)


def test_the_gate_tells_worse_from_not_shown_and_from_too_few() -> None:
    keep([*days(*(40 + n / 10 for n in range(19))), kept(30, promise(60.0))])
    code, said = gate("r30", "--last", "19")
    assert (code, said) == (
        1,
        "WORSE than the 19 runs before by more than 20%: playback RTO, with 95% confidence.",
    )
    keep([kept(30, promise(41.0))])
    code, said = gate("r30", "--last", "19")
    assert (code, said[:57]) == (0, "Not shown to be worse than the 19 runs before by more tha")
    code, said = gate("r30")
    assert code == 3
    assert said.endswith("It takes 19 runs before; or, with 10 before, 2 trials now.")
    assert gate("r30", "--last", "9", "--confidence", "90%")[0] == 0


def test_the_gate_says_why_it_cannot_tell() -> None:
    keep([*days(*[40.0] * 19), kept(30, promise(47.0, 49.0))])
    code, said = gate("r30", "--last", "19")
    assert code == 3
    assert said.partition(": ")[2] == (
        "for playback RTO that lies within what the measured intervals leave open; probe more"
        " often, or allow more."
    )
    keep([kept(30, promise(47.0), doubted=frozenset({"playback"}))])
    code, said = gate("r30", "--last", "19")
    assert code == 3
    assert said.partition(": ")[2] == "playback RTO has no figure that proves anything."


def test_a_set_of_trials_is_compared_as_a_whole() -> None:
    trials = [kept(30 + n, promise(60.0 + n), trial_set="s1", trial_n=n) for n in range(3)]
    keep([*days(40.0, 41.0, 42.0), *trials])
    assert gate("s1", "--last", "3")[0] == 1
    told = document("compare", "s1")
    assert (told["now"], told["before"]) == (["r30", "r31", "r32"], ["r00", "r01", "r02"])
    assert document("compare", "r31")["now"] == ["r31"]


def test_only_some_promises_are_tested() -> None:
    def both(day: int, rto: float) -> RunResult:
        return kept(day, promise(rto), promise(rto, probe="other"))

    keep([*(both(n, 40 + n / 10) for n in range(19)), both(30, 60.0)])
    code, said = gate("r30", "--last", "19")
    assert code == 3
    assert "since 2 promises are tested at once, each at 97.5%. It takes 39 runs" in said
    assert gate("r30", "--last", "19", "--objective", "other.rto")[0] == 1
    assert gate("r30", "--last", "19", "--objective", "playback")[0] == 1
    assert refused("r30", "--objective", "othr") == (
        "--objective othr: that was not promised; promised is playback.rto, other.rto"
    )


def test_what_is_not_alike_is_told_and_not_judged() -> None:
    keep([kept(1, promise(40.0)), kept(2, promise(40.0), speed=1.0, environment="localstack")])
    assert printed("compare", "r02", "r01").splitlines()[-1] == (
        "NOT COMPARABLE: with another environment and speed the figures mean something else."
    )
    assert refused("r02", "r01", "--worse-than", "5%") == (
        "r02 cannot be judged by r01, for their figures mean something else: environment"
        " localstack, not embedded; speed 1, not 8"
    )


def test_a_run_that_is_not_there_is_refused() -> None:
    keep([kept(1), kept(2), kept(3, speed=1.0)])
    assert refused("r9") == "no run 'r9' in chaos-runs (and none in the history)"
    assert refused("r0") == "'r0' fits 3 runs of the history: r01, r02, r03"
    assert refused("r03") == (
        "there is no run before r03 that is alike (experiment region-outage, embedded, speed 1);"
        " name the one to compare it with"
    )


def test_without_a_run_before_no_gate_is_passed() -> None:
    keep([kept(1, promise(40.0), wall=wall(1))])
    code, said = gate("r01")
    assert code == 3
    assert "It takes 19 runs before" in said
    keep([kept(2, wall=wall(2), experiment="promises-nothing")])
    assert gate("r02")[0] == 3


@pytest.mark.parametrize(
    "option",
    [("--worse-than", "20"), ("--confidence", "100%"), ("--confidence", "5%"), ("--last", "0")],
)
def test_options_that_make_no_sense_are_refused(option: tuple[str, str]) -> None:
    assert called("compare", "latest", *option).exit_code != 0


def test_a_run_that_is_named_twice_counts_once() -> None:
    keep([kept(1, promise(40.0)), kept(2, promise(60.0))])
    code, said = gate("r02", *["r01"] * 19)
    assert (code, "than the 1 run before" in said) == (3, True)


def test_a_run_is_not_compared_with_itself() -> None:
    keep([kept(1, promise(40.0)), kept(2, promise(60.0), trial_set="set-1")])
    assert refused("set-1", "r01", "r02") == "r02 is on both sides; compare it with others"
