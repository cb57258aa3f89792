"""What ends a run early, alarms and the time, and how long it takes to put all back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import LookLab, experiment

from chaos.errors import CallFailed, InvalidInput
from chaos.history import History, fold
from chaos.journal import Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.report import words
from chaos.run import Run
from chaos.stops import StopConditions
from chaos.testing import small_lab
from chaos.verdict import judge

LONG = {"kind": "region_outage", "region": "us-east-1", "lasts": 200}
ALARM = {"alarm": "errors", "region": "us-east-1"}
States = dict[float, str]


class Watched(LookLab):
    """A lab with an alarm, whose state is looked up by the loop's time; "" fails the call."""

    def __init__(self, state: Callable[[], str | None]) -> None:
        super().__init__(small_lab())
        self.alarm = state

    def _describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:  # noqa: N803  # boto3's
        assert (AlarmNames, AlarmTypes) == (["errors"], ["MetricAlarm", "CompositeAlarm"])
        state = self.alarm()
        if state == "":
            raise CallFailed("cloudwatch describe_alarms", "Throttling", "slow down")
        return {"CompositeAlarms": [{"StateValue": state}] if state else []}


def carry_out(
    tmp_path: Path, lab: LookLab, longest: float | None = None, **changes: Any
) -> History:
    path = tmp_path / "run" / "journal.jsonl"
    wanted = experiment(
        **{"faults": [LONG], "objectives": {"look": {"heals_within": 5}}, **changes}
    )

    async def main() -> None:
        now = Stopwatch()
        journal = Journal.create(path, now)
        header = {"v": 1, "run": "r", "wall": "", "tool": "", "speed": 1, "fidelity": ["lab"]}
        journal.write("run", **header, environment=lab.describe(), experiment=wanted.to_json())
        try:
            await Run("r", wanted, lab, journal, Stop(), now, longest=longest).go()
        finally:
            journal.close()

    run_virtual(main())
    return fold(read(path))


def at(states: States) -> Callable[[], str | None]:
    """The last of these states whose time has come."""
    return lambda: [s for t, s in states.items() if asyncio.get_running_loop().time() >= t][-1]


def test_an_alarm_that_rings_ends_the_run(tmp_path: Path) -> None:
    history = carry_out(tmp_path, Watched(at({0: "OK", 30: "ALARM"})), stop_when=[ALARM])
    assert history.stops == ("stop_when: the alarm errors in us-east-1 is in ALARM",)
    assert history.asked is not None
    assert 30 <= history.asked < 36
    assert not history.open_pulls


@pytest.mark.parametrize("blind", ["", "INSUFFICIENT_DATA"])
def test_an_alarm_that_guards_nothing_ends_the_run(tmp_path: Path, blind: str) -> None:
    history = carry_out(tmp_path, Watched(at({0: "OK", 30: blind})), stop_when=[ALARM])
    [why] = history.stops
    assert why.startswith("stop_when: the alarm errors in us-east-1 has guarded nothing for 30 s: ")
    assert history.asked is not None
    assert 55 <= history.asked < 70


def test_an_alarm_that_cannot_be_read_for_a_while_does_not(tmp_path: Path) -> None:
    lab = Watched(at({0: "OK", 30: "", 50: "OK"}))
    history = carry_out(tmp_path, lab, stop_when=[ALARM])
    assert history.stops == ()


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("ALARM", "is in ALARM"),
        (None, "does not exist"),
        ("", "could not be read: cloudwatch describe_alarms failed: Throttling: slow down"),
        ("INSUFFICIENT_DATA", "has INSUFFICIENT_DATA, so that it guards nothing"),
    ],
)
def test_an_alarm_that_cannot_guard_refuses_before_anything_is_touched(
    state: str | None, why: str
) -> None:
    lab = Watched(lambda: state)
    wanted = experiment(stop_when=[ALARM])
    with pytest.raises(InvalidInput) as caught:
        run_virtual(StopConditions(wanted, lab).check())
    assert str(caught.value).startswith(f"stop_when: the alarm errors in us-east-1 {why}")
    assert [call for call, _ in lab.calls] == ["describe_alarms"]


def test_one_that_rings_before_the_first_injection_keeps_it_from_coming(tmp_path: Path) -> None:
    history = carry_out(tmp_path, Watched(lambda: "ALARM"), stop_when=[ALARM])
    assert history.pulls == ()
    assert history.stops == (
        "stop_when: the alarm errors in us-east-1 is in ALARM; nothing was broken",
    )


@pytest.mark.parametrize(
    ("given", "longest", "seconds", "why"),
    [
        ([{"longer_than": 250}], 40.0, 40, "--max-duration: 40 s since the first injection"),
        ([{"longer_than": 250}], None, None, ""),
        ([], 7.5, 7.5, "--max-duration: 7.5 s since the first injection"),
    ],
)
def test_a_run_goes_on_no_longer_than_it_may(
    tmp_path: Path, given: list[Any], longest: float | None, seconds: float | None, why: str
) -> None:
    history = carry_out(tmp_path, LookLab(small_lab()), longest, stop_when=given)
    assert history.stops == ((why,) if why else ())
    if seconds is not None:
        assert history.first_injection is not None
        assert history.asked == pytest.approx(history.first_injection + seconds)


def test_a_slow_injection_is_ended_by_its_experiment(tmp_path: Path) -> None:
    """Times count from the first injection, also while levers are still being set."""

    class Slow(LookLab):
        async def call(self, service: str, region: str, operation: str, /, **params: Any) -> Any:
            if operation.startswith("put_") and params.get("state") == "off":
                await asyncio.sleep(300)
            return await super().call(service, region, operation, **params)

    history = carry_out(tmp_path, Slow(small_lab()), stop_when=[{"longer_than": 250}])
    assert history.stops == ("stop_when: 4 min 10 s since the first injection",)
    assert not history.open_pulls


def test_the_time_from_the_wish_to_the_last_lever_is_told(tmp_path: Path) -> None:
    class Slow(LookLab):
        async def call(self, service: str, region: str, operation: str, /, **params: Any) -> Any:
            if operation == "put_reachability" and params["state"] == "open":
                await asyncio.sleep(1.4)
            return await super().call(service, region, operation, **params)

    history = carry_out(tmp_path, Slow(small_lab()), longest=10.0)
    assert history.back_after == pytest.approx(1.4)
    assert words.stopped(history) == (
        "--max-duration: 10 s since the first injection; everything back after 1.4 s"
    )
    told = judge(history).to_json()["stopped"]
    assert told == {
        "why": ["--max-duration: 10 s since the first injection"],
        "asked": pytest.approx(11),
        "back_after": pytest.approx(1.4),
    }


def test_what_is_not_back_has_no_such_time(tmp_path: Path) -> None:
    def refuse() -> None:
        if lab.calls[-1][1].get("state") == "open":
            raise CallFailed("lab put_reachability", "AccessDenied", "you may not")

    lab = LookLab(small_lab())
    lab.before = refuse
    history = carry_out(tmp_path, lab, longest=10.0)
    assert history.back_after is None
    assert words.stopped(history).endswith("; NOT everything is back")


def test_a_run_that_ends_by_itself_tells_of_no_stop(tmp_path: Path) -> None:
    history = carry_out(tmp_path, LookLab(small_lab()))
    assert (words.stopped(history), history.back_after, history.asked) == ("", None, None)
    assert judge(history).to_json()["stopped"] is None
