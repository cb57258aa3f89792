"""Each lever, with values to move it to, in the fake environment and in real labs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from contract.attending import attended

from chaos.environments.environment import Environment
from chaos.levers import Lever
from chaos.levers.by_hand import ByHand
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import ApiRule, DnsRule, LinkRule, Reachability, Replication
from chaos.levers.s3 import ObjectDeletion
from chaos.testing import check_lever

HOME, DEPENDENCY = "home", "recommendations"
BUCKET = "viewing-history-us-east-1"
REFUSE: dict[str, Any] = {"action": "refuse"}

# Each lever, and values beside the one in which it is found.
CASES: list[tuple[Lever, tuple[Any, ...]]] = [
    (ApiRule(id="r"), (REFUSE, REFUSE | {"regions": ["us-east-1"]})),
    (ByHand(task="pull the plug"), ("handed out",)),
    (DnsRule(id="r"), ({"action": "silence", "names": ["api.stream.example"]},)),
    (InstanceTermination(region="us-east-1", instance="i-1"), (True,)),
    (LinkRule(id="r"), (REFUSE | {"to": DEPENDENCY}, REFUSE | {"to": DEPENDENCY, "from": HOME})),
    (Reachability(scope="us-east-1"), ("drop", "refuse")),
    (
        ObjectDeletion(region="us-east-1", bucket=BUCKET, key="history/kim.json"),
        ({"version": "v1", "markers": 1}, {"version": "v1", "markers": 2}),
    ),
    (Replication(region="us-east-1"), ("off",)),
]


async def check_in_homepage(environment: Environment, directory: Path) -> None:
    """Every lever but that of an object, which the lab `homepage` has not."""
    found = await environment.call("lab", "", "describe_lab")
    instance = found["instances"][0]["id"]
    for lever, values in CASES:
        if isinstance(lever, ObjectDeletion):
            continue
        here: Lever = lever
        if isinstance(lever, InstanceTermination):
            here = replace(lever, instance=instance)
        await check_lever(here, attended(environment, directory), *values)


async def check_in_streaming_s3(environment: Environment) -> None:
    """The lever of an object."""
    lever = ObjectDeletion(region="us-east-1", bucket=BUCKET, key="history/kim.json")
    version = (await lever.read(environment))["version"]
    values = [{"version": version, "markers": count} for count in (1, 2)]
    await check_lever(lever, environment, *values)
