"""Experiments of AWS FIS in an account that moto stands in for. moto's FIS breaks nothing."""

from __future__ import annotations

from typing import Any

from moto_account import ACCOUNT, REGION

from chaos.environments.environment import Environment
from chaos.faults.fis import Fis
from chaos.levers import Lever
from chaos.levers.fis import FisExperiment

RUN = "20261121-185000-fis-ab12"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fis"
STALL = {
    "actionId": "aws:ebs:pause-volume-io",
    "parameters": {"duration": "PT5M"},
    "targets": {"Volumes": "data"},
}
DATA = {"resourceType": "aws:ec2:ebs-volume", "resourceTags": {"chaos": "allowed"}}


def fault(**changes: Any) -> Fis:
    """It stalls the volumes that are tagged, for 4 minutes."""
    given = {
        "kind": "fis",
        "region": REGION,
        "role": ROLE,
        "actions": {"stall": STALL},
        "targets": {"data": DATA},
        "lasts": "240s",
    }
    return Fis.model_validate({k: v for k, v in (given | changes).items() if v is not None})


def definition(**changes: Any) -> dict[str, Any]:
    """The template that this fault has made."""
    return fault(**changes)._definition()


def lever(**changes: Any) -> FisExperiment:
    """The lever that it pulls."""
    return FisExperiment(region=REGION, run=RUN, **{"definition": definition(), **changes})


async def volumes(place: Environment, count: int, **tags: str) -> list[str]:
    """The ids of new volumes with these tags."""
    marks = [{"Key": key, "Value": value} for key, value in tags.items()]
    made = [
        await place.call(
            "ec2",
            REGION,
            "create_volume",
            AvailabilityZone=f"{REGION}a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": marks}],
        )
        for _ in range(count)
    ]
    return [one["VolumeId"] for one in made]


async def template(place: Environment, **changes: Any) -> str:
    """The id of a template of theirs, that was there before."""
    made = await place.call(
        "fis",
        REGION,
        "create_experiment_template",
        clientToken="theirs",
        description="theirs",
        **definition(**changes),
    )
    return str(made["experimentTemplate"]["id"])


def of_template(id_: str, **changes: Any) -> Lever:
    """The lever that starts a template of theirs."""
    return FisExperiment(region=REGION, template=id_, definition=definition(**changes), run=RUN)
