"""The verdict: all that was found, merged into one value that is never better than the evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from chaos.history import History, Pull, lever_name, setting
from chaos.lags import doubted
from chaos.verdict.doubts import doubts
from chaos.verdict.finding import Result, Value
from chaos.verdict.measurement import Measurement, Times, measure, times
from chaos.verdict.phases import marked
from chaos.verdict.rules import RECOVER_WITHIN, results, steady_again
from probes.durations import show

VERSION = 1  # of verdict.json
EXIT_CODES: dict[Value, int] = {"held": 0, "broken": 1, "unknown": 3}
ROLLBACK_INCOMPLETE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the promises held, why, and the numbers behind it.

    `reasons` are sentences, the decisive one first. `results` has every objective, and
    `recover_within` for every probe. Where judging itself broke there are no numbers.
    """

    value: Value
    exit_code: int
    reasons: tuple[str, ...]
    results: tuple[Result, ...] = ()
    times: Times | None = None
    probes: dict[str, Measurement] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)  # which run of what, where and how fast

    def to_json(self) -> dict[str, Any]:
        """verdict.json, as docs/verdict-json.md has it: seconds; null for what nothing bounds."""
        fields = asdict(self)
        return {"version": VERSION, **fields.pop("about"), **_plain(fields)}


def judge(history: History) -> Verdict:
    """The verdict on a run, complete or cut off anywhere."""
    at = times(history)
    probes = measure(history, at)
    found = all_results(history, probes, at)
    for judged_anew in (_whenever_it_began, _had_the_lab_been_in_time):
        found = judged_anew(found, history, at)
    spoiled = doubts(history, probes.values())
    if not any(result.objective != RECOVER_WITHIN for result in found):
        spoiled.append("the experiment has no objective: there is nothing that could hold")
    if spoiled:
        # Whoever reads a single result, as in junit.xml, must not take it for proven.
        found = tuple(replace(r, value="unknown") if r.value == "held" else r for r in found)
    undone = [_undone(pull, history.run) for pull in history.open_pulls]
    value = _merged([*spoiled, *undone], found)
    return Verdict(
        value=value,
        exit_code=ROLLBACK_INCOMPLETE if undone else EXIT_CODES[value],
        reasons=(*undone, *spoiled, *_reasons(found)),
        results=found,
        times=at,
        probes=probes,
        about=_about(history),
    )


def judge_safely(history: History) -> Verdict:
    """The same; a defect in judging is an unknown verdict with the error as its reason."""
    try:
        return judge(history)
    # A verdict is always owed, and whatever went wrong here says nothing about the system.
    except Exception as error:  # noqa: BLE001
        why = f"the run could not be judged: {type(error).__name__}: {error}"
        code = ROLLBACK_INCOMPLETE if history.open_pulls else EXIT_CODES["unknown"]
        return Verdict(value="unknown", exit_code=code, reasons=(why,))


def all_results(history: History, probes: dict[str, Measurement], at: Times) -> tuple[Result, ...]:
    """Every promise by itself, whatever the run as a whole is worth."""
    objectives = history.experiment["objectives"]
    within = history.experiment["recover_within"]
    found = [r for probe, wanted in objectives.items() for r in results(wanted, probes[probe], at)]
    found += marked(history, at)
    return (*found, *(steady_again(within, m, at) for m in probes.values()))


def _whenever_it_began(
    found: tuple[Result, ...], history: History, at: Times
) -> tuple[Result, ...]:
    """The results, unknown where they hang on when exactly a person has begun."""
    later = replace(at, injected=history.latest_injection)
    if later == at:
        return found
    others = all_results(history, measure(history, later), later)
    why = "cannot be judged: it failed and was back before the mark, and it is not known why;"
    return tuple(
        r
        if r.value == o.value
        else replace(r, value="unknown", reason=f"{r.probe} {why} {r.value} if it was the fault")
        for r, o in zip(found, others, strict=True)
    )


def _had_the_lab_been_in_time(
    found: tuple[Result, ...], history: History, at: Times
) -> tuple[Result, ...]:
    """The results, unknown where something is broken only by what a lab was too slow for."""
    if not history.lags or not any(r.value == "broken" for r in found):
        return found
    samples = {name: doubted(seen, history.lags) for name, seen in history.samples.items()}
    others = all_results(history, measure(replace(history, samples=samples), at), at)
    late = show(max(lag.high - lag.low for lag in history.lags))
    why = f"the lab itself answered up to {late} late, and without what it saw then it is not"
    advice = "take a lower --speed, or a machine with less to do"
    return tuple(
        replace(r, value="unknown", reason=f"{r.reason}; but {why} shown to be broken: {advice}")
        if r.value == "broken" != o.value
        else r
        for r, o in zip(found, others, strict=True)
    )


def _merged(doubts: Sequence[str], found: Sequence[Result]) -> Value:
    """What is shown to be broken is broken, in a run that went as planned; held is all held."""
    values = {result.value for result in found}
    if doubts:
        return "unknown"
    return "broken" if "broken" in values else "unknown" if "unknown" in values else "held"


def _reasons(found: Sequence[Result]) -> Iterator[str]:
    for value in ("broken", "unknown", "held"):
        yield from (result.reason for result in found if result.value == value)


def _undone(pull: Pull, run: str) -> str:
    lever = lever_name(pull.lever)
    happened = {
        "open": f"{lever} was not put back",
        "failed": f"{lever} could not be put back: {pull.error}",
        "conflict": f"somebody else changed {lever} to {setting(pull.found)} (it was"
        f" {setting(pull.prior)}, the fault made it {setting(pull.value)}), so it was left alone:"
        " put it right",
    }[pull.outcome]
    return f"rollback incomplete: {happened}; then run: chaos rollback {run}"


def _about(history: History) -> dict[str, Any]:
    header, experiment = history.header, history.experiment
    return {
        "run": history.run,
        "experiment": experiment["name"],
        "title": experiment.get("title", ""),
        "sha256": experiment.get("sha256", ""),
        "variables": experiment.get("variables", {}),
        "environment": header["environment"]["kind"],
        "endpoint": header["environment"].get("endpoint"),
        "environment_version": header["environment"].get("version") or None,
        "stand_ins": experiment.get("stand_ins", {}),
        "fidelity": header["fidelity"],
        "coverage": header.get("coverage", []),
        "speed": header["speed"],
        "tool": header["tool"],
        "wall": header["wall"],
        "stopped": _stopped(history),
        "faults": [asdict(fault) for fault in history.faults],
        "pulls": [asdict(pull) for pull in history.pulls],
    }


def _stopped(history: History) -> dict[str, Any] | None:
    if not history.stops:
        return None
    return {"why": list(history.stops), "asked": history.asked, "back_after": history.back_after}


def _plain(value: Any) -> Any:
    """As JSON can hold it, which knows no infinity."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if value == math.inf else value
