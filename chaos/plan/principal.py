"""Who acts in an account, as IAM knows them: a session is not what policies are attached to."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.environments.environment import Environment
from chaos.errors import CallFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`identity` is STS's ARN; `arn` the role or user whose policies count, or `why` not known."""

    account: str
    identity: str
    arn: str | None = None
    why: str = ""


async def principal(environment: Environment, region: str, role: str | None) -> Principal:
    """Whoever the calls to that account are signed by; `role` is the one the experiment names.

    Raises CallFailed when STS does not tell.
    """
    told = await environment.call("sts", region, "get_caller_identity")
    account, identity = str(told["Account"]), str(told["Arn"])
    kind, _, rest = identity.split(":", 5)[5].partition("/")
    if kind == "user":
        return Principal(account=account, identity=identity, arn=identity)
    if kind != "assumed-role":  # the root user, or a federated one
        why = f"IAM does not simulate policies for {kind}"
        return Principal(account=account, identity=identity, why=why)
    name = rest.split("/")[0]
    if role and role.rpartition("/")[2] == name:
        return Principal(account=account, identity=identity, arn=role)
    arn = await _with_path(environment, region, name) or _without_path(identity, name)
    return Principal(account=account, identity=identity, arn=arn)


async def _with_path(environment: Environment, region: str, name: str) -> str | None:
    """A session's ARN leaves the path of its role out; IAM tells it to those who may ask."""
    try:
        told = await environment.call("iam", region, "get_role", RoleName=name)
    except CallFailed:
        return None
    return str(told["Role"]["Arn"])


def _without_path(identity: str, name: str) -> str:
    _, partition, _, region, account, _ = identity.split(":", 5)
    return f"arn:{partition}:iam:{region}:{account}:role/{name}"
