"""A plan for people: what would be done, whom it hits, what undoes it, and what is against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaos.cli import layout
from chaos.cli.plan_account import guarded, hanging, in_full, permissions, problems
from chaos.experiment import Experiment
from chaos.faults import Fault
from chaos.history import lever_name, setting
from chaos.plan import Plan, Planned
from chaos.report.words import count, stood_in, where
from chaos.report.words import fault as fault_name
from probes.durations import show, write

DRAWN = "  (drawn at random; the run draws anew, from what there is then)"
UNKEPT = "; a run needs an undo log besides: --undo-log URL"
WIDE = 7  # of the column of what is summed up


def lines(experiment: Experiment, place: dict[str, Any], plan: Plan, width: int) -> Iterator[str]:
    """The plan, line by line, each no wider than there is room."""
    real = place["kind"] == "aws"
    yield layout.heading(experiment.title or experiment.name)
    for line in _environment(experiment, place):
        yield _wrapped(line, width)
    for number, fault in enumerate(experiment.faults):
        yield ""
        yield layout.heading(_wrapped(_fault(fault, place["kind"]), width))
        if fault.draws:
            yield _wrapped(DRAWN, width)
        pulls = [pull for pull in plan.pulls if pull.fault == number]
        if real:
            yield from in_full(fault, pulls, plan.drawn_up, width)
        else:
            yield from (_wrapped(_pull(pull), width) for pull in pulls)
    yield ""
    if real:
        yield from problems(plan.problems, width)
        planned = {pull.fault for pull in plan.pulls}
        yield from guarded(plan.guards, width, whole=len(planned) == len(experiment.faults))
        yield from permissions(plan.permissions, width)
        yield from (
            layout.heading(f"{name:{WIDE}}") + hanging(text, width, WIDE)
            for name, text in _sums(plan)
        )
        yield ""
        yield _wrapped(_ending(plan), width)
    else:
        observed = write(experiment.observed_until)
        told = f"observed for {observed} after the first injection; nothing was touched"
        yield _wrapped(told, width)


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return layout.filled(line, width, indent, "    ")


def _environment(experiment: Experiment, place: dict[str, Any]) -> Iterator[str]:
    kind = place["kind"]
    elsewhere = "" if kind == "embedded" else f", {where(place)}"
    yield f"environment: {kind}{elsewhere}"
    for name, account in experiment.accounts.items() if kind == "aws" else ():
        yield f"  {name}: account {account.id}, {', '.join(account.regions)}"
    yield from (f"  {text}" for text in stood_in(experiment.to_json()))


def _fault(fault: Fault, kind: str) -> str:
    lasts = f"for {write(fault.lasts)}" if fault.lasts else "for good"
    there = f" in {fault.account}" if fault.account and kind == "aws" else ""
    name = fault_name(fault.model_dump())
    return f"at {write(fault.at)}, {lasts}: {name}{there} ({fault.fidelity[kind]})"


def _pull(pull: Planned) -> str:
    way = "cannot be put back" if pull.irreversible else "put back afterwards"
    return f"  {lever_name(pull.lever)}: {setting(pull.prior)} → {setting(pull.value)}  ({way})"


def _sums(plan: Plan) -> Iterator[tuple[str, str]]:
    """What it costs and how long it takes."""
    cost, times = plan.cost, plan.times
    price = "not known" if cost.dollars is None else f"${cost.dollars:.2f}"
    yield "cost", "; ".join([price, *cost.notes])
    phases = (
        f"up to {show(times.total)}: steady state {show(times.steady)}, faults"
        f" {show(times.faults)}, putting back {show(times.rollback)} (longer when AWS throttles),"
        f" recovery {show(times.recovery)}"
    )
    yield "takes", phases


def _ending(plan: Plan) -> str:
    if not plan.refused:
        return "nothing was touched" + ("" if plan.undo_log else UNKEPT)
    against = {
        "problem": len(plan.problems),
        "guard": sum(not guard.ok for guard in plan.guards),
        "missing permission": sum(
            len({(p.part, p.action) for p in found.those("missing")}) for found in plan.permissions
        ),
    }
    told = ", ".join(count(n, what) for what, n in against.items() if n)
    return f"not to be run: {told}; nothing was touched"
