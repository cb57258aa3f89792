"""What a lab keeps in AWS, as frozen values: tables, buckets, queues, secrets, alarms and so on.

Durations are seconds of the lab. Defaults are what AWS takes, with the source where one is known.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from probes.durations import Duration

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[1-9]$")]
# EC2 wants at least three characters of a launch template's name, which is the service's.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,40}$")]
Comparison = Literal[
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
]


class Declared(BaseModel):
    """A part of a declaration: nothing unknown in it, nothing changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Replicated(Declared):
    """What is kept in several regions, each of which has a replica."""

    regions: tuple[Region, ...] = Field(min_length=1, description="where it has a replica")
    replication: Literal["both", "one-way", "off"] = Field(
        default="both",
        description="which writes are copied to the other regions: all, those made in the first of"
        " its regions (as to a read replica that was promoted), or none",
    )

    @property
    def sources(self) -> tuple[Region, ...]:
        """The regions whose writes are copied to the others."""
        return {"both": self.regions, "one-way": self.regions[:1], "off": ()}[self.replication]


class Table(Replicated):
    """A DynamoDB table with string keys, replicated between its regions as a global table."""

    key: str = Field(min_length=1, max_length=255, description="the partition key, a string")
    sort_key: str = Field(min_length=1, max_length=255, description="the sort key, a string")
    lag: Duration = Field(
        default=1.0, description="until a write is in the other regions; on AWS mostly 0.5 to 2.5 s"
    )
    items: tuple[dict[str, str], ...] = Field(
        default=(), description="what is in it at the start; all attributes are strings"
    )


class Bucket(Replicated):
    """An S3 bucket in each of its regions, replicated between all of them."""

    versioned: bool = Field(default=True, description="S3 replicates no other ones")
    lag: Duration = Field(
        default=1.0, description="until an object is in the other regions; on AWS mostly seconds"
    )
    objects: dict[str, str] = Field(
        default_factory=dict, description="what is in it at the start, in all regions: text by key"
    )

    @property
    def replicated(self) -> bool:
        """Whether what is written in one region is copied to others."""
        return len(self.regions) > 1 and self.replication != "off"


def bucket_in(region: str, name: str) -> str:
    """What the replica of a bucket in one region is called: names of buckets are global."""
    return f"{name}-{region}"


class Queue(Declared):
    """A standard SQS queue."""

    region: Region
    visibility: Duration = Field(
        default=30.0, description="until a message that was received and not deleted is there again"
    )
    dead_letters: Name | None = Field(
        default=None, description="the queue for messages that nobody could handle"
    )
    receives: int = Field(
        default=3, ge=1, le=1000, description="how often a message is tried until it goes there"
    )


class Stream(Declared):
    """A Kinesis data stream; nothing is copied to other regions, as on AWS."""

    region: Region
    shards: int = Field(default=1, ge=1, le=16, description="how many it begins with")


class Secret(Declared):
    """A secret of AWS Secrets Manager, the same in each of its regions."""

    regions: tuple[Region, ...] = Field(min_length=1, description="where it has a replica")
    value: str = Field(
        default="not a secret", min_length=1, max_length=65536, description="what is in it"
    )


class Pipeline(Declared):
    """A Step Functions state machine.

    Its timers are in seconds of the lab, whole ones and at least one of the wall. `queue:NAME`, as
    a value of its own, stands for the URL of a queue of the lab.
    """

    region: Region
    definition: dict[str, JsonValue] = Field(description="in the Amazon States Language")


class Alarm(Declared):
    """A CloudWatch alarm on one metric."""

    region: Region
    namespace: str = Field(min_length=1, max_length=255, description="such as AWS/NetworkELB")
    metric: str = Field(min_length=1, max_length=255, description="such as UnHealthyHostCount")
    dimensions: dict[str, str] = Field(default_factory=dict, description="of the metric, all")
    statistic: Literal["Average", "Maximum", "Minimum", "Sum", "SampleCount"] = Field(
        default="Maximum", description="of a period's values"
    )
    comparison: Comparison = Field(
        default="GreaterThanThreshold", description="what makes a period bad"
    )
    threshold: float = Field(default=0.0, description="what is compared with")
    period: Duration = Field(default=60.0, description="10s, 30s or a multiple of 60s, as on AWS")
    periods: int = Field(default=1, ge=1, le=100, description="how many of the last are looked at")
    bad_periods: int | None = Field(
        default=None, ge=1, description="how many of them make it fire; without it all"
    )
    missing: Literal["missing", "ignore", "breaching", "notBreaching"] = Field(
        default="missing", description="what a period without a value counts as"
    )
