"""Which permissions the undo log and the lock take, for the credentials that the tool begins with.

They are needed to begin as much as to put back, so they stand in both parts.
"""

from __future__ import annotations

from chaos.custody.location import Location, locate
from chaos.levers.powers import Grant, Grants

# For `chaos rollback --orphans`: what carries the mark of a run, in whichever region.
MARKED = Grant(actions=("ec2:DescribeRegions", "tag:GetResources"))


def grants(url: str) -> Grants:
    """Those of the store at that URL; raises InvalidInput for one that is none."""
    at = locate(url)
    looks, writes = _KINDS[at.kind](at)
    return Grants(looks=(looks, MARKED), injects=writes, puts_back=writes)


def _s3(at: Location) -> tuple[Grant, tuple[Grant, ...]]:
    bucket = f"arn:aws:s3:::{at.name}"
    looks = Grant(actions=("s3:GetBucketPublicAccessBlock", "s3:ListBucket"), resources=(bucket,))
    objects = Grant(
        actions=("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        resources=(f"{bucket}/{at.prefix}*",),
    )
    return looks, (objects, *_key(at, "s3"))


def _ssm(at: Location) -> tuple[Grant, tuple[Grant, ...]]:
    below = f"arn:aws:ssm:{at.region}:*:parameter{at.name}"
    looks = Grant(actions=("ssm:GetParametersByPath",), resources=(below, f"{below}/*"))
    actions = ("ssm:DeleteParameters", "ssm:PutParameter")
    return looks, (Grant(actions=actions, resources=(f"{below}/*",)), *_key(at, "ssm"))


def _dynamodb(at: Location) -> tuple[Grant, tuple[Grant, ...]]:
    table = f"arn:aws:dynamodb:{at.region}:*:table/{at.name}"
    looks = Grant(
        actions=("dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Scan"), resources=(table,)
    )
    actions = ("dynamodb:DeleteItem", "dynamodb:PutItem")
    return looks, (Grant(actions=actions, resources=(table,)), *_key(at, "dynamodb"))


def _key(at: Location, service: str) -> tuple[Grant, ...]:
    """What the service does with a key of one's own it does in the name of who calls."""
    if at.kms is None:
        return ()
    actions = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
    via = {"StringLike": {"kms:ViaService": f"{service}.*.amazonaws.com"}}
    return (Grant(actions=actions, resources=(at.kms,), conditions=via),)


_KINDS = {"s3": _s3, "ssm": _ssm, "dynamodb": _dynamodb}
