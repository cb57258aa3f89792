"""Real SDK clients reach a real emulator through the AWS API proxy as if it were not there."""

from __future__ import annotations

import asyncio
import hashlib
import io
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from upstreams import moto_server, run

from chaos.proxies.aws_api import ApiProxy

SESSION = boto3.session.Session("lab", "lab")
MIB = 2**20
BIG = hashlib.shake_256(b"body").digest(8 * MIB)
EAST, WEST = "us-east-1", "us-west-2"

CALLS: dict[str, Callable[[Any], object]] = {
    "dynamodb": lambda client: client.list_tables(),
    "ec2": lambda client: client.describe_vpcs(),
    "sts": lambda client: client.get_caller_identity(),
    "route53": lambda client: client.list_hosted_zones(),
    "s3": lambda client: client.list_buckets(),
}

Put = Callable[[str, Any], None]
MakeClient = Callable[..., Any]
Ask = Callable[[MakeClient, Put], object]


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[str, int]]:
    with moto_server() as address:
        yield address


def through(address: tuple[str, int], ask: Ask) -> None:
    """Run `ask` in a thread, with clients of a proxy before `address` and a way to put rules."""

    async def test() -> None:
        proxy, loop = ApiProxy(address), asyncio.get_running_loop()
        port = await proxy.start()

        def make(service: str, region: str = EAST, **config: Any) -> Any:
            settings: dict[str, Any] = {
                "retries": {"total_max_attempts": 1},
                "read_timeout": 30,
            } | config
            return SESSION.client(  # type: ignore[call-overload]  # the service is a variable
                service,
                region_name=region,
                endpoint_url=f"http://127.0.0.1:{port}",
                config=Config(**settings),
            )

        def put(id_: str, rule: Any) -> None:
            async def work() -> None:
                proxy.rules.put(id_, rule)

            asyncio.run_coroutine_threadsafe(work(), loop).result(30)

        try:
            await asyncio.to_thread(ask, make, put)
        finally:
            await proxy.stop()
        assert proxy.requests > 0

    run(test())


def test_dynamodb(moto: tuple[str, int]) -> None:
    def ask(make: MakeClient, _put: Put) -> None:
        table = {"TableName": "history"}
        client = make("dynamodb")
        client.create_table(
            **table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        item = {"id": {"S": "ä"}, "data": {"B": b"\x00" * 300_000}, "n": {"N": "1"}}
        client.put_item(**table, Item=item)
        assert client.get_item(**table, Key={"id": {"S": "ä"}})["Item"] == item
        assert make("dynamodb", WEST).list_tables()["TableNames"] == []
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_item(TableName="none", Key={"id": {"S": "x"}})

    through(moto, ask)


def test_ec2_pages_and_sts(moto: tuple[str, int]) -> None:
    def ask(make: MakeClient, _put: Put) -> None:
        assert make("sts", WEST).get_caller_identity()["Account"] == "123456789012"
        client = make("ec2")
        for number in range(5):
            client.create_security_group(GroupName=f"g{number}", Description="one of five")
        pages = client.get_paginator("describe_instance_types").paginate(
            PaginationConfig={"PageSize": 100}
        )
        assert sum(len(page["InstanceTypes"]) for page in pages) > 100
        groups = client.describe_security_groups()["SecurityGroups"]
        assert {f"g{number}" for number in range(5)} < {group["GroupName"] for group in groups}

    through(moto, ask)


def test_route53(moto: tuple[str, int]) -> None:
    def ask(make: MakeClient, _put: Put) -> None:
        client = make("route53")
        zone = client.create_hosted_zone(Name="stream.example.", CallerReference="1")["HostedZone"]
        record = {
            "Name": "api.stream.example.",
            "Type": "A",
            "TTL": 5,
            "ResourceRecords": [{"Value": "127.1.0.10"}],
        }
        client.change_resource_record_sets(
            HostedZoneId=zone["Id"],
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )
        found = client.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        assert record in found

    through(moto, ask)


def test_s3_bodies_in_both_directions(moto: tuple[str, int]) -> None:
    def ask(make: MakeClient, _put: Put) -> None:
        client = make("s3")
        client.create_bucket(Bucket="videos")
        client.put_object(Bucket="videos", Key="one", Body=BIG)  # expects 100-continue
        assert client.get_object(Bucket="videos", Key="one")["Body"].read() == BIG
        assert client.head_object(Bucket="videos", Key="one")["ContentLength"] == len(BIG)
        part = client.get_object(Bucket="videos", Key="one", Range="bytes=5-9")
        assert part["Body"].read() == BIG[5:10]
        with pytest.raises(ClientError, match="304"):
            client.get_object(Bucket="videos", Key="one", IfNoneMatch=part["ETag"])

        parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
        client.upload_fileobj(io.BytesIO(BIG + BIG), "videos", "parts", Config=parts)
        copy = io.BytesIO()
        client.download_fileobj("videos", "parts", copy, Config=parts)
        assert copy.getvalue() == BIG + BIG
        client.delete_object(Bucket="videos", Key="one")
        keys = client.list_objects_v2(Bucket="videos")["Contents"]
        assert [key["Key"] for key in keys] == ["parts"]

    through(moto, ask)


def test_s3_presigned_urls(moto: tuple[str, int]) -> None:
    def ask(make: MakeClient, _put: Put) -> None:
        make("s3").create_bucket(Bucket="signed")
        for version in ("s3", "s3v4"):
            signer = make("s3", signature_version=version)
            where = {"Bucket": "signed", "Key": version}
            url = signer.generate_presigned_url("put_object", Params=where)
            kind = {"Content-Type": "video/mp4"}  # by itself urllib calls it a form
            upload = urllib.request.Request(url, BIG, kind, method="PUT")  # noqa: S310  # ours
            with urllib.request.urlopen(upload) as answer:  # noqa: S310  # ours
                assert answer.status == 200
            url = signer.generate_presigned_url("get_object", Params=where)
            with urllib.request.urlopen(url) as answer:  # noqa: S310  # ours
                assert answer.read() == BIG

    through(moto, ask)


def test_each_region_can_fail_in_each_way_while_the_other_goes_on(moto: tuple[str, int]) -> None:
    ways: dict[str, type[Exception]] = {
        "hang": ReadTimeoutError,
        "refuse": ConnectionClosedError,
        "error": ClientError,
    }

    def ask(make: MakeClient, put: Put) -> None:
        for action, error in ways.items():
            for region, other in ((EAST, WEST), (WEST, EAST)):
                put("outage", {"action": action, "regions": [region]})
                for service, call in CALLS.items():
                    with pytest.raises(error):
                        call(make(service, region, read_timeout=0.2))
                    call(make(service, other))
                put("outage", None)
                CALLS["dynamodb"](make("dynamodb", region))

    through(moto, ask)


def test_a_global_control_plane_can_fail_alone(moto: tuple[str, int]) -> None:
    def ask(make: MakeClient, put: Put) -> None:
        put("global", {"action": "error", "services": ["route53"], "code": "Throttling"})
        with pytest.raises(ClientError, match="Throttling"):
            make("route53", WEST).list_hosted_zones()
        assert make("sts", EAST).get_caller_identity()["Account"] == "123456789012"

    through(moto, ask)


def test_one_operation_can_fail_alone_and_a_retry_overcomes_it(moto: tuple[str, int]) -> None:
    def ask(make: MakeClient, put: Put) -> None:
        put("read", {"action": "error", "operations": ["DescribeInstances"], "code": "Throttling"})
        client = make("ec2", retries={"total_max_attempts": 3, "mode": "standard"})
        client.meta.events.register(
            "needs-retry.ec2.DescribeInstances", lambda **_: put("read", None)
        )
        assert client.describe_instances()["Reservations"] == []
        assert client.describe_vpcs()["Vpcs"]

    through(moto, ask)
