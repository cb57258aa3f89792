"""What a run would do, as far as it can be known without doing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chaos.environments.environment import Environment
from chaos.environments.regions import partition
from chaos.errors import InvalidInput
from chaos.experiment import Experiment
from chaos.levers import expiry
from chaos.plan.cost import Cost, cost
from chaos.plan.permitted import Checked, permitted
from chaos.plan.time import Times, times
from chaos.safety import GuardResult, Planned, Policy, judge, look
from chaos.stops import StopConditions

__all__ = ["Checked", "Cost", "GuardResult", "Plan", "Planned", "Times", "draw_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is known before a run. A lab has no guards and no permissions to ask for.

    `problems` say what keeps a fault from being brought about at all, or the run from beginning;
    `undo_log` is the one that the run would have, if it is known.
    """

    pulls: tuple[Planned, ...]
    problems: tuple[str, ...] = ()
    guards: tuple[GuardResult, ...] = ()
    permissions: tuple[Checked, ...] = ()
    cost: Cost
    times: Times
    undo_log: str | None = None
    drawn_up: datetime  # UTC

    @property
    def refused(self) -> bool:
        """Whether a run would be refused, or could not do what it is to do."""
        missing = any(checked.those("missing") for checked in self.permissions)
        return bool(self.problems) or missing or not all(guard.ok for guard in self.guards)


async def draw_up(
    experiment: Experiment,
    environment: Environment,
    policy: Policy,
    *,
    undo_log: str | None = None,
    besides: Sequence[str] = (),
) -> Plan:
    """The plan as things are now; looks only.

    `undo_log` is the URL of that of the run, if known, and `besides` are problems with it.

    Raises InvalidInput with all that is wrong in a lab; of an account the plan tells it.
    """
    real = environment.kind == "aws"
    pulls, problems = await look(experiment, environment)
    problems = [*problems, *besides, *await StopConditions(experiment, environment).against()]
    if problems and not real:
        raise InvalidInput(*problems)
    regions = [region for account in experiment.accounts.values() for region in account.regions]
    return Plan(
        pulls=tuple(pulls),
        problems=tuple(problems),
        guards=tuple(await judge(experiment, pulls, environment, policy, undo_log)),
        permissions=tuple(await permitted(experiment, environment, pulls)) if real else (),
        cost=await cost(pulls, environment, partition(regions[0]) if regions else "aws"),
        times=times(experiment, pulls, environment.stale_s),
        undo_log=undo_log,
        drawn_up=expiry.now(),
    )
