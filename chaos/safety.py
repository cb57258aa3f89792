"""What is known before anything is touched: what would be pulled, and whether that is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InvalidInput
from chaos.experiment import Experiment
from chaos.faults.fault import Fault, Fidelity
from chaos.history import lever_name
from chaos.injection import looker
from chaos.levers import Lever, Value, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One lever that a fault would move."""

    fault: int
    lever: dict[str, Any]
    prior: Value
    value: Value
    irreversible: bool


def fidelities(experiment: Experiment, kind: str) -> list[Fidelity]:
    """How real each fault is in an environment of that kind; raises InvalidInput where it is not.

    An inert fault would make a green run of nothing, so it is refused.
    """
    inert = [
        f"faults[{number}]: {fault.kind} has no effect in the environment {kind!r}"
        for number, fault in enumerate(experiment.faults)
        if fault.fidelity.get(kind, "unsupported") == "unsupported"
    ]
    if inert:
        raise InvalidInput(*inert)
    return [fault.fidelity[kind] for fault in experiment.faults]


async def plan(experiment: Experiment, environment: Environment) -> list[Planned]:
    """What each fault would pull now. Reads only; raises InvalidInput with all that is wrong."""
    fidelities(experiment, environment.kind)
    planned: list[Planned] = []
    problems: list[str] = []
    for number, fault in enumerate(experiment.faults):
        try:
            levers = await _levers(number, fault, environment)
        except InvalidInput as error:
            problems += [f"faults[{number}]: {problem}" for problem in error.problems]
            continue
        except CallFailed as error:
            problems.append(f"faults[{number}]: {fault.kind}: {error}")
            continue
        if not levers:
            problems.append(f"faults[{number}]: {fault.kind} would touch nothing")
        problems += _forbidden(levers, frozenset(experiment.allow_irreversible))
        planned += levers
    if problems:
        raise InvalidInput(*problems)
    return planned


async def _levers(number: int, fault: Fault, environment: Environment) -> list[Planned]:
    levers: list[Planned] = []

    async def pull(lever: Lever, value: Value, /) -> None:
        levers.append(
            Planned(
                fault=number,
                lever=to_json(lever),
                prior=await lever.read(environment),
                value=value,
                irreversible=lever.irreversible,
            )
        )

    await fault.inject(looker(environment), pull)
    return levers


def _forbidden(levers: list[Planned], allowed: frozenset[str]) -> list[str]:
    return [
        f"faults[{p.fault}]: {lever_name(p.lever)} cannot be put back; to allow it anyway, write"
        f" allow_irreversible: [{p.lever['kind']}]"
        for p in levers
        if p.irreversible and p.lever["kind"] not in allowed
    ]
