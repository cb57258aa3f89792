"""What each fault would pull now, with whom it touches and which calls it takes. Reads only."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InvalidInput
from chaos.experiment import Experiment
from chaos.faults.fault import Fault
from chaos.history import lever_name
from chaos.injection import Looker
from chaos.levers import Lever, Value, to_json
from chaos.levers.powers import Call, Expiring, Rehearsing, Target, Targeting
from chaos.safety.beforehand import fidelities

# Kinds of levers that touch no resource of an account.
TOUCH_NOTHING = frozenset({"by_hand"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One lever that a fault would move.

    On aws also whom it touches, the calls that change something, in order, and when AWS ends it by
    itself (UTC). None: the lever cannot tell, or nobody asked it, as in a lab.
    """

    fault: int
    lever: dict[str, Any]
    account: str | None = None
    prior: Value
    value: Value
    irreversible: bool
    targets: tuple[Target, ...] | None = None
    calls: tuple[Call, ...] | None = None
    expires: datetime | None = None


async def plan(experiment: Experiment, environment: Environment) -> list[Planned]:
    """What each fault would pull now. Reads only; raises InvalidInput with all that is wrong."""
    planned, problems = await look(experiment, environment)
    if problems:
        raise InvalidInput(*problems)
    return planned


async def look(experiment: Experiment, environment: Environment) -> tuple[list[Planned], list[str]]:
    """The same, with all that is wrong instead of an error; an inert fault is one still."""
    fidelities(experiment, environment.kind)
    planned: list[Planned] = []
    problems: list[str] = []
    for number, fault in enumerate(experiment.faults):
        levers, wrong = await planned_of(number, fault, environment)
        if environment.kind != "aws":  # where a guard looks at it
            wrong += _forbidden(levers, frozenset(experiment.allow_irreversible))
        problems += [experiment.located(("faults", number), what) for what in wrong]
        planned += levers
    return planned, problems


async def planned_of(
    number: int, fault: Fault, environment: Environment
) -> tuple[list[Planned], list[str]]:
    """What that fault would pull now, and why it cannot be told."""
    try:
        levers = await _levers(number, fault, environment)
    except InvalidInput as error:
        return [], list(error.problems)
    except CallFailed as error:
        return [], [f"{fault.kind}: {error}"]
    return levers, [] if levers else [f"{fault.kind} would touch nothing"]


async def _levers(number: int, fault: Fault, environment: Environment) -> list[Planned]:
    levers: dict[int, Planned] = {}
    environment = environment.at(fault.account)
    turns = itertools.count()

    async def pull(lever: Lever, value: Value, /) -> None:
        turn = next(turns)  # pulls may come side by side; the plan tells them in their order
        levers[turn] = await _would_pull(number, fault.account, environment, lever, value)

    await fault.inject(Looker(environment), pull)
    return [levers[turn] for turn in sorted(levers)]


async def _would_pull(
    fault: int, account: str | None, environment: Environment, lever: Lever, value: Value
) -> Planned:
    prior = await lever.read(environment)
    real = environment.kind == "aws"
    return Planned(
        fault=fault,
        lever=to_json(lever),
        account=account,
        prior=prior,
        value=value,
        irreversible=lever.irreversible,
        targets=await targets(lever, environment) if real else None,
        calls=_calls(lever, prior, value) if real else None,
        expires=lever.expires(value) if real and isinstance(lever, Expiring) else None,
    )


async def targets(lever: Lever, environment: Environment) -> tuple[Target, ...] | None:
    """Whom the lever touches; None when it cannot tell. Raises CallFailed."""
    if isinstance(lever, Targeting):
        return tuple(await lever.targets(environment))
    return () if lever.kind in TOUCH_NOTHING else None


def _calls(lever: Lever, prior: Value, value: Value) -> tuple[Call, ...] | None:
    if isinstance(lever, Rehearsing):
        return tuple(lever.calls(prior, value))
    return () if lever.kind in TOUCH_NOTHING else None


def _forbidden(levers: list[Planned], allowed: frozenset[str]) -> list[str]:
    return [
        f"{lever_name(p.lever)} cannot be put back; to allow it anyway, write"
        f" allow_irreversible: [{p.lever['kind']}]"
        for p in levers
        if p.irreversible and p.lever["kind"] not in allowed
    ]
