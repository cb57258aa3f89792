"""What the lever of AWS FIS asks FIS for, and how it reads the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InvalidInput
from chaos.levers.marked import TAG
from chaos.levers.powers import Grant, Grants

ALIVE = ("pending", "initiating", "running", "stopping")
POLL_S = 2.0
TEMPLATES = "arn:aws:fis:*:*:experiment-template/*"
EXPERIMENTS = "arn:aws:fis:*:*:experiment/*"
OURS = {"StringLike": {f"aws:ResourceTag/{TAG}": "*"}}
FOR_FIS = {"StringEquals": {"iam:PassedToService": "fis.amazonaws.com"}}
GRANTS = Grants(
    looks=(
        Grant(
            actions=(
                "fis:ListExperimentTemplates",
                "fis:ListExperiments",
                "fis:GetExperimentTemplate",
                "fis:GetExperiment",
                "fis:ListTargetAccountConfigurations",
                "tag:GetResources",
                "ec2:DescribeInstances",
                "ec2:DescribeSubnets",
                "ec2:DescribeVolumes",
                "autoscaling:DescribeAutoScalingGroups",
                "dynamodb:ListTables",
                "rds:DescribeDBClusters",
                "rds:DescribeDBInstances",
                "s3:ListAllMyBuckets",
            )
        ),
        Grant(actions=("iam:GetRole",), resources=("arn:aws:iam::*:role/*",)),
    ),
    injects=(
        Grant(
            actions=("fis:CreateExperimentTemplate",),
            resources=(TEMPLATES, "arn:aws:fis:*:*:action/*"),
        ),
        Grant(actions=("fis:StartExperiment",), resources=(TEMPLATES, EXPERIMENTS)),
        Grant(actions=("fis:TagResource",), resources=(TEMPLATES, EXPERIMENTS)),
        Grant(actions=("fis:CreateTargetAccountConfiguration",), resources=(TEMPLATES,)),
        Grant(actions=("iam:PassRole",), conditions=FOR_FIS),
    ),
    puts_back=(
        Grant(actions=("fis:StopExperiment",), resources=(EXPERIMENTS,), conditions=OURS),
        Grant(actions=("fis:DeleteExperimentTemplate",), resources=(TEMPLATES,), conditions=OURS),
    ),
)


def grants(role: str | None) -> Grants:
    """The permissions; of a role that is known, to pass that one alone."""
    if role is None:
        return GRANTS
    injects = [
        replace(grant, resources=(role,)) if grant.actions == ("iam:PassRole",) else grant
        for grant in GRANTS.injects
    ]
    return replace(GRANTS, injects=tuple(injects))


async def listed(
    environment: Environment, region: str, operation: str, key: str, **params: Any
) -> list[dict[str, Any]]:
    """All of its pages; each has its tags. Raises CallFailed."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = await environment.call("fis", region, operation, **params, **more)
        found += [{"tags": {}, **one} for one in page[key]]
        if not page.get("nextToken"):
            return found
        more = {"nextToken": page["nextToken"]}


async def until(
    environment: Environment,
    region: str,
    experiment: str,
    over: Callable[[str], bool],
    within_s: float,
) -> dict[str, Any]:
    """The experiment once `over` is true of its status; raises CallFailed when it is too late."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + within_s
    while True:
        answer = await environment.call("fis", region, "get_experiment", id=experiment)
        one: dict[str, Any] = answer["experiment"]
        if over(status(one)):
            return one
        if loop.time() > give_up:
            raise CallFailed(f"fis experiment {experiment}", "NotSettled", told(one))
        await asyncio.sleep(POLL_S)


async def refuse_another(environment: Environment, region: str, named: Mapping[str, str]) -> None:
    """Raises InvalidInput when the id that FIS is given is not that of the account named.

    Whoever asks who they are needs no permission for it.
    """
    identity = await environment.call("sts", region, "get_caller_identity")
    if identity["Account"] != named["id"]:
        raise InvalidInput(
            f"fis: target_accounts: {named['account']} is the account {identity['Account']},"
            f" and the id that FIS would be given is {named['id']}"
        )


def content(template: Mapping[str, Any]) -> dict[str, Any]:
    """What a template says that decides what happens."""
    keys = ("actions", "targets", "roleArn", "stopConditions", "experimentOptions")
    return {key: template[key] for key in keys if key in template}


def status(experiment: Mapping[str, Any]) -> str:
    return str(experiment["state"]["status"])


def told(experiment: Mapping[str, Any]) -> str:
    state = experiment["state"]
    return f"{experiment['id']} is {state['status']}: {state.get('reason', 'FIS gives no reason')}"
