"""What a real SDK client writes through the proxy arrives in the other region's emulator."""

from __future__ import annotations

import asyncio
from typing import Any

from upstreams import moto_server, run, until

from chaos.environments.calls import AwsCalls
from chaos.lab.dynamodb_replication import Table, Tables
from chaos.lab.replication import Replication
from chaos.proxies.aws_api import ApiProxy

EAST, WEST = "us-east-1", "us-west-2"
BOTH = (EAST, WEST)
TABLE = Table(name="history", key=("profile", "title"), regions=BOTH, sources=BOTH, lag=3.0)
KEYS = {"profile": "B", "title": "N"}
Item = dict[str, Any]


def item(title: str, **more: Any) -> Item:
    return {"profile": {"B": b"\x00\xff"}, "title": {"N": title}} | more


def key(title: str) -> Item:
    return item(title)


async def make_table(aws: AwsCalls, region: str) -> None:
    await aws.call(
        "dynamodb",
        region,
        "create_table",
        TableName="history",
        KeySchema=[
            {"AttributeName": "profile", "KeyType": "HASH"},
            {"AttributeName": "title", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in KEYS.items()
        ],
        BillingMode="PAY_PER_REQUEST",
    )


async def write_everything(door: AwsCalls, region: str) -> None:
    """Each kind of write, once or more."""

    async def write(operation: str, **params: Any) -> None:
        await door.call("dynamodb", region, operation, **params)

    table = {"TableName": "history"}
    for title in ("1", "2", "3"):
        await write("put_item", **table, Item=item(title, at={"S": "start"}))
    await write("delete_item", **table, Key=key("2"))
    await write(
        "update_item",
        **table,
        Key=key("3.0"),
        UpdateExpression="SET seen = :seen",
        ExpressionAttributeValues={":seen": {"L": [{"BOOL": True}, {"NULL": True}]}},
    )
    batch = [{"PutRequest": {"Item": item(str(n))}} for n in range(10, 35)]
    await write("batch_write_item", RequestItems={"history": batch})
    await write(
        "transact_write_items",
        TransactItems=[
            {"Put": {**table, "Item": item("40", big={"S": "x" * 100_000})}},
            {"Delete": {**table, "Key": key("10")}},
        ],
    )


def test_every_kind_of_write_arrives_and_an_outage_stops_it() -> None:
    async def test(moto: tuple[str, int]) -> None:
        direct = AwsCalls(f"http://127.0.0.1:{moto[1]}", key=("lab", "lab"), timeout_s=30)
        replication = Replication([Tables([TABLE], direct.call)])
        proxy = ApiProxy(moto, seen=replication.seen)
        door = AwsCalls(f"http://127.0.0.1:{await proxy.start()}", key=("lab", "lab"), timeout_s=30)

        async def items(region: str) -> list[Item]:
            answer = await direct.call("dynamodb", region, "scan", TableName="history")
            return sorted(answer["Items"], key=lambda i: float(i["title"]["N"]))

        for region in TABLE.regions:
            await make_table(direct, region)
        await replication.start()
        await write_everything(door, EAST)
        assert replication.pending(WEST) == replication.pending(EAST) > 0
        await until(lambda: replication.pending(WEST) == 0)
        written = await items(EAST)
        assert len(written) == 27
        assert await items(WEST) == written

        await replication.pause(EAST)
        await door.call("dynamodb", EAST, "put_item", TableName="history", Item=item("50"))
        await door.call("dynamodb", WEST, "put_item", TableName="history", Item=item("60"))
        await asyncio.sleep(5 * TABLE.lag)
        assert await items(WEST) == [*written, item("60")]
        assert await items(EAST) == [*written, item("50")]
        replication.resume(EAST)
        await until(lambda: replication.pending(EAST) == 0)
        assert await items(EAST) == await items(WEST) == [*written, item("50"), item("60")]

        await replication.stop()
        await proxy.stop()
        direct.close()
        door.close()

    with moto_server() as moto:
        run(test(moto), speed=10)
