"""What a lab stands up, as frozen values: `systems/*.yaml`, and what was declared wrongly.

Durations are seconds of the lab. Defaults are what AWS takes, with the source where one is known.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from chaos.lab import cross_checks
from chaos.lab.resources import (
    Alarm,
    Bucket,
    Declared,
    Name,
    Pipeline,
    Queue,
    Region,
    Secret,
    Stream,
    Table,
)
from chaos.lab.services import Domain, Service, UrlPath
from probes.durations import Duration

Port = Annotated[int, Field(ge=0, le=65535)]


class Timing(Declared):
    """How long AWS takes for what nobody can hurry."""

    boot: Duration = Field(default=25.0, description="from a launch to the first answer")
    detection: Duration = Field(
        default=15.0, description="until an Auto Scaling group notices that an instance is gone"
    )
    dns_propagation: Duration = Field(
        default=2.0, description="until a changed record is answered; on AWS up to 60 s"
    )


class BalancerOf(Declared):
    """The address of a service's balancer in one region."""

    service: str
    region: Region


class RecordCheck(Declared):
    """A Route 53 health check of the record's address."""

    path: UrlPath = Field(default="/", description="what is asked for; 2xx and 3xx are healthy")
    interval: Literal["10s", "30s"] = Field(default="30s", description="Route 53 offers these two")
    threshold: int = Field(default=3, ge=1, le=10, description="results in a row that turn it over")


class Record(Declared):
    """An A record: one balancer's address, or addresses given as they are."""

    name: Domain
    ttl: Duration = Field(default=60.0, ge=0, description="in whole seconds")
    failover: Literal["primary", "secondary"] | None = Field(
        default=None,
        description="the role in a failover pair; without it the record is simple",
    )
    balancer: BalancerOf | None = None
    values: tuple[str, ...] = Field(default=(), description="IPv4 addresses, instead of a balancer")
    health_check: RecordCheck | None = None


class Dns(Declared):
    """One public hosted zone, and how Route 53 looks at it."""

    zone: Domain
    checkers: int = Field(default=3, ge=1, le=16, description="health checkers; AWS has about 16")
    viewer_region: Region | None = Field(
        default=None,
        description="where the clients are; without it in the first region",
    )
    records: tuple[Record, ...] = ()


class Visitors(Declared):
    """Clients that come all the while: the load under which a system is when it is drilled."""

    url: str = Field(pattern=r"^http://[a-z0-9.-]+(/[!-~]*)?$", description="what they ask for")
    every: Duration = Field(ge=0.01, description="one comes each, served or not")
    timeout: Duration = Field(default=2.0, gt=0, description="when one gives an attempt up")
    retries: int = Field(default=0, ge=0, le=20, description="how often one tries again")
    pause: Duration = Field(default=0.0, ge=0, description="before one tries again")
    dns_cache: Literal["ttl", "forever"] = Field(
        default="ttl", description="how long they believe a name's answer"
    )


class Ports(Declared):
    """Fixed ports on loopback; 0 is any free one."""

    dns: Port = 0
    http: Port = Field(default=0, description="what port 80 of the lab's addresses really is")
    api: Port = Field(default=0, description="the workload's door to the AWS API")


class Lab(Declared):
    """A whole system on AWS, small enough for a laptop."""

    name: Name
    title: str = ""
    regions: dict[Region, tuple[str, ...]] = Field(
        min_length=1, max_length=16, description="regions, each with its availability zones"
    )
    timing: Timing = Timing()
    services: dict[Name, Service] = Field(default_factory=dict)
    tables: dict[Name, Table] = Field(default_factory=dict)
    buckets: dict[Name, Bucket] = Field(default_factory=dict)
    queues: dict[Name, Queue] = Field(default_factory=dict)
    streams: dict[Name, Stream] = Field(default_factory=dict)
    secrets: dict[Name, Secret] = Field(default_factory=dict)
    pipelines: dict[Name, Pipeline] = Field(default_factory=dict)
    alarms: dict[Name, Alarm] = Field(default_factory=dict)
    dns: Dns
    visitors: dict[Name, Visitors] = Field(default_factory=dict)
    ports: Ports = Ports()

    @model_validator(mode="after")
    def _holds_together(self) -> Lab:
        if found := [_details(path, what) for path, what in cross_checks.problems(self)]:
            raise ValidationError.from_exception_data("lab", found)
        return self

    def aws_services(self) -> frozenset[str]:
        """The services of AWS that it is made of, as boto3 names them."""
        used = {
            "autoscaling": any(service.auto_scaling for service in self.services.values()),
            "cloudwatch": self.alarms,
            "dynamodb": self.tables,
            "kinesis": self.streams,
            "s3": self.buckets,
            "secretsmanager": self.secrets,
            "sqs": self.queues,
            "stepfunctions": self.pipelines,
        }
        return frozenset({"ec2", "route53", *(name for name, is_used in used.items() if is_used)})


def _details(path: tuple[str | int, ...], what: str) -> InitErrorDetails:
    error = PydanticCustomError("chaos", "{what}", {"what": what})
    return InitErrorDetails(type=error, loc=path, input=None)
