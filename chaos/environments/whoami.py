"""Where this very process runs, so that a drill does not cut the branch that it sits on.

Only what is known to be there is asked: the metadata service of EC2 on EC2, or where
AWS_EC2_METADATA_SERVICE_ENDPOINT names it; that of ECS where ECS has named it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chaos.environments import metadata, on_aws
from chaos.environments.account import on_ec2
from chaos.environments.calls import AwsCalls
from chaos.environments.environment import Environment
from chaos.errors import ChaosError

ECS = "ECS_CONTAINER_METADATA_URI_V4"
IMDS = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
BUILD = "CODEBUILD_BUILD_ARN"
LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"
EXECUTION = "AWS_EXECUTION_ENV"  # set by CloudShell, by old platforms of Fargate, by others of AWS
NOT_TOLD = "it runs in {where}, which does not tell in which subnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whoami:
    """Where the tool runs, as far as that is in AWS; None is what it has not, or not told.

    `known` is false when it runs in AWS and cannot tell where: then no guard can be sure. `why`
    says in words where that knowledge is from, or why there is none. `role` is the ARN of the role
    of the base credentials, without its path, and `account` their account.
    """

    instance: str | None = None
    subnet: str | None = None
    zone: str | None = None
    region: str | None = None
    role: str | None = None
    account: str | None = None
    known: bool = False
    why: str = ""


async def whoami(environment: Environment) -> Whoami:
    """Where this process runs, and as whom; never raises for what it cannot find out."""
    accounts = on_aws.found_in(environment)
    if accounts is None:
        return Whoami(known=True, why="in a lab there is nothing of the tool's own to cut")
    place = await _place(accounts.base)
    try:
        caller = await accounts.caller()
    except ChaosError as error:
        return replace(place, known=False, why=f"{place.why}; who we are is not told: {error}")
    return replace(place, role=role(caller["Arn"]), account=caller["Account"])


def role(arn: str) -> str | None:
    """The role of a caller, whose ARN names the session, without the role's path."""
    parts = arn.split(":", 5)
    kind, _, rest = parts[-1].partition("/")
    if kind != "assumed-role" or len(parts) < 6:
        return None
    return f"{':'.join(parts[:2])}:iam::{parts[4]}:role/{rest.partition('/')[0]}"


async def _place(base: AwsCalls) -> Whoami:
    environ = os.environ
    if environ.get(ECS):
        return await _of_task(environ[ECS], base)
    if environ.get(BUILD):
        return await _of_build(environ[BUILD], base)
    if environ.get(LAMBDA):
        why = NOT_TOLD.format(where=f"the Lambda function {environ[LAMBDA]}")
        return Whoami(region=environ.get("AWS_REGION"), why=why)
    if environ.get(IMDS) or on_ec2():
        return await _of_instance()
    if environ.get(EXECUTION):
        return Whoami(
            region=environ.get("AWS_REGION"), why=NOT_TOLD.format(where=environ[EXECUTION])
        )
    return Whoami(known=True, why="nothing on this machine says that it is one of AWS")


async def _of_instance() -> Whoami:
    try:
        own = await asyncio.to_thread(metadata.ec2)
    except (OSError, KeyError) as error:
        why = f"it runs on EC2, whose metadata service does not tell where: {error}"
        return Whoami(why=why)
    return Whoami(**own, known=True, why=f"EC2's metadata service: {own['instance']}")


async def _of_task(url: str, base: AwsCalls) -> Whoami:
    """A task with an interface of its own is found by it; another is on an instance."""
    try:
        told = await asyncio.to_thread(metadata.ecs, url)
        arn, zone = str(told["task"]["TaskARN"]), told["task"].get("AvailabilityZone")
        interfaces = told["container"].get("Networks") or [{}]
    except (OSError, KeyError) as error:
        return Whoami(why=f"it runs in ECS, whose metadata service does not tell where: {error}")
    if interfaces[0].get("NetworkMode") != "awsvpc":
        return await _of_instance()
    here = Whoami(region=arn.split(":")[3], zone=zone, why=NOT_TOLD.format(where=f"the task {arn}"))
    return await _with_subnet(here, base, interfaces[0])


async def _with_subnet(here: Whoami, base: AwsCalls, interface: Mapping[str, Any]) -> Whoami:
    mac = [{"Name": "mac-address", "Values": [str(interface.get("MACAddress"))]}]
    try:
        call = base.call("ec2", here.region or "", "describe_network_interfaces", Filters=mac)
        (found,) = (await call)["NetworkInterfaces"]
    except (ChaosError, ValueError) as error:
        why = f"{here.why}, and ec2 describe_network_interfaces does not either: {error}"
        return replace(here, why=why)
    return replace(here, subnet=found["SubnetId"], known=True, why="ECS' metadata service and EC2")


async def _of_build(arn: str, base: AwsCalls) -> Whoami:
    """A build is in a subnet of ours only where its project says so."""
    region = arn.split(":")[3]
    here = Whoami(region=region, why=NOT_TOLD.format(where=f"the build {arn}"))
    try:
        answer = await base.call("codebuild", region, "batch_get_builds", ids=[arn])
        (build,) = answer["builds"]
    except (ChaosError, ValueError) as error:
        why = f"{here.why}, and codebuild batch_get_builds does not either: {error}"
        return replace(here, why=why)
    subnet = build.get("networkInterface", {}).get("subnetId")
    if build.get("vpcConfig", {}).get("vpcId") and subnet is None:
        return here
    return replace(here, subnet=subnet, known=True, why="CodeBuild")
