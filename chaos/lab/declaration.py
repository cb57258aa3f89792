"""What a lab stands up, as frozen values: `systems/*.yaml`, and what was declared wrongly.

Durations are seconds of the lab. Defaults are what AWS takes, with the source where one is known.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from chaos.lab import cross_checks
from chaos.lab.resources import Alarm, Bucket, Declared, Name, Pipeline, Queue, Region, Table
from probes.durations import Duration

Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[!-~]*$", max_length=255)]
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


class AutoScaling(Declared):
    """One group for each zone, which keeps the declared number of instances."""

    suspended: tuple[Literal["Launch"], ...] = Field(
        default=(),
        description="suspended from the start; without Launch none is replaced",
    )


class Balancer(Declared):
    """A load balancer in each region, with its health check of the targets."""

    path: UrlPath = Field(default="/", description="what is asked for; only status 200 is healthy")
    interval: Duration = Field(default=5.0, gt=0, description="between two checks of a target")
    timeout: Duration = Field(default=2.0, gt=0, description="when a check has failed")
    unhealthy: int = Field(default=2, ge=1, le=10, description="failures that take a target out")
    healthy: int = Field(default=2, ge=1, le=10, description="passes that take it in again")


class Resolver(Declared):
    """How an app finds the address of what it calls: it asks the lab's DNS server itself."""

    timeout: Duration = Field(
        default=5.0, gt=0, description="when a question is given up; resolv.conf(5) says 5 s"
    )
    stale: bool = Field(
        default=False,
        description="when DNS is silent or fails, the last address is used on (RFC 8767)",
    )


class Breaker(Declared):
    """A circuit breaker, in each instance: a dependency that fails is left alone for a while."""

    failures: int = Field(default=5, ge=1, le=1000, description="failures in a row that open it")
    open_for: Duration = Field(default=30.0, gt=0, description="until one call is let through")


class Dependency(Declared):
    """How a service calls another one."""

    name: Domain = Field(description="the DNS name that it is called by")
    timeout: Duration | None = Field(
        default=None,
        gt=0,
        description="when connecting, or waiting for an answer, is given up; without it never",
    )
    resolver: Resolver = Resolver()
    breaker: Breaker | None = Field(default=None, description="without it every call is made")
    fallback: bool = Field(
        default=False, description="a static answer instead of an error when the call fails"
    )


class Service(Declared):
    """The same instances in every zone of every region."""

    app: Literal["encoder", "home", "playback", "recommendations", "worker"] = Field(
        description="the program that an instance runs"
    )
    table: str | None = Field(
        default=None, description="playback: the table that it uses in its own region"
    )
    bucket: str | None = Field(
        default=None,
        description="encoder, and playback instead of a table: the bucket that it uses in its own"
        " region",
    )
    elsewhere: bool = Field(
        default=False,
        description="playback with a bucket: what its own region does not have, it looks for in"
        " the others",
    )
    queue: str | None = Field(
        default=None, description="encoder, worker: the queue that it takes messages from"
    )
    passes_to: str | None = Field(
        default=None, description="worker: the queue that it passes them on to"
    )
    acknowledge: Literal["first", "last"] = Field(
        default="last",
        description="worker: whether a message is deleted when it was passed on, or before",
    )
    retries: bool = Field(
        default=True, description="worker: without it, it stops at the first call that fails"
    )
    behind: Duration = Field(
        default=10.0, gt=0, description="worker: the lag from which on it says that it is late"
    )
    aws_timeout: Duration = Field(
        default=1.5,
        gt=0,
        description="encoder, playback, worker: when it gives up a call to the AWS API",
    )
    workers: int = Field(
        default=8, ge=1, le=100, description="home: pages that an instance makes at a time"
    )
    depends_on: dict[Name, Dependency] = Field(
        default_factory=dict, description="home: the service that it calls"
    )
    port: Literal[80] = Field(default=80, description="the port on an instance's address")
    per_zone: int = Field(default=1, ge=1, le=20, description="instances in each zone")
    tags: dict[str, str] = Field(
        default_factory=dict, description="tags of the instances, besides service: NAME"
    )
    auto_scaling: AutoScaling | None = Field(
        default=None, description="without it an instance that ends is not replaced"
    )
    balancer: Balancer | None = Field(default=None, description="without it there is none")


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
    pipelines: dict[Name, Pipeline] = Field(default_factory=dict)
    alarms: dict[Name, Alarm] = Field(default_factory=dict)
    dns: Dns
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
            "s3": self.buckets,
            "sqs": self.queues,
            "stepfunctions": self.pipelines,
        }
        return frozenset({"ec2", "route53", *(name for name, is_used in used.items() if is_used)})


def _details(path: tuple[str | int, ...], what: str) -> InitErrorDetails:
    error = PydanticCustomError("chaos", "{what}", {"what": what})
    return InitErrorDetails(type=error, loc=path, input=None)
