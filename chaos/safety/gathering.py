"""Gathers the facts that guards judge by. Reads only, and what cannot be read is told as such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from chaos.environments.environment import Environment
from chaos.environments.whoami import whoami
from chaos.errors import ChaosError
from chaos.experiment import Experiment
from chaos.safety import branch
from chaos.safety.facts import (
    DARKEN,
    Facts,
    Group,
    Spot,
    expected_s,
    for_good,
    utc_now,
    written_accounts,
    written_regions,
)
from chaos.safety.planning import Planned, planned_of
from chaos.safety.terminations import Place, terminated

# Without one of these a group does not notice that an instance is gone, or leaves it at that.
REPLACING = frozenset({"HealthCheck", "Launch", "ReplaceUnhealthy"})


def written(experiment: Experiment) -> Facts:
    """What the experiment alone tells."""
    now, duration = utc_now(), expected_s(experiment)
    one_way = {fault.kind for fault in experiment.faults if fault.one_way}
    dark = {getattr(f, "region", "") for f in experiment.faults if f.kind in DARKEN}
    return Facts(
        accounts=written_accounts(experiment),
        regions=written_regions(experiment),
        irreversible=frozenset(one_way),
        allowed=frozenset(_allowed(experiment)),
        dark=frozenset(dark),
        now=now,
        ends=now + timedelta(seconds=duration),
        duration_s=duration,
    )


def _allowed(experiment: Experiment) -> Iterable[str]:
    """By the experiment as a whole, and by faults that name what they do for good."""
    yield from experiment.allow_irreversible
    for fault in experiment.faults:
        yield from getattr(fault, "allow_irreversible", ())


async def gather(
    experiment: Experiment,
    planned: Sequence[Planned],
    environment: Environment,
    undo_log: str | None = None,
) -> Facts:
    """All facts about that plan, as they are now; `undo_log` is the URL of where that is kept."""
    drawn = {
        number: await _drawn(experiment, number, environment)
        for number, fault in enumerate(experiment.faults)
        if fault.draws
    }
    facts = replace(written(experiment), planned=named(experiment, planned), drawn=drawn)
    me = await whoami(environment)
    found = await branch.find(experiment, environment, me, undo_log)
    return replace(await with_groups(facts, environment), branch=found)


async def with_groups(facts: Facts, environment: Environment) -> Facts:
    """The facts with the groups that terminations would be in, and all that is irreversible."""
    places = dict.fromkeys(_groups(terminated(facts.possible)))
    done = {kind for pull in facts.possible for kind in for_good(pull)}
    return replace(
        facts,
        groups={place: await _group(place, environment) for place in places},
        irreversible=facts.irreversible | done,
    )


def named(experiment: Experiment, planned: Iterable[Planned]) -> tuple[Planned, ...]:
    """The same pulls, each with the name of its account, also where that is the only one."""
    return tuple(replace(p, account=experiment.account(p.account)[0]) for p in planned)


async def _drawn(
    experiment: Experiment, number: int, environment: Environment
) -> tuple[Planned, ...] | str:
    everyone = experiment.faults[number].everyone()
    if everyone is None:
        return f"{experiment.faults[number].kind} cannot tell"
    levers, wrong = await planned_of(number, everyone, environment)
    return "; ".join(wrong) or named(experiment, levers)


def _groups(spots: Iterable[Spot]) -> Iterable[Place]:
    for spot in spots:
        if spot.target.group:
            yield spot.account, spot.region, spot.target.group


async def _group(place: Place, environment: Environment) -> Group | str:
    """The group as it is; why it cannot be read otherwise."""
    account, region, name = place
    try:
        answer = await environment.at(account).call(
            "autoscaling",
            region,
            "describe_auto_scaling_groups",
            AutoScalingGroupNames=[name],
        )
        (found,) = answer["AutoScalingGroups"]
        in_service = frozenset(
            instance["InstanceId"]
            for instance in found["Instances"]
            if (instance["LifecycleState"], instance["HealthStatus"]) == ("InService", "Healthy")
        )
        members = frozenset(instance["InstanceId"] for instance in found["Instances"])
        suspended = {process["ProcessName"] for process in found.get("SuspendedProcesses", ())}
        # AWS tells a status only while the group is being deleted.
        launches = "Status" not in found and REPLACING.isdisjoint(suspended)
    except (ChaosError, KeyError, ValueError) as error:
        return str(error) or "it is not there"
    return Group(members=members, in_service=in_service, launches=launches)
