"""What somebody has to see to after a run: a fold over its verdict, with ids that stay the same.

Two runs of one experiment in which the same thing goes wrong have the same id for it, so that
what people have said of it can be carried over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from chaos.called import unrecorded
from chaos.history import BACK, History, Pull, lever_name
from chaos.report import words
from chaos.verdict import Verdict

MEANS = {
    "objective": "an objective that was not shown to be kept",
    "rollback": "something that is not as it was before",
    "deviation": "something that did not go as planned",
    "coverage": "something that an outage of AWS takes and this drill did not",
    "evidence": "something that the record lacks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding: `kind` is a key of MEANS, `what` one sentence."""

    id: str
    kind: str
    what: str


def found(history: History, verdict: Verdict) -> tuple[Found, ...]:
    """All findings, the gravest kinds first; none has the id of another."""
    each = chain(
        _undone(history),
        _objectives(verdict),
        _deviations(history, verdict),
        _coverage(history),
        _evidence(history),
    )
    return tuple({one.id: one for one in each}.values())


def _undone(history: History) -> Iterator[Found]:
    for pull in history.open_pulls:
        why = f": {pull.error}" if pull.error else ""
        what = f"{lever_name(pull.lever)}: {words.OUTCOMES[pull.outcome]}{why}"
        yield Found(id=f"{_lever(pull)}.not-back", kind="rollback", what=what)


def _objectives(verdict: Verdict) -> Iterator[Found]:
    for result in verdict.results:
        if result.value != "held":
            name = f"objective.{result.probe}.{result.objective}"
            yield Found(id=name, kind="objective", what=f"{result.value}: {result.reason}")


def _deviations(history: History, verdict: Verdict) -> Iterator[Found]:
    if history.stops:
        yield Found(id="run.stopped", kind="deviation", what=f"stopped: {words.stopped(history)}")
    for pull in history.pulls:
        if pull.late and pull.outcome in BACK:
            after = "the run had ended" if pull.after_end else "a first try had failed"
            what = f"{lever_name(pull.lever)} was put back only after {after}"
            yield Found(id=f"{_lever(pull)}.late", kind="deviation", what=what)
    for reason in _doubts(history, verdict):
        yield Found(id=f"doubt.{_digest(_without_figures(reason))}", kind="deviation", what=reason)


def _doubts(history: History, verdict: Verdict) -> Iterator[str]:
    """The reasons of the verdict that no other finding tells."""
    of_results = {result.reason for result in verdict.results}
    stops = {*history.stops, *(f"stopped early: {why}" for why in history.stops)}
    for reason in verdict.reasons[_rollbacks(history, verdict) :]:
        if reason not in of_results and reason not in stops:
            yield reason


def _rollbacks(history: History, verdict: Verdict) -> int:
    """How many of the reasons tell of levers that are not back; where judging broke, none does."""
    return len(history.open_pulls) if verdict.times else 0


def _coverage(history: History) -> Iterator[Found]:
    told = history.header.get("coverage", [])
    brought_about = {pull.fault for pull in history.pulls}
    for number, (settings, cover) in enumerate(
        zip(history.experiment["faults"], told, strict=False)
    ):
        for text in cover["goes_on"] if cover and number in brought_about else ():
            name = words.fault(settings)
            what = f"under {name} this went on: {text}"
            yield Found(id=f"coverage.{_slug(name)}.{_digest(text)}", kind="coverage", what=what)


def _evidence(history: History) -> Iterator[Found]:
    if lacking := lacks(history):
        names = ", ".join(lever_name(pull.lever) for pull in lacking)
        what = f"the record of calls is not complete: it lacks those that moved {names}"
        yield Found(id="record.calls", kind="evidence", what=what)


def lacks(history: History) -> list[Pull]:
    """The pulls whose lever moved without a call in the journal: not all that was called is."""
    moved = [p.pull for p in history.pulls if p.done is not None and p.prior != p.value]
    back = [p.pull for p in history.pulls if p.outcome == "restored"]
    numbers = unrecorded(moved, back, history.calls)
    return [pull for pull in history.pulls if pull.pull in numbers]


def _lever(pull: Pull) -> str:
    """The same in every run: what is created bears the run's id, and that is left out."""
    told = {name: value for name, value in pull.lever.items() if name != "run"}
    return f"lever.{_slug(lever_name(pull.lever))}.{_digest(repr((pull.account, told)))}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]


def _without_figures(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:6]
