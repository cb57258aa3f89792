"""The permissions of a run, account by account: what is allowed, what is missing, what nobody told.

What could not be checked is told so, and never counts as allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chaos.environments.endpoint import is_real
from chaos.environments.environment import Environment
from chaos.environments.regions import partition
from chaos.errors import CallFailed, InvalidInput, Unsupported
from chaos.experiment import Experiment
from chaos.experiment.accounts import Account
from chaos.levers.powers import Target
from chaos.permissions.needs import needs
from chaos.plan.dry_run import rehearsed
from chaos.plan.principal import Principal, principal
from chaos.plan.simulation import Permission, requests, simulated
from chaos.safety import Planned

# ARNs of targets by their type, after `arn:PARTITION:`; r: region, a: account, i: id. Source:
# Service Authorization Reference, "Resource types" of each service.
ARNS = {
    "dynamodb:global-table": "dynamodb:{r}:{a}:table/{i}",
    "dynamodb:table": "dynamodb:{r}:{a}:table/{i}",
    "ec2:autoscaling-group": "autoscaling:{r}:{a}:autoScalingGroup:*:autoScalingGroupName/{i}",
    "ec2:ebs-volume": "ec2:{r}:{a}:volume/{i}",
    "ec2:instance": "ec2:{r}:{a}:instance/{i}",
    "ec2:subnet": "ec2:{r}:{a}:subnet/{i}",
    "ec2:vpc": "ec2:{r}:{a}:vpc/{i}",
    "ec2:vpc-endpoint": "ec2:{r}:{a}:vpc-endpoint/{i}",
    "elasticache:replicationgroup": "elasticache:{r}:{a}:replicationgroup:{i}",
    "iam:role": "iam::{a}:role/{i}",
    "rds:cluster": "rds:{r}:{a}:cluster:{i}",
    "rds:db": "rds:{r}:{a}:db:{i}",
    "s3:bucket": "s3:::{i}",
}
WHY = {
    "AccessDenied": "iam:SimulatePrincipalPolicy is not allowed",
    "NoSuchEntity": "IAM knows no such role, as one with a path that it would not tell",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of one account's permissions; `unknown` says why IAM did not tell, if so.

    `account` is its name in the experiment.
    """

    account: str
    principal: Principal | None
    permissions: tuple[Permission, ...] = ()
    unknown: tuple[str, ...] = ()

    def those(self, answer: str) -> list[Permission]:
        """The permissions with that answer."""
        return [found for found in self.permissions if found.answer == answer]


async def permitted(
    experiment: Experiment, environment: Environment, planned: Sequence[Planned]
) -> list[Checked]:
    """Ask each account that is touched or watched; nothing that is refused here raises."""
    return [
        await _of_account(experiment, name, account, environment.at(name), planned)
        for name, account in experiment.accounts.items()
        if _used(experiment, name)
    ]


def _used(experiment: Experiment, name: str) -> bool:
    callers = [p.account for p in experiment.probes.values() if p.services()]
    return any(a in (None, name) for a in [*callers, *(f.account for f in experiment.faults)])


async def _of_account(
    experiment: Experiment,
    name: str,
    account: Account,
    environment: Environment,
    planned: Sequence[Planned],
) -> Checked:
    own = [pull for pull in planned if pull.account in (None, name)]
    try:
        who = await principal(environment, account.regions[0], account.role)
    except CallFailed as error:
        return Checked(account=name, principal=None, unknown=(str(error),))
    checked = await _simulated(experiment, name, account, environment, own, who)
    if not is_real(environment.describe().get("endpoint")):
        why = "no dry runs: what answers here is not AWS, and might do what it is asked"
        return replace(checked, unknown=(*checked.unknown, why))
    found = await rehearsed(environment, own)
    return replace(checked, permissions=(*checked.permissions, *found))


async def _simulated(
    experiment: Experiment,
    name: str,
    account: Account,
    environment: Environment,
    planned: Sequence[Planned],
    who: Principal,
) -> Checked:
    checked = Checked(account=name, principal=who)
    if who.arn is None:
        return replace(checked, unknown=(who.why,))
    place = partition(account.regions[0])
    touched = [arn(t, place, who.account) for pull in planned for t in pull.targets or ()]
    try:
        needed = needs(experiment, name)
        asked = requests(needed, touched, partition=place, account=who.account)
        found = await simulated(environment, account.regions[0], who.arn, asked)
    except InvalidInput as error:  # it cannot be told what is needed
        return replace(checked, unknown=tuple(error.problems))
    except Unsupported:
        return replace(checked, unknown=("what answers here simulates no policies",))
    except CallFailed as error:
        return replace(checked, unknown=(WHY.get(error.code, str(error)),))
    return replace(checked, permissions=tuple(dict.fromkeys(found)))


def arn(target: Target, partition: str, account: str) -> str:
    """The ARN of a target; its id alone where the type has none that is known here."""
    known = ARNS.get(target.type)
    if known is None or target.id.startswith("arn:"):
        return target.id
    return f"arn:{partition}:" + known.format(r=target.region, a=account, i=target.id)
