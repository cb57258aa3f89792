"""EC2's own rehearsal: a call with DryRun, which does nothing and tells whether it were allowed.

It is asked of AWS alone: whatever else answers at an endpoint may not know the word, and do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import CallFailed
from chaos.levers.powers import Target
from chaos.permissions.actions import actions
from chaos.plan.simulation import Answer, Permission
from chaos.safety import Planned

# Operations whose parameters are known from their target alone: its type, and theirs.
BY_TARGET = {
    "modify_vpc_endpoint": ("ec2:vpc-endpoint", "VpcEndpointId"),
    "reboot_instances": ("ec2:instance", "InstanceIds"),
    "start_instances": ("ec2:instance", "InstanceIds"),
    "stop_instances": ("ec2:instance", "InstanceIds"),
    "terminate_instances": ("ec2:instance", "InstanceIds"),
}
# EC2's codes. Source: EC2 API Reference, "Dry run" and "Error codes".
ALLOWED, DENIED = "DryRunOperation", "UnauthorizedOperation"


async def rehearsed(environment: Environment, planned: Iterable[Planned]) -> list[Permission]:
    """What EC2 says of the calls of one account; the first target of each stands for the rest."""
    found: dict[tuple[str, str], Permission] = {}
    for operation, target in _known(planned):
        if (operation, target.region) not in found:
            found[operation, target.region] = await _rehearse(environment, operation, target)
    return list(found.values())


def _known(planned: Iterable[Planned]) -> Iterator[tuple[str, Target]]:
    for pull in planned:
        for call in pull.calls or ():
            kind = BY_TARGET.get(call.operation, ("", ""))[0] if call.service == "ec2" else ""
            yield from ((call.operation, t) for t in pull.targets or () if t.type == kind)


async def _rehearse(environment: Environment, operation: str, target: Target) -> Permission:
    name = BY_TARGET[operation][1]
    params: dict[str, Any] = {name: [target.id] if name.endswith("s") else target.id}
    try:
        await environment.call("ec2", target.region, operation, DryRun=True, **params)
    except CallFailed as error:
        answer, said = _answer(error.code)
    else:
        answer, said = _answer("")
    (action,) = actions("ec2", operation)
    return Permission(part="inject", action=action, resource=target.id, answer=answer, said=said)


def _answer(code: str) -> tuple[Answer, str]:
    if code == ALLOWED:
        return "allowed", "dry run"
    if code == DENIED:
        return "missing", "EC2 refuses it in a dry run"
    return "unknown", f"EC2's dry run says {code or 'nothing of it'}"
