"""What an experiment needs in one account: its faults, its probes, and the tool itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chaos.errors import InvalidInput
from chaos.experiment import Experiment
from chaos.experiment.accounts import Account
from chaos.faults.fault import Fault
from chaos.levers.powers import Grant, Grants
from chaos.permissions.actions import actions
from probes.aws_api import ApiCall

# What they are needed for; a policy has statements for each.
PARTS = ("look", "inject", "rollback", "probe", "base")
# Who we are needs no permission (sts:GetCallerIdentity), but a policy that says what is called is
# the better one; the account's alias is what people type to consent.
OWN = (Grant(actions=("iam:ListAccountAliases", "sts:GetCallerIdentity")),)
# What the guards look at: which group would replace an instance, and which branch we sit on. One
# that cannot look refuses the run.
GUARDS = (
    Grant(
        actions=(
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeNatGateways",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcEndpoints",
        )
    ),
)
# By these it is found where we are, when that is a container or a build in AWS.
WHERE_WE_ARE = (Grant(actions=("codebuild:BatchGetBuilds", "ec2:DescribeNetworkInterfaces")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Permissions by what they are needed for, as levers and probes write them."""

    look: tuple[Grant, ...] = ()
    inject: tuple[Grant, ...] = ()
    rollback: tuple[Grant, ...] = ()
    probe: tuple[Grant, ...] = ()
    base: tuple[Grant, ...] = ()  # of the credentials that the tool starts with

    def of(self, part: str) -> tuple[Grant, ...]:
        """Those of one of PARTS."""
        grants: tuple[Grant, ...] = getattr(self, part)
        return grants


def account_of(experiment: Experiment, name: str | None) -> tuple[str, Account] | tuple[None, None]:
    """The account of that name, or the only one; none where the experiment names none.

    Raises InvalidInput when it is not clear which is meant.
    """
    if name is None and not experiment.accounts:
        return None, None
    return experiment.account(name)


def needs(experiment: Experiment, name: str | None, *, undo_log: str | None = None) -> Needs:
    """What it needs in the account of that name; None: the only one there is.

    `undo_log` is the URL of the undo log. Raises InvalidInput for a fault that does not say what
    it takes, as a policy without that would look like enough.
    """
    _all_tell(experiment, name)
    total = Grants()
    for fault in _of_account(experiment.faults, name):
        total |= fault.grants()
    _, account = account_of(experiment, name)
    role = account.role if account else None
    return Needs(
        look=(*OWN, *GUARDS, *_simulating(role), *total.looks, *_alarms(experiment, name)),
        inject=total.injects,
        rollback=total.puts_back,
        probe=tuple(_probing(experiment, name)),
        base=(*WHERE_WE_ARE, *_assuming(role), *_undo_log(undo_log)),
    )


def _all_tell(experiment: Experiment, name: str | None) -> None:
    silent = [
        experiment.located(("faults", n), f"{fault.kind} does not say which permissions it takes")
        for n, fault in enumerate(experiment.faults)
        if fault in _of_account([fault], name) and _silent(fault)
    ]
    if silent:
        raise InvalidInput(*silent)


def _of_account(faults: list[Fault], name: str | None) -> list[Fault]:
    return [fault for fault in faults if _there(fault.account, name)]


def _simulating(role: str | None) -> tuple[Grant, ...]:
    """`chaos plan` asks IAM what the role may do; of no other role or user."""
    return (Grant(actions=("iam:SimulatePrincipalPolicy",), resources=(role,)),) if role else ()


def _assuming(role: str | None) -> tuple[Grant, ...]:
    return (Grant(actions=("sts:AssumeRole",), resources=(role,)),) if role else ()


def _undo_log(url: str | None) -> tuple[Grant, ...]:
    """What it takes to write the undo log, to read it, and to put back from it."""
    if url is None:
        return ()
    from chaos import custody

    grants = custody.grants(url)
    return (*grants.looks, *grants.injects, *grants.puts_back)


def _there(named: str | None, account: str | None) -> bool:
    return account is None or named in (None, account)


def _silent(fault: Fault) -> bool:
    return not fault.by_hand and not fault.grants().injects


def _probing(experiment: Experiment, account: str | None) -> Iterator[Grant]:
    for name, probe in experiment.probes.items():
        if not _there(probe.account, account):
            continue
        for call in probe.calls():
            try:
                yield granted(call)
            except InvalidInput as error:
                raise InvalidInput(experiment.located(("probes", name), str(error))) from error


def granted(call: ApiCall) -> Grant:
    """The permission for one call; raises InvalidInput when boto3 knows no such operation."""
    return Grant(actions=actions(call.service, call.operation), resources=(call.resource,))


def _alarms(experiment: Experiment, account: str | None) -> Iterator[Grant]:
    """Alarms that end the run are looked at, wherever they are."""
    for condition in experiment.stop_when:
        if getattr(condition, "alarm", None) and _there(
            getattr(condition, "account", None), account
        ):
            yield Grant(actions=("cloudwatch:DescribeAlarms",))
