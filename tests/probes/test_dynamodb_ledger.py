from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed
from chaos.loops import run_at, run_virtual
from probes.dynamodb_ledger import MAX_PAGES, DynamodbLedger
from probes.net import AwsCall, Net
from probes.probe import Attempt, ProbeFailed, Sample
from probes.schedule import run_probe

EAST, WEST = "us-east-1", "us-west-2"


def ledger(**fields: Any) -> DynamodbLedger:
    given = {"table": "viewing-history", "write_to": EAST, "read_from": EAST}
    return DynamodbLedger(**({"kind": "dynamodb_ledger"} | given | fields))


def attempt(n: int = 0, probe: str = "history", run: str = "run1") -> Attempt:
    return Attempt(run=run, probe=probe, n=n)


class FakeDynamo:
    """Keeps items and gives them back in pages of two; or fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.items: list[dict[str, Any]] = []
        self._error = error

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        self.calls.append((service, region, operation))
        if self._error:
            raise self._error
        if operation == "put_item":
            self.items.append(params["Item"])
            return {}
        assert params["ConsistentRead"]
        start = int(params.get("ExclusiveStartKey", {"at": 0})["at"])
        page = {"Items": self.items[start : start + 2]}
        more = {"LastEvaluatedKey": {"at": start + 2}} if start + 2 < len(self.items) else {}
        return page | more


# --- against a server ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsCalls]:
    """The AWS API of moto's server, with the lab's table in both regions."""
    with moto_server() as (host, port):
        calls = AwsCalls(f"http://{host}:{port}", key=("lab", "lab"), timeout_s=30)
        run_at(1, make_tables(calls))
        yield calls
        calls.close()


async def make_tables(calls: AwsCalls) -> None:
    for region in (EAST, WEST):
        await calls.call(
            "dynamodb",
            region,
            "create_table",
            TableName="viewing-history",
            KeySchema=[
                {"AttributeName": "profile", "KeyType": "HASH"},
                {"AttributeName": "watched", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "profile", "AttributeType": "S"},
                {"AttributeName": "watched", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )


def test_what_was_written_is_read_again(aws: AwsCalls) -> None:
    async def main() -> list[int]:
        net, probe = Net(aws=aws.call), ledger()
        for n in (0, 3, 11, 2):
            written = attempt(n)
            await probe.check(net, written)
            assert written.detail == {"write": "acknowledged"}
            assert list(written.phases) == ["write"]
        await probe.check(net, attempt(5, probe="other"))
        await probe.check(net, attempt(6, run="run2"))
        item = await aws.call(
            "dynamodb",
            EAST,
            "get_item",
            TableName="viewing-history",
            Key={"profile": {"S": "ledger#run1#history"}, "watched": {"S": "000000000011"}},
        )
        assert set(item["Item"]) == {"profile", "watched", "written"}
        return await probe.read(net, attempt())

    assert run_at(1, main()) == [0, 2, 3, 11]


def test_another_region_has_nothing_until_it_is_replicated(aws: AwsCalls) -> None:
    async def main() -> list[int]:
        net, probe = Net(aws=aws.call), ledger(read_from=WEST)
        await probe.check(net, attempt(1, run="run3"))
        return await probe.read(net, attempt(run="run3"))

    assert run_at(1, main()) == []


def test_a_table_that_is_not_there_is_bad_in_both_directions(aws: AwsCalls) -> None:
    async def main() -> None:
        net, probe = Net(aws=aws.call), ledger(table="nowhere")
        written = attempt()
        with pytest.raises(ProbeFailed, match="ResourceNotFoundException"):
            await probe.check(net, written)
        assert written.detail == {"write": "unknown"}
        with pytest.raises(ProbeFailed, match="ResourceNotFoundException"):
            await probe.read(net, attempt())

    run_at(1, main())


def test_an_endpoint_that_is_gone_is_bad() -> None:
    calls = AwsCalls("http://127.0.0.1:1", key=("lab", "lab"), timeout_s=10)
    with pytest.raises(ProbeFailed, match="EndpointConnectionError"):
        run_at(1, ledger().check(Net(aws=calls.call), attempt()))
    calls.close()


# --- against a fake -----------------------------------------------------------------------


def test_it_writes_to_one_region_and_reads_from_the_other_page_by_page() -> None:
    dynamo = FakeDynamo()

    async def main() -> list[int]:
        net, probe = Net(aws=dynamo), ledger(read_from=WEST)
        for n in range(5):
            await probe.check(net, attempt(n))
        return await probe.read(net, attempt())

    assert run_virtual(main()) == [0, 1, 2, 3, 4]
    put, query = ("dynamodb", EAST, "put_item"), ("dynamodb", WEST, "query")
    assert dynamo.calls == [put] * 5 + [query] * 3


def test_a_write_is_sent_once_and_refusal_is_bad() -> None:
    dynamo = FakeDynamo(CallFailed("put_item", "AccessDeniedException", "not authorized"))
    with pytest.raises(ProbeFailed, match="AccessDeniedException: not authorized"):
        run_virtual(ledger().check(Net(aws=dynamo), attempt()))
    assert len(dynamo.calls) == 1


def test_a_write_that_times_out_may_have_been_done() -> None:
    async def hang(*_: Any, **__: Any) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    sample = first_sample(hang)
    assert (sample.ok, sample.crashed) == (False, False)
    assert sample.error == "timed out after 2 s (write)"
    assert sample.detail == {"write": "unknown"}


def test_a_defect_in_the_call_is_a_crash_and_no_finding() -> None:
    sample = first_sample(FakeDynamo(KeyError("x")))
    assert (sample.crashed, sample.error) == (True, "KeyError: 'x'")
    assert first_sample(None).crashed


def first_sample(call: AwsCall | None) -> Sample:
    samples: list[Sample] = []

    async def main() -> None:
        task = asyncio.create_task(
            run_probe("p", ledger(), Net(aws=call), run="r", origin=0.0, emit=samples.append)
        )
        await asyncio.sleep(3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())
    return samples[0]


def test_it_never_tells_half_of_what_it_read() -> None:
    dynamo = FakeDynamo()
    dynamo.items = [{"watched": {"S": f"{n:012d}"}} for n in range(2 * MAX_PAGES + 1)]
    with pytest.raises(ProbeFailed, match="not read to its end"):
        run_virtual(ledger().read(Net(aws=dynamo), attempt()))


@pytest.mark.parametrize("item", [{"watched": {"S": "Dune"}}, {"watched": {"S": "٣"}}, {}])
def test_records_that_it_did_not_write_are_told(item: dict[str, Any]) -> None:
    dynamo = FakeDynamo()
    dynamo.items = [item]
    with pytest.raises(ProbeFailed, match="which it did not write"):
        run_virtual(ledger().read(Net(aws=dynamo), attempt()))


def test_keys_are_parameters() -> None:
    dynamo = FakeDynamo()
    probe = ledger(partition_key="pk", sort_key="sk")
    run_virtual(probe.check(Net(aws=dynamo), attempt(7)))
    assert dynamo.items[0]["pk"] == {"S": "ledger#run1#history"}
    assert dynamo.items[0]["sk"] == {"S": "000000000007"}


@pytest.mark.parametrize(
    "fields",
    [
        {"write_to": "east"},
        {"read_from": ""},
        {"table": ""},
        {"partition_key": "watched"},
        {"sort_key": "written"},
    ],
)
def test_impossible_parameters_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ledger(**fields)


def test_it_is_known_as_a_ledger_and_ticks_twice_a_second() -> None:
    assert ledger().ledger
    assert ledger().every == 0.5


def test_a_record_with_another_time_of_writing_did_not_survive() -> None:
    async def main() -> tuple[list[int], list[int]]:
        fake, probe = FakeDynamo(), ledger()
        net = Net(aws=fake)
        for n in range(5):
            await probe.check(net, attempt(n))
        fake.items[1]["written"] = {"N": "77.5"}
        del fake.items[3]["written"]
        fake.items[4]["written"] = {"N": "0E0"}  # as the service may write the same number
        read = attempt()
        return await probe.read(net, read), read.detail["conflicting"]

    assert run_virtual(main()) == ([0, 2, 4], [1, 3])
