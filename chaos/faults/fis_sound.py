"""What cannot be in an experiment of AWS FIS, found before FIS is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from chaos.levers.fis_actions import ACTIONS, ends_after, lasts, one_way_actions
from chaos.schema import did_you_mean
from probes.durations import show

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str]]
Actions = Mapping[str, Mapping[str, Any]]


def problems_of(
    definition: Mapping[str, Any], lasts_s: float | None, allowed: Collection[str]
) -> list[tuple[Path, str]]:
    """All that is wrong, each with its path below the fault; `allowed` are ids of actions."""
    actions, targets = definition["actions"], definition.get("targets", {})
    found = [
        problem
        for name, action in actions.items()
        for problem in _action(("actions", name), action, actions, targets)
    ]
    found += [p for name, target in targets.items() for p in _target(name, target, actions)]
    found += _circle(actions)
    return found or [*_irreversible(actions, allowed), *_time(actions, lasts_s)]


def _action(
    at: Path, action: Mapping[str, Any], actions: Actions, targets: Mapping[str, Any]
) -> Found:
    kind = ACTIONS[action["actionId"]]
    parameters = action.get("parameters", {})
    if missing := [name for name in kind.needs if name not in parameters]:
        yield (*at, "parameters"), f"{action['actionId']} needs {', '.join(missing)}"
    try:
        lasts(action)
    except ValueError as error:
        yield (*at, "parameters", kind.lasts or ""), str(error)
    for number, other in enumerate(action.get("startAfter", ())):
        if other not in actions:
            yield (*at, "startAfter", number), f"no action {other!r}{did_you_mean(other, actions)}"
    yield from _aims((*at, "targets"), action, targets)


def _aims(at: Path, action: Mapping[str, Any], targets: Mapping[str, Any]) -> Found:
    """Each action has one key for its target, and one type that this must be of."""
    kind, aims = ACTIONS[action["actionId"]], action.get("targets", {})
    wanted = {kind.target} if kind.target else set()
    if set(aims) != wanted:
        what = f"is to have the key {kind.target}" if kind.target else "takes no targets"
        yield at, f"{action['actionId']} {what}"
        return
    for key, name in aims.items():
        if name not in targets:
            yield (*at, key), f"no target {name!r}{did_you_mean(name, targets)}"
        elif (given := targets[name]["resourceType"]) != kind.type:
            yield (*at, key), f"{action['actionId']} is done to {kind.type}, and {name} is {given}"


def _target(name: str, target: Mapping[str, Any], actions: Actions) -> Found:
    at: Path = ("targets", name)
    others = [key for key in ("resourceTags", "filters") if target.get(key)]
    if target.get("resourceArns") and others:
        yield (*at, others[0]), "FIS takes neither tags nor filters beside resourceArns"
    elif not (target.get("resourceArns") or others or target.get("parameters")):
        yield at, "means everything there is; say which by resourceArns or resourceTags"
    if all(name not in action.get("targets", {}).values() for action in actions.values()):
        yield at, "no action is done to it"


def _circle(actions: Actions) -> Found:
    after = {
        name: [a for a in action.get("startAfter", ()) if a in actions]
        for name, action in actions.items()
    }
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        yield ("actions",), f"each waits for the other: {' → '.join(error.args[1])}"


def _irreversible(actions: Actions, allowed: Collection[str]) -> Found:
    one_way = one_way_actions(actions)
    for action in one_way:
        if action not in allowed:
            hint = (
                "; give it startInstancesAfterDuration, or"
                if action == "aws:ec2:stop-instances"
                else "; to allow it anyway,"
            )
            what = f"FIS never puts back what {action} does{hint} write"
            yield ("actions",), f"{what} allow_irreversible: [{action}] in this fault"
    for number, action in enumerate(allowed):
        if action not in one_way:
            yield ("allow_irreversible", number), f"{action!r} is none that is done here"


def _time(actions: Actions, lasts_s: float | None) -> Found:
    whole = ends_after(actions)
    if not whole:
        yield ("actions",), "FIS would be done at once; add aws:fis:wait for as long as it counts"
    elif lasts_s is not None and lasts_s >= whole:
        first = f"the {show(whole)} after which FIS ends its last action"
        yield ("lasts",), f"must be shorter than {first}, or FIS lifts the fault before"
