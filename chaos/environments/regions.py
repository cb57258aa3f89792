"""Regions of AWS: which partition has one, and which may be called for an account.

Of what an experiment does not list, nothing is touched. A few services have one place for a whole
partition, where everybody may read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from probes.aws_api import reads

# By the beginning of a region's name; those of all others are of `aws`.
PARTITIONS = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}
# Where the services of a whole partition are, as botocore's endpoints.json has it.
CENTRES = {
    "aws": "us-east-1",
    "aws-cn": "cn-northwest-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-us-gov": "us-gov-west-1",
}
OF_THE_PARTITION = frozenset(
    {"account", "cloudfront", "iam", "organizations", "pricing", "route53", "sts"}
)


def partition(region: str) -> str:
    """The partition of AWS that has the region, as ARNs name it."""
    return next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")


def centre(regions: Sequence[str]) -> str:
    """The region at which the services of the whole partition are, for an account with these."""
    return CENTRES[partition(regions[0])]


def may_call(service: str, region: str, operation: str, regions: Sequence[str]) -> bool:
    """Whether an account that lists these regions may be called so."""
    return region in regions or (
        service in OF_THE_PARTITION and region == centre(regions) and reads(operation)
    )


def refusal(account: str, region: str, regions: Collection[str]) -> str:
    """What is said to who may not."""
    return (
        f"account {account}: {region} is none of its regions ({', '.join(regions)}), and nothing"
        " is called in another; add it in the experiment if it is meant"
    )
