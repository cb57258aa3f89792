"""Calls of the Route 53 API to a moto server, and questions to the lab's DNS server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import dns.asyncquery
import dns.message
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.lab.route53 import Route53
from chaos.loops import run_at

HOST = "127.0.0.1"
WITHIN_S = 60.0  # seconds of the wall, for a test that hangs
GEO: dict[str, Any] = {"SetIdentifier": "x", "GeoLocation": {"CountryCode": "DE"}}


class Api:
    """The tool's own calls of the AWS API, shortened to what these tests need."""

    def __init__(self, endpoint: str) -> None:
        self._calls = AwsCalls(endpoint, key=("lab", "lab"), timeout_s=20)
        self.call = self._calls.call
        self.close = self._calls.close
        self._references = itertools.count()

    async def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.call("route53", "us-east-1", operation, **params)

    async def zone(self, name: str = "stream.example") -> str:
        made = await self("create_hosted_zone", Name=name, CallerReference=self._reference())
        identifier: str = made["HostedZone"]["Id"]
        return identifier

    async def change(self, zone: str, *changes: tuple[str, dict[str, Any]]) -> None:
        batch = [{"Action": verb, "ResourceRecordSet": record} for verb, record in changes]
        await self("change_resource_record_sets", HostedZoneId=zone, ChangeBatch={"Changes": batch})

    async def put(self, zone: str, *records: dict[str, Any]) -> None:
        await self.change(zone, *(("UPSERT", record) for record in records))

    async def check(self, name: str = "", **config: Any) -> str:
        usual: dict[str, Any] = {"Type": "HTTP", "RequestInterval": 10, "FailureThreshold": 3}
        if "FullyQualifiedDomainName" not in config:
            usual["IPAddress"] = HOST
        made = await self(
            "create_health_check",
            CallerReference=self._reference(),
            HealthCheckConfig=usual | config,
        )
        identifier: str = made["HealthCheck"]["Id"]
        if name:
            tags = [{"Key": "Name", "Value": name}]
            await self(
                "change_tags_for_resource",
                ResourceType="healthcheck",
                ResourceId=identifier,
                AddTags=tags,
            )
        return identifier

    def _reference(self) -> str:
        return str(next(self._references))


def record(name: str, kind: str, *values: str, ttl: int = 30, **fields: Any) -> dict[str, Any]:
    given = {"Name": name, "Type": kind, "TTL": ttl}
    return given | {"ResourceRecords": [{"Value": value} for value in values]} | fields


def alias(name: str, kind: str, to: str, zone: str, **fields: Any) -> dict[str, Any]:
    target = {"DNSName": to, "HostedZoneId": zone, "EvaluateTargetHealth": True}
    return {"Name": name, "Type": kind, "AliasTarget": target} | fields


@asynccontextmanager
async def answering(
    api: Api,
    call: Callable[..., Awaitable[dict[str, Any]]] | None = None,
    ports: dict[int, int] | None = None,
    propagation: float = 0.0,
) -> AsyncIterator[tuple[Route53, int]]:
    route53 = Route53(
        call or api.call,
        ports=ports or {},
        propagation=propagation,
        checkers=3,
        viewer_region="eu-west-1",
    )
    try:
        yield route53, await route53.start()
    finally:
        await route53.stop()


def run(main: Callable[[Api], Awaitable[None]], speed: float = 1) -> None:
    """Run a test with the API of a moto server of its own."""

    async def bounded(host: str, port: int) -> None:
        api = Api(f"http://{host}:{port}")
        try:
            async with asyncio.timeout(WITHIN_S * speed):
                await main(api)
        finally:
            api.close()

    with moto_server() as address:
        run_at(speed, bounded(*address))


async def ask(port: int, name: str, kind: str = "A", rdclass: str = "IN") -> dns.message.Message:
    query = dns.message.make_query(name, kind, rdclass)
    return await dns.asyncquery.udp(query, HOST, port=port, one_rr_per_rrset=True)


async def values(port: int, name: str, kind: str = "A") -> list[str]:
    answer = await ask(port, name, kind)
    return sorted(str(value) for rrset in answer.answer for value in rrset)


async def until(port: int, wanted: str) -> float:
    """Loop seconds until the name is answered with that address."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        if await values(port, "api.stream.example") == [wanted]:
            return loop.time() - began
        await asyncio.sleep(0.5)
