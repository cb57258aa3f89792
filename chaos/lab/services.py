"""The services of a lab, as frozen values: which program an instance runs, and with which settings.

Durations are seconds of the lab. Defaults are what AWS takes, with the source where one is known.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chaos.lab.resources import Declared, Name, Region
from probes.durations import Duration

Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[!-~]*$", max_length=255)]


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
    fails_open: bool = Field(
        default=True,
        description="with no healthy target all are used, as on AWS; without it connections are"
        " refused then",
    )


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


class SecretOf(Declared):
    """A secret without which a service cannot read or write what it keeps."""

    name: Name
    region: Region | None = Field(
        default=None, description="where it is read; without it in the instance's own region"
    )
    refresh: Duration = Field(
        default=3600.0,
        gt=0,
        description="how old it may be until it is read anew; an hour in AWS's caching clients",
    )


class Wakes(Declared):
    """A pilot light: nothing runs in a region until the others have failed for a while."""

    after: Duration = Field(
        gt=0, description="for how long no other region's balancer has passed a health check"
    )
    asks: Region | None = Field(
        default=None,
        description="the region whose AWS API must answer before anything is launched",
    )


class InRegion(Declared):
    """What differs in one region."""

    per_zone: int | None = Field(
        default=None, ge=1, le=20, description="instances in each zone; as everywhere without it"
    )
    zones: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="the only zones that it runs in"
    )
    wakes: Wakes | None = Field(
        default=None, description="it is scaled to zero until then; needs auto_scaling"
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
    record: Literal["each", "whole"] = Field(
        default="each",
        description="playback with a table: an item for each write, or one for all of a profile's",
    )
    cache: Duration | None = Field(
        default=None,
        gt=0,
        description="playback: for how long it answers what it has once read, whatever is written",
    )
    secret: SecretOf | None = Field(
        default=None, description="playback: the secret that it needs to read and to write"
    )
    acknowledge: Literal["first", "last"] = Field(
        default="last",
        description="worker: whether a message is deleted when it was passed on, or before;"
        " playback: whether a write is answered when it is stored, or before",
    )
    flush: Duration = Field(
        default=1.0,
        gt=0,
        description="playback that acknowledges first: how long until it stores a write",
    )
    once: bool = Field(
        default=False,
        description="worker: whether it remembers what it has passed on, and passes it on once",
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
    workers: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="home, playback, recommendations: requests that an instance works on at a"
        " time, and who comes later waits; home has 8, the others as many as come",
    )
    takes: Duration = Field(
        default=0.0,
        ge=0,
        description="home, playback, recommendations: how long a worker is busy with a request,"
        " besides what it waits for",
    )
    depends_on: dict[Name, Dependency] = Field(
        default_factory=dict, description="home: the service that it calls"
    )
    port: Literal[80] = Field(default=80, description="the port on an instance's address")
    per_zone: int = Field(default=1, ge=1, le=20, description="instances in each zone")
    by_region: dict[Region, InRegion] = Field(
        default_factory=dict, description="what differs in a region"
    )
    tags: dict[str, str] = Field(
        default_factory=dict, description="tags of the instances, besides service: NAME"
    )
    auto_scaling: AutoScaling | None = Field(
        default=None, description="without it an instance that ends is not replaced"
    )
    balancer: Balancer | None = Field(default=None, description="without it there is none")

    def most(self, region: str, zone: str) -> int:
        """How many instances it has in a zone once all of them are wanted."""
        own = self.by_region.get(region, InRegion())
        if own.zones is not None and zone not in own.zones:
            return 0
        return own.per_zone or self.per_zone

    def wakes(self, region: str) -> Wakes | None:
        """What it sleeps by in a region, if it does."""
        return self.by_region.get(region, InRegion()).wakes

    def wanted(self, region: str, zone: str) -> int:
        """How many instances it has in a zone at the start."""
        return 0 if self.wakes(region) else self.most(region, zone)
