"""What a lab stands up, as frozen values: `systems/*.yaml`, and what was declared wrongly.

Durations are seconds of the lab. Defaults are what AWS takes, with the source where one is known.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from chaos.lab import cross_checks
from probes.durations import Duration

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[1-9]$")]
# EC2 wants at least three characters of a launch template's name, which is the service's.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,40}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[!-~]*$", max_length=255)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Declared(BaseModel):
    """A part of a declaration: nothing unknown in it, nothing changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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

    app: Literal["home", "playback", "recommendations"] = Field(
        description="the program that an instance runs"
    )
    table: str | None = Field(
        default=None, description="playback: the table that it uses in its own region"
    )
    aws_timeout: Duration = Field(
        default=1.5, gt=0, description="playback: when it gives up a call to the AWS API"
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


class Table(Declared):
    """A DynamoDB table with string keys, replicated between its regions as a global table."""

    key: str = Field(min_length=1, max_length=255, description="the partition key, a string")
    sort_key: str = Field(min_length=1, max_length=255, description="the sort key, a string")
    regions: tuple[Region, ...] = Field(min_length=1, description="where it has a replica")
    lag: Duration = Field(
        default=1.0, description="until a write is in the other regions; on AWS mostly 0.5 to 2.5 s"
    )
    items: tuple[dict[str, str], ...] = Field(
        default=(), description="what is in it at the start; all attributes are strings"
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
    dns: Dns
    ports: Ports = Ports()

    @model_validator(mode="after")
    def _holds_together(self) -> Lab:
        if found := [_details(path, what) for path, what in cross_checks.problems(self)]:
            raise ValidationError.from_exception_data("lab", found)
        return self


def _details(path: tuple[str | int, ...], what: str) -> InitErrorDetails:
    error = PydanticCustomError("chaos", "{what}", {"what": what})
    return InitErrorDetails(type=error, loc=path, input=None)
