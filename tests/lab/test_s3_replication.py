"""Objects reach the other regions after the lag; delete markers do not; in virtual time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from chaos.lab.replication import Replication
from chaos.lab.resources import Bucket
from chaos.lab.s3_replication import Buckets
from chaos.loops import run_virtual
from chaos.proxies.request import ApiRequest

EAST, WEST = "us-east-1", "us-west-2"
HISTORY = Bucket(regions=(EAST, WEST), lag=1.0)
ALONE = Bucket(regions=(EAST,))


class FakeS3:
    """Two buckets, their objects' versions by key, the newest first."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.replication = Replication([Buckets({"history": HISTORY, "alone": ALONE}, self.call)])

    async def call(self, service: str, region: str, operation: str, /, **params: Any) -> Any:
        """What replication calls; a bucket is only to be had in its own region."""
        assert service == "s3"
        assert params["Bucket"].endswith(region)
        if operation == "copy_object":
            source = params["CopySource"]
            assert source["VersionId"] in self.objects[source["Bucket"]][source["Key"]]
            self.objects[params["Bucket"]][params["Key"]].insert(0, source["VersionId"])
            return {}
        assert operation == "list_object_versions"
        found = self.objects[params["Bucket"]].items()
        keys = [(key, versions) for key, versions in found if key.startswith(params["Prefix"])]
        listed = [{"Key": key, "VersionId": v} for key, versions in keys for v in versions]
        return {"Versions": listed} if listed else {}

    def put(self, bucket: str, key: str, version: str) -> None:
        """A client's write, as the proxy would tell of it."""
        self.objects[bucket][key].insert(0, version)
        self.tell("PutObject", f"/{bucket}/{key}", region=bucket[-9:])

    def tell(self, operation: str, path: str, *, region: str = EAST, status: int = 200) -> None:
        request = ApiRequest(
            region=region, service="s3", operation=operation, method="PUT", path=path
        )
        self.replication.seen(request, b"", status)

    def there(self, region: str) -> dict[str, list[str]]:
        return {
            key: versions for key, versions in self.objects[f"history-{region}"].items() if versions
        }


def run(test: Callable[[FakeS3], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        fake = FakeS3()
        async with asyncio.timeout(3600):
            await fake.replication.start()
            await test(fake)
            await fake.replication.stop()

    run_virtual(bounded())


def test_an_object_arrives_after_the_lag_and_not_before() -> None:
    async def test(fake: FakeS3) -> None:
        fake.put("history-us-east-1", "a/b c", "v1")
        await asyncio.sleep(0.999)
        assert fake.there(WEST) == {}
        assert fake.replication.pending(WEST) == 1
        await asyncio.sleep(0.002)
        assert fake.there(WEST) == {"a/b c": ["v1"]}
        assert fake.replication.pending(WEST) == 0

    run(test)


def test_the_newest_version_is_copied_and_not_that_of_a_longer_key() -> None:
    async def test(fake: FakeS3) -> None:
        fake.put("history-us-west-2", "k", "v1")
        fake.put("history-us-west-2", "k", "v2")
        fake.put("history-us-west-2", "k1", "w1")
        await asyncio.sleep(2)
        assert fake.there(EAST) == {"k": ["v2"], "k1": ["w1"]}

    run(test)


def test_a_paused_region_gets_what_waited_when_it_is_resumed() -> None:
    async def test(fake: FakeS3) -> None:
        await fake.replication.pause(EAST)
        fake.put("history-us-east-1", "k", "v1")
        await asyncio.sleep(60)
        assert fake.there(WEST) == {}
        fake.replication.resume(EAST)
        await asyncio.sleep(0.1)
        assert fake.there(WEST) == {"k": ["v1"]}

    run(test)


@pytest.mark.parametrize(
    ("operation", "path", "status"),
    [
        ("DeleteObject", "/history-us-east-1/k", 204),
        ("DeleteObjects", "/history-us-east-1", 200),
        ("GetObject", "/history-us-east-1/k", 200),
        ("PutObject", "/history-us-east-1/k", 503),
        ("PutObject", "/alone-us-east-1/k", 200),
        ("PutObject", "/somebody-elses/k", 200),
        ("PutObject", "/history-us-east-1/", 200),
    ],
)
def test_nothing_else_is_replicated(operation: str, path: str, status: int) -> None:
    async def test(fake: FakeS3) -> None:
        fake.tell(operation, path, status=status)
        assert fake.replication.pending(EAST) == 0

    run(test)


def test_an_object_that_is_gone_with_all_its_versions_is_not_copied() -> None:
    async def test(fake: FakeS3) -> None:
        fake.put("history-us-east-1", "k", "v1")
        fake.objects["history-us-east-1"].clear()
        await asyncio.sleep(2)
        assert fake.there(WEST) == {}
        assert fake.replication.pending(EAST) == 0

    run(test)
