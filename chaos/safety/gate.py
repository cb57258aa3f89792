"""The gate before a run, and before each of its pulls: all guards, on what is so at that moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InjectionFailed, InvalidInput
from chaos.experiment import Experiment
from chaos.levers import Lever, to_json
from chaos.levers.powers import Target
from chaos.safety.consent import Agree, ask
from chaos.safety.facts import Facts, Group, Source, Spot, spots, utc_now
from chaos.safety.gathering import gather, named, with_groups, written
from chaos.safety.guards import PLACES, STATIC, judged
from chaos.safety.planning import Planned, plan, targets
from chaos.safety.policy import Policy, find
from chaos.safety.result import GuardResult
from chaos.safety.terminations import Place

REAL = "aws"  # the kind of environment in which there is something to guard


def sources(experiment: Experiment, policy: Policy) -> tuple[Source, ...]:
    """All rules that hold for the experiment: its own first."""
    own = Source("the experiment's safety", experiment.safety, own=True)
    return (own, *(Source(str(file), file.rules) for file in policy.files))


def policy_for(kind: str, explicit: Path | None = None, experiment: Path | None = None) -> Policy:
    """The policies for that kind of environment: a lab has none, but one that is named is read.

    Raises InvalidInput.
    """
    return find(explicit, experiment=experiment) if explicit or kind == REAL else Policy()


async def pass_the_gate(
    experiment: Experiment,
    environment: Environment,
    policy: Policy,
    *,
    undo_log: str | None = None,
    agree: Agree | None = None,
) -> Permit | None:
    """Plan, guards, consent; returns what to ask before each pull, if anything.

    Raises InvalidInput with all that is wrong; nothing was touched.
    """
    planned = await plan(experiment, environment)
    permit = await guard(experiment, planned, environment, policy, undo_log)
    if permit is not None:
        await ask(experiment, planned, environment, agree)
    return permit


async def judge(
    experiment: Experiment,
    planned: Sequence[Planned],
    environment: Environment,
    policy: Policy,
    undo_log: str | None = None,
) -> list[GuardResult]:
    """What every guard says of that plan now; nothing in a lab, which nobody can harm."""
    if environment.kind != REAL:
        return []
    facts = await gather(experiment, planned, environment, undo_log)
    return judged(facts, sources(experiment, policy))


async def guard(
    experiment: Experiment,
    planned: Sequence[Planned],
    environment: Environment,
    policy: Policy,
    undo_log: str | None = None,
) -> Permit | None:
    """Raises InvalidInput with every refusal; else what to ask before each pull, if anything."""
    if environment.kind != REAL:
        return None
    facts = await gather(experiment, planned, environment, undo_log)
    rules = sources(experiment, policy)
    if refused := _refusals(judged(facts, rules)):
        raise InvalidInput(*refused)
    return Permit(experiment, environment, rules, facts)


def static(experiment: Experiment, policy: Policy) -> list[str]:
    """Why the experiment would be refused whatever there is in its accounts."""
    facts = written(experiment)
    return _refusals(judged(facts, sources(experiment, policy), STATIC))


def stay_out(kind: str, experiment: Experiment, policy: Policy) -> None:
    """Raises InvalidInput for accounts and regions that are not allowed: nothing is read there."""
    rules = sources(experiment, policy)
    if kind != REAL or not experiment.accounts:  # without any none is reached at all
        return
    if refused := _refusals(judged(written(experiment), rules, PLACES)):
        raise InvalidInput(*refused)


def _refusals(results: Iterable[GuardResult]) -> list[str]:
    return [f"{result.name}: {refusal}" for result in results for refusal in result.refusals]


class Permit:
    """Judges each pull once more when it comes: things change after a plan, and draws differ.

    Each is judged together with all that the run has pulled before.
    """

    def __init__(
        self,
        experiment: Experiment,
        environment: Environment,
        rules: Sequence[Source],
        facts: Facts,
    ) -> None:
        self._experiment = experiment
        self._environment = environment
        self._rules = rules
        self._facts = replace(facts, planned=(), drawn={})
        self._there = _there(facts.possible)

    async def __call__(self, fault: int, account: str | None, lever: Lever) -> None:
        """Raises InjectionFailed when that lever may not be pulled now."""
        own = await self._read(fault, account, lever)
        facts = replace(self._facts, planned=(own,))
        fresh = await with_groups(facts, self._environment)
        # From here on nothing waits, so that pulls that come side by side see each other.
        now, ends = self._time()
        facts = replace(
            fresh,
            now=now,
            ends=ends,
            planned=(*self._facts.planned, self._counted(own)),
            groups={**self._facts.groups, **self._grown(fresh.groups)},
        )
        if refused := _refusals(judged(facts, self._rules)):
            raise InjectionFailed(f"not pulled any more: {'; '.join(refused)}")
        self._facts = facts

    async def _read(self, fault: int, account: str | None, lever: Lever) -> Planned:
        here = self._environment.at(account)
        try:
            found = await targets(lever, here)
        except CallFailed as error:
            raise InjectionFailed(f"whom {lever.kind} touches cannot be read: {error}") from error
        pull = Planned(
            fault=fault,
            lever=to_json(lever),
            account=account,
            prior=None,
            value=None,
            irreversible=lever.irreversible,
            targets=found,
        )
        return named(self._experiment, [pull])[0]

    def _counted(self, pull: Planned) -> Planned:
        """Its targets, among as many as there would be if this run had taken none of them.

        What the run has pulled so far may be gone; what others took is gone as well.
        """
        before = dict.fromkeys(spots(self._facts.planned))

        def among(target: Target) -> Target:
            key = Spot.of(pull.account, target).among
            if target.among is None or key not in self._there:
                return target
            ours = sum(spot.among == key for spot in before)
            return replace(target, among=min(self._there[key], target.among + ours))

        return replace(pull, targets=tuple(map(among, pull.targets)) if pull.targets else None)

    def _grown(self, fresh: Mapping[Place, Group | str]) -> dict[Place, Group | str]:
        """The groups, with the members that this run has already taken from them."""
        grown = dict(fresh)
        for place, group in fresh.items():
            before = self._facts.groups.get(place)
            if isinstance(group, Group) and isinstance(before, Group):
                grown[place] = replace(group, members=group.members | before.members)
        return grown

    def _time(self) -> tuple[datetime, datetime]:
        """Now, and until when the drill may take, counted from its first pull."""
        now = utc_now()
        if not self._facts.planned:
            left = self._facts.duration_s - self._experiment.steady_state.within
            return now, now + timedelta(seconds=left)
        return now, self._facts.ends


def _there(planned: tuple[Planned, ...]) -> dict[tuple[str | None, str, str], int]:
    """How many there were of each kind before the run touched any."""
    found: dict[tuple[str | None, str, str], int] = {}
    for spot in spots(planned):
        if spot.target.among is not None:
            found[spot.among] = min(found.get(spot.among, spot.target.among), spot.target.among)
    return found
