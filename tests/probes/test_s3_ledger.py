from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed
from chaos.loops import run_at, run_virtual
from probes.net import Net
from probes.probe import Attempt, ProbeFailed
from probes.s3_ledger import MAX_PAGES, S3Ledger

EAST, WEST = "us-east-1", "us-west-2"
HERE, THERE = "history-east", "history-west"


def ledger(**fields: Any) -> S3Ledger:
    given = {"bucket": HERE, "write_to": EAST, "read_from": EAST}
    return S3Ledger(**({"kind": "s3_ledger"} | given | fields))


def attempt(n: int = 0, probe: str = "history", run: str = "run1") -> Attempt:
    return Attempt(run=run, probe=probe, n=n)


# --- against a server ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsCalls]:
    """The AWS API of moto's server, with a versioned bucket in each region."""
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        run_at(1, make_buckets(calls))
        yield calls
        calls.close()


async def make_buckets(calls: AwsCalls) -> None:
    await calls.call("s3", EAST, "create_bucket", Bucket=HERE)
    where = {"LocationConstraint": WEST}
    await calls.call("s3", WEST, "create_bucket", Bucket=THERE, CreateBucketConfiguration=where)
    versions = {"Status": "Enabled"}
    await calls.call(
        "s3", EAST, "put_bucket_versioning", Bucket=HERE, VersioningConfiguration=versions
    )


def test_what_was_written_is_listed_again(aws: AwsCalls) -> None:
    async def main() -> list[int]:
        net, probe = Net(aws=aws.call), ledger()
        for n in (0, 3, 11, 2):
            written = attempt(n)
            await probe.check(net, written)
            assert written.detail == {"write": "acknowledged"}
            assert list(written.phases) == ["write"]
        await probe.check(net, attempt(5, probe="other"))
        await probe.check(net, attempt(6, run="run2"))
        key = "ledger/run1/history/000000000011"
        found = await aws.call("s3", EAST, "get_object", Bucket=HERE, Key=key)
        with found["Body"] as body:
            assert body.read() == b"run1/history/000000000011"
        return await probe.read(net, attempt())

    assert run_at(1, main()) == [0, 2, 3, 11]


def test_another_bucket_has_what_was_copied_there(aws: AwsCalls) -> None:
    async def main() -> tuple[list[int], list[int]]:
        net, probe = Net(aws=aws.call), ledger(read_bucket=THERE, read_from=WEST)
        for n in (1, 2):
            await probe.check(net, attempt(n, run="run3"))
        before = await probe.read(net, attempt(run="run3"))
        key = "ledger/run3/history/000000000002"
        source = {"Bucket": HERE, "Key": key}
        await aws.call("s3", WEST, "copy_object", Bucket=THERE, Key=key, CopySource=source)
        return before, await probe.read(net, attempt(run="run3"))

    assert run_at(1, main()) == ([], [2])


def test_one_that_is_deleted_is_missing_until_the_marker_goes(aws: AwsCalls) -> None:
    async def main() -> tuple[list[int], list[int]]:
        net, probe = Net(aws=aws.call), ledger()
        for n in (1, 2):
            await probe.check(net, attempt(n, run="run4"))
        where = {"Bucket": HERE, "Key": "ledger/run4/history/000000000001"}
        gone = await aws.call("s3", EAST, "delete_object", **where)
        hidden = await probe.read(net, attempt(run="run4"))
        await aws.call("s3", EAST, "delete_object", VersionId=gone["VersionId"], **where)
        return hidden, await probe.read(net, attempt(run="run4"))

    assert run_at(1, main()) == ([2], [1, 2])


def test_one_with_another_body_did_not_survive(aws: AwsCalls) -> None:
    async def main() -> tuple[list[int], list[int]]:
        net, probe = Net(aws=aws.call), ledger()
        for n in range(4):
            await probe.check(net, attempt(n, run="run5"))
        for n, body in ((1, b""), (2, b"RUN5/history/000000000002")):  # shorter; as long as it was
            key = f"ledger/run5/history/{n:012d}"
            await aws.call("s3", EAST, "put_object", Bucket=HERE, Key=key, Body=body)
        read = attempt(run="run5")
        return await probe.read(net, read), read.detail["conflicting"]

    assert run_at(1, main()) == ([0, 3], [1, 2])


def test_an_object_in_parts_is_read_for_its_tag_is_no_md5(aws: AwsCalls) -> None:
    async def main() -> list[int]:
        key = "ledger/run6/history/000000000007"
        where = {"Bucket": HERE, "Key": key}
        upload = await aws.call("s3", EAST, "create_multipart_upload", **where)
        where["UploadId"] = upload["UploadId"]
        body = b"run6/history/000000000007"
        part = await aws.call("s3", EAST, "upload_part", PartNumber=1, Body=body, **where)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        await aws.call("s3", EAST, "complete_multipart_upload", MultipartUpload=parts, **where)
        return await ledger().read(Net(aws=aws.call), attempt(run="run6"))

    assert run_at(1, main()) == [7]


def test_a_bucket_that_is_not_there_is_bad_in_both_directions(aws: AwsCalls) -> None:
    async def main() -> None:
        net, probe = Net(aws=aws.call), ledger(bucket="nowhere")
        written = attempt()
        with pytest.raises(ProbeFailed, match="NoSuchBucket"):
            await probe.check(net, written)
        assert written.detail == {"write": "unknown"}
        with pytest.raises(ProbeFailed, match="NoSuchBucket"):
            await probe.read(net, attempt())

    run_at(1, main())


# --- against a fake -----------------------------------------------------------------------


class FakeS3:
    """Lists what it has in pages of two, as if each were whole; or fails as it is told."""

    def __init__(self, keys: list[str] | None = None, error: Exception | None = None) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.puts: list[dict[str, Any]] = []
        self._keys = keys or []
        self._error = error

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        self.calls.append((service, region, operation))
        if self._error:
            raise self._error
        if operation == "put_object":
            self.puts.append(params)
            return {}
        start = json.loads(params.get("ContinuationToken", "0"))
        more = start + 2 < len(self._keys)
        return {
            "Contents": [item(key) for key in self._keys[start : start + 2]],
            "IsTruncated": more,
            **({"NextContinuationToken": json.dumps(start + 2)} if more else {}),
        }


def item(key: str) -> dict[str, Any]:
    import hashlib

    body = key.removeprefix("ledger/").encode()
    return {"Key": key, "Size": len(body), "ETag": f'"{hashlib.md5(body).hexdigest()}"'}  # noqa: S324  # the service's


def key_of(n: int) -> str:
    return f"ledger/run1/history/{n:012d}"


def test_it_reads_page_by_page_in_the_region_that_is_asked() -> None:
    s3 = FakeS3([key_of(n) for n in range(5)])
    found = run_virtual(ledger(read_from=WEST).read(Net(aws=s3), attempt()))
    assert found == [0, 1, 2, 3, 4]
    assert s3.calls == [("s3", WEST, "list_objects_v2")] * 3


def test_a_write_is_sent_once_and_refusal_is_bad() -> None:
    s3 = FakeS3(error=CallFailed("put_object", "SlowDown", "reduce your request rate"))
    with pytest.raises(ProbeFailed, match="SlowDown: reduce your request rate"):
        run_virtual(ledger().check(Net(aws=s3), attempt()))
    assert len(s3.calls) == 1


def test_it_never_tells_half_of_what_it_read() -> None:
    s3 = FakeS3([key_of(n) for n in range(2 * MAX_PAGES + 1)])
    with pytest.raises(ProbeFailed, match="not read to its end"):
        run_virtual(ledger().read(Net(aws=s3), attempt()))


@pytest.mark.parametrize("name", ["Dune", "٣", ""])
def test_objects_that_it_did_not_write_are_told(name: str) -> None:
    s3 = FakeS3([f"ledger/run1/history/{name}"])
    with pytest.raises(ProbeFailed, match="which it did not write"):
        run_virtual(ledger().read(Net(aws=s3), attempt()))


def test_the_prefix_is_a_parameter() -> None:
    s3 = FakeS3()
    run_virtual(ledger(prefix="").check(Net(aws=s3), attempt(7)))
    assert s3.puts[0]["Key"] == "run1/history/000000000007"


@pytest.mark.parametrize(
    "fields", [{"write_to": "east"}, {"read_from": ""}, {"bucket": "No_Bucket"}, {"bucket": "ab"}]
)
def test_impossible_parameters_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ledger(**fields)


def test_it_is_known_as_a_ledger() -> None:
    assert ledger().ledger
    assert ledger().services() == {"s3"}
