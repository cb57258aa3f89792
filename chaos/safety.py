"""What is known before anything is touched: what would be pulled, and whether that is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InvalidInput
from chaos.experiment import Experiment
from chaos.faults.fault import Fault, Fidelity
from chaos.history import lever_name
from chaos.injection import Looker
from chaos.levers import Lever, Value, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One lever that a fault would move."""

    fault: int
    lever: dict[str, Any]
    account: str | None = None
    prior: Value
    value: Value
    irreversible: bool


def fidelities(experiment: Experiment, kind: str) -> list[Fidelity]:
    """How real each fault is in an environment of that kind; raises InvalidInput where it is not.

    An inert fault would make a green run of nothing, so it is refused.
    """
    inert = [
        experiment.located(
            ("faults", number), f"{fault.kind} has no effect in the environment {kind!r}"
        )
        for number, fault in enumerate(experiment.faults)
        if fault.fidelity.get(kind, "unsupported") == "unsupported"
    ]
    if inert:
        raise InvalidInput(*inert)
    return [fault.fidelity[kind] for fault in experiment.faults]


def services(experiment: Experiment) -> frozenset[str]:
    """The services of AWS that its faults and probes call, by boto3's names."""
    called = [fault.services() for fault in experiment.faults]
    return frozenset().union(*called, *(probe.services() for probe in experiment.probes.values()))


def permit(experiment: Experiment, *, commands: bool) -> None:
    """Raises InvalidInput when a probe runs programs of this machine and may not."""
    refused = [
        experiment.located(
            ("probes", name),
            f"kind {probe.kind} runs programs of this machine; allow it with --allow-commands",
        )
        for name, probe in experiment.probes.items()
        if probe.runs_programs and not commands
    ]
    if refused:
        raise InvalidInput(*refused)


def keep_one_clock(experiment: Experiment, kind: str, speed: float) -> None:
    """Raises InvalidInput when what is to detect a fault would be timed by another clock.

    Only the lab runs faster. Whoever else evaluates alarms takes seconds of the wall for it, which
    would be told as so many times more, and a good alarm as a late one.
    """
    if kind == "embedded" or speed == 1:
        return
    late = [
        experiment.located(
            ("probes", name),
            f"kind {probe.kind} goes by the clock of {kind}, which runs at speed 1:"
            " leave out --speed",
        )
        for name, probe in experiment.probes.items()
        if probe.detects
    ]
    if late:
        raise InvalidInput(*late)


async def plan(experiment: Experiment, environment: Environment) -> list[Planned]:
    """What each fault would pull now. Reads only; raises InvalidInput with all that is wrong."""
    fidelities(experiment, environment.kind)
    planned: list[Planned] = []
    problems: list[str] = []
    for number, fault in enumerate(experiment.faults):
        levers, wrong = await _planned(number, fault, environment)
        wrong += _forbidden(levers, frozenset(experiment.allow_irreversible))
        problems += [experiment.located(("faults", number), what) for what in wrong]
        planned += levers
    if problems:
        raise InvalidInput(*problems)
    return planned


async def _planned(
    number: int, fault: Fault, environment: Environment
) -> tuple[list[Planned], list[str]]:
    try:
        levers = await _levers(number, fault, environment)
    except InvalidInput as error:
        return [], list(error.problems)
    except CallFailed as error:
        return [], [f"{fault.kind}: {error}"]
    return levers, [] if levers else [f"{fault.kind} would touch nothing"]


async def _levers(number: int, fault: Fault, environment: Environment) -> list[Planned]:
    levers: list[Planned] = []
    environment = environment.at(fault.account)

    async def pull(lever: Lever, value: Value, /) -> None:
        levers.append(
            Planned(
                fault=number,
                lever=to_json(lever),
                account=fault.account,
                prior=await lever.read(environment),
                value=value,
                irreversible=lever.irreversible,
            )
        )

    await fault.inject(Looker(environment), pull)
    return levers


def _forbidden(levers: list[Planned], allowed: frozenset[str]) -> list[str]:
    return [
        f"{lever_name(p.lever)} cannot be put back; to allow it anyway, write"
        f" allow_irreversible: [{p.lever['kind']}]"
        for p in levers
        if p.irreversible and p.lever["kind"] not in allowed
    ]
