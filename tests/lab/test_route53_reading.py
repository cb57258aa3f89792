"""Reading Route 53's API: every page, and nothing that the lab would answer wrongly."""

from __future__ import annotations

from typing import Any

import pytest
from route53_api import GEO, HOST, Api, alias, answering, record, run

from chaos.errors import EnvironmentFailed
from chaos.lab.route53 import Route53
from chaos.loops import run_virtual

PRIMARY: dict[str, Any] = {"Failover": "PRIMARY"}
X, Y = "x.stream.example.", "y.stream.example."
NO_ALIAS = (
    "record a.stream.example. A is an alias of my-lb-1.us-east-1.elb.amazonaws.com., which is in"
    " none of the lab's hosted zones; aliases of AWS resources are not to be had here"
)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (
            [record("geo.stream.example", "A", "127.1.0.1", **GEO)],
            "record geo.stream.example. A uses geolocation routing, which the lab does not have",
        ),
        (
            [
                record("a.stream.example", "A", "127.1.0.1", SetIdentifier="x", Weight=1),
                record("a.stream.example", "A", "127.1.0.1", SetIdentifier="y", **PRIMARY),
            ],
            "records a.stream.example. A mix routing policies, which Route 53 does not allow",
        ),
        (
            [
                record("a.stream.example", "A", "127.1.0.1", SetIdentifier="x", **PRIMARY),
                record("a.stream.example", "A", "127.1.0.1", SetIdentifier="y", **PRIMARY),
            ],
            "records a.stream.example. A have two of the role PRIMARY; Route 53 allows one",
        ),
        (
            [record("upstream.example", "A", "127.1.0.1")],
            "records upstream.example. A stand in the hosted zone stream.example., not their own",
        ),
        (
            [record("a.stream.example", "A", "127.1.0")],
            "record a.stream.example. A cannot be read: Text input is malformed.",
        ),
        (
            [
                alias(
                    "a.stream.example", "A", "my-lb-1.us-east-1.elb.amazonaws.com", "Z35SXDOTRQ7X7K"
                )
            ],
            NO_ALIAS,
        ),
        (
            [
                alias("x.stream.example", "A", "y.stream.example", "Z"),
                alias("y.stream.example", "A", "x.stream.example", "Z"),
            ],
            f"alias records go round in a circle: {X} → {Y} → {X}",
        ),
    ],
)
def test_what_the_lab_cannot_answer_is_refused_in_one_sentence(
    records: list[dict[str, Any]], message: str
) -> None:
    async def main(api: Api) -> None:
        await api.put(await api.zone(), *records)
        with pytest.raises(EnvironmentFailed) as caught:
            await Route53(api.call, ports={}, propagation=0).start()
        assert str(caught.value) == message

    run(main)


def test_two_zones_of_one_name_are_refused() -> None:
    async def main(api: Api) -> None:
        for _ in range(2):
            await api.zone()
        with pytest.raises(
            EnvironmentFailed, match=r"two hosted zones are named stream\.example\."
        ):
            await Route53(api.call, ports={}, propagation=0).start()

    run(main)


def test_all_pages_of_zones_records_and_checks_are_read() -> None:
    small = {"list_hosted_zones": "2", "list_resource_record_sets": "3"}

    async def main(api: Api) -> None:
        pages: list[str] = []

        async def call(service: str, region: str, operation: str, **params: Any) -> dict[str, Any]:
            pages.append(operation)
            if operation in small:
                params["MaxItems"] = small[operation]
            return await api.call(service, region, operation, **params)

        for n in range(5):
            zone = await api.zone(f"zone{n}.example")
            # Two of each name: moto's pages begin again with a group that the last one cut.
            await api.put(
                zone,
                *(
                    record(f"a{i // 2}.zone{n}.example", "A", ip, SetIdentifier=ip, Weight=1)
                    for i, ip in enumerate(f"127.1.0.{i}" for i in range(12))
                ),
            )
        checks = [await api.check(f"check {n}") for n in range(23)]
        async with answering(api, call) as (route53, _):
            told = route53.describe()
            assert [zone["name"] for zone in told["zones"]] == [
                f"zone{n}.example." for n in range(5)
            ]
            assert {zone["records"] for zone in told["zones"]} == {14}
            names = {check["id"]: check["name"] for check in told["health_checks"]}
            assert names == {check: f"check {n}" for n, check in enumerate(checks)}
        assert pages.count("list_hosted_zones") == 3
        assert pages.count("list_resource_record_sets") >= 25
        assert pages.count("list_tags_for_resource") == 23

    run(main)


def test_pages_are_asked_for_as_the_api_tells() -> None:
    """moto gives all checks at once, and never says in which member of a group a page begins."""
    asked: list[dict[str, Any]] = []

    async def call(_service: str, _region: str, operation: str, **params: Any) -> dict[str, Any]:
        asked.append({"operation": operation} | params)
        last = any(key.startswith(("Marker", "Start")) for key in params)
        following = {"NextMarker": "m", "NextRecordName": "n.", "NextRecordType": "A"}
        following |= {"NextRecordIdentifier": "i"}
        page = {} if last else {"IsTruncated": True, **following}
        config = {"Type": "TCP", "IPAddress": HOST, "Disabled": True}
        said: dict[str, dict[str, Any]] = {
            "list_hosted_zones": {
                "HostedZones": [] if last else [{"Id": "Z", "Name": "a.example."}]
            },
            "list_resource_record_sets": {"ResourceRecordSets": []},
            "list_health_checks": {
                "HealthChecks": [{"Id": f"c{last}", "HealthCheckConfig": config}]
            },
            "list_tags_for_resource": {"ResourceTagSet": {"Tags": []}},
        }
        return said[operation] | page

    async def main() -> list[str]:
        route53 = Route53(call, ports={}, propagation=0)
        await route53.start()
        await route53.stop()
        return [check["id"] for check in route53.describe()["health_checks"]]

    run_virtual(main())
    assert {"operation": "list_health_checks", "Marker": "m"} in asked
    assert {
        "operation": "list_resource_record_sets",
        "HostedZoneId": "Z",
        "StartRecordName": "n.",
        "StartRecordType": "A",
        "StartRecordIdentifier": "i",
    } in asked


def test_pages_that_lead_nowhere_are_given_up() -> None:
    async def call(*_args: str, **_params: Any) -> dict[str, Any]:
        return {"HostedZones": [], "IsTruncated": True, "NextMarker": "again"}

    with pytest.raises(EnvironmentFailed, match="never gets to the end of list_hosted_zones"):
        run_virtual(Route53(call, ports={}, propagation=0).start())
