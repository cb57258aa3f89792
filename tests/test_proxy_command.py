"""`chaos proxy`, as a user calls it: a process, real sockets, boto3 and curl, what it says."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from upstreams import moto_server

CHAOS = [sys.executable, "-m", "chaos", "proxy"]
HOST = "127.0.0.1"
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def moto() -> Iterator[int]:
    with moto_server() as (_, port):
        yield port


class Running:
    """The command while it answers."""

    def __init__(self, *args: str, moto: int) -> None:
        self.upstream = f"http://{HOST}:{moto}"
        self.process = subprocess.Popen(
            [*CHAOS, "--port", "0", "--upstream", self.upstream, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline()
        assert self.first, self.process.communicate()[1]
        as_json = self.first.startswith("{")
        self.url = json.loads(self.first)["endpoint"] if as_json else self.first.split()[2][:-1]

    def client(self, service: str, region: str = "us-east-1", **config: Any) -> Any:
        attempts: int = config.pop("attempts", 1)
        return boto3.client(  # type: ignore[call-overload]  # the service is not literal here
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # an emulator's
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, **config),
        )

    def curl(self, method: str, path: str, body: Any = None, *options: str) -> Any:
        if shutil.which("curl") is None and not os.environ.get("CI"):
            pytest.skip("needs curl")
        sent = [] if body is None else ["--data", json.dumps(body)]
        kind = ["--header", "Content-Type: application/json"]
        done = subprocess.run(
            ["curl", "-sS", "-X", method, *kind, *sent, *options, self.url + path],
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=True,
        )
        return json.loads(done.stdout)

    def end(self, number: int = signal.SIGINT, code: int = 0) -> tuple[str, str]:
        """All that it has said on standard output and error."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        said = self.first + self.process.stdout.read(), self.process.stderr.read()
        assert self.process.wait(WITHIN_S) == code, said
        return said


@contextlib.contextmanager
def running(*args: str, moto: int) -> Iterator[Running]:
    command = Running(*args, moto=moto)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.communicate()


def code_of(call: Any, **params: Any) -> str | None:
    """The error's code, or None when all is well."""
    try:
        call(**params)
    except ClientError as error:
        code: str = error.response["Error"]["Code"]
        return code
    return None


def test_it_tells_how_to_use_it_and_at_the_end_what_met_each_rule(moto: int) -> None:
    rules = ["sqs.CreateQueue in us-east-1: error 400 QueueDeletedRecently", "dynamodb: delay 10ms"]
    with running("--rule", rules[0], "--rule", rules[1], "--rule", "ec2: hang", moto=moto) as proxy:
        for region, expected in (("us-east-1", "QueueDeletedRecently"), ("eu-west-1", None)):
            assert code_of(proxy.client("sqs", region).create_queue, QueueName="q") == expected
        proxy.client("dynamodb").list_tables()
        said, complaints = proxy.end()
    assert complaints == ""
    assert said.splitlines() == [
        f"listening at {proxy.url}, in front of {proxy.upstream}",
        *(f"  rule {n}: {rule}" for n, rule in enumerate([*rules, "ec2: hang"], 1)),
        f"use it:  export AWS_ENDPOINT_URL={proxy.url}",
        f"watch:   curl {proxy.url}/_chaos/rules",
        f"1 call met: {rules[0]}",
        f"1 call met: {rules[1]}",
        "0 calls met: ec2: hang",
        "3 calls in all",
    ]


def test_for_scripts_it_says_a_line_of_json_at_the_start_and_the_end(moto: int) -> None:
    with running("--json", "--rule", "sts: error p=0 seed=4", moto=moto) as proxy:
        proxy.client("sts").get_caller_identity()
        first, last = map(json.loads, proxy.end(signal.SIGTERM)[0].splitlines())
    rule = {"action": "error", "services": ["sts"], "probability": 0.0, "seed": 4}
    assert first == {
        "event": "listening",
        "endpoint": proxy.url,
        "upstream": proxy.upstream,
        "rules": {"1": rule},
    }
    told = {"id": "1", "rule": rule, "matched": 1, "hits": 0, "seed": 4}
    assert last == {"event": "ended", "requests": 1, "rules": [told]}


def test_rules_that_no_call_could_meet_prove_nothing(moto: int) -> None:
    with running("--rule", "s3: hang", moto=moto) as proxy:
        proxy.curl("GET", "/_chaos/rules")  # who sets faults is not the app
        said, complaints = proxy.end(code=3)
    assert said.splitlines()[-1] == "0 calls in all"
    assert complaints.startswith("there were rules, but no call has come, so nothing is proven: ")
    with running("--for", "100ms", moto=moto) as proxy:
        assert proxy.process.wait(WITHIN_S) == 0, "without rules there was nothing to prove"


def test_a_file_of_rules_is_put_behind_the_others(moto: int, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("- action: error\n  code: Second\n")
    with running("--rule", "sqs: error First", "--rules", str(file), moto=moto) as proxy:
        assert code_of(proxy.client("sqs").list_queues) == "First"
        assert code_of(proxy.client("s3").list_buckets) == "Second"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--upstream", "https://s3.amazonaws.com"], "is AWS itself, where no call would get thro"),
        (["--upstream", "http://sqs.us-east-1.api.aws"], "is AWS itself"),
        (["--upstream", "http://s3.amazonaws.com."], "is AWS itself"),
        (["--upstream", "https://127.0.0.1:4566"], "is no endpoint of plain HTTP; write it as"),
        (["--upstream", "127.0.0.1:4566"], "is no endpoint of plain HTTP"),
        (["--upstream", "http://h:99999"], "Port out of range"),
        (["--upstream", "http://127.0.0.1:4599", "--port", "4599"], "choose another --port"),
        (["--upstream", "http://h:1", "--listen", "localhost"], "localhost: is no IP address"),
        (["--upstream", "http://h:1", "--listen", "192.0.2.1"], "cannot listen on 192.0.2.1:4580"),
        (["--upstream", "http://h:1", "--for", "soon"], "--for: 'soon' is no duration"),
        (["--upstream", "http://h:1", "--rule", "s33: hang"], "did you mean 's3'?"),
        (["--upstream", "http://h:1", "--rules", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_is_one_sentence(args: list[str], says: str) -> None:
    done = subprocess.run(
        [*CHAOS, *args], capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


# The examples of LocalStack's documentation of its chaos API, played on another emulator.


def test_two_services_in_some_regions(moto: int) -> None:
    faults = [
        {"service": "s3", "region": "us-east-1"},
        {"service": "s3", "region": "ap-south-1"},
        {"service": "lambda"},
    ]
    with running(moto=moto) as proxy:
        assert proxy.curl("POST", "/_localstack/chaos/faults", faults) == faults
        east = proxy.client("s3", attempts=5)
        with pytest.raises(ClientError) as raised:
            east.create_bucket(Bucket="test-bucket")
        error = raised.value.response
        assert error["Error"]["Code"] == "ServiceUnavailable"
        assert error["Error"]["Message"] == "Service 's3' not accessible due to an outage"
        assert error["ResponseMetadata"]["RetryAttempts"] == 4
        central = proxy.client("s3", "eu-central-1")
        where = {"LocationConstraint": "eu-central-1"}
        assert not code_of(
            central.create_bucket, Bucket="test-bucket", CreateBucketConfiguration=where
        )
        for region in ("us-east-1", "eu-central-1"):
            code = code_of(proxy.client("lambda", region).list_functions)
            assert code == "ServiceUnavailable"
        assert proxy.curl("POST", "/_localstack/chaos/faults", []) == []
        assert not code_of(east.list_buckets)


def test_throughput_exceeded_now_and_then(moto: int) -> None:
    code = "ProvisionedThroughputExceededException"
    fault = {
        "service": "kinesis",
        "operation": "PutRecord",
        "probability": 0.3,
        "error": {"statusCode": 400, "code": code},
    }
    with running(moto=moto) as proxy:
        kinesis = proxy.client("kinesis")
        kinesis.create_stream(StreamName="s", ShardCount=1)
        assert proxy.curl("PATCH", "/_localstack/chaos/faults", [fault]) == [fault]
        record = {"StreamName": "s", "Data": b"x", "PartitionKey": "k"}
        codes = [code_of(kinesis.put_record, **record) for _ in range(60)]
        assert set(codes) == {None, code}
        (told,) = proxy.curl("GET", "/_chaos/rules")
        assert (told["matched"], told["hits"]) == (60, codes.count(code))
        assert proxy.curl("DELETE", "/_localstack/chaos/faults", [fault]) == []
        assert not code_of(kinesis.put_record, **record)


def test_an_outage_that_the_app_catches(moto: int) -> None:
    """DynamoDB fails most of the time; what could not be written waits in a queue."""
    error = {"statusCode": 500, "code": "SomethingWentWrong"}
    fault = {"service": "dynamodb", "region": "us-east-1", "probability": 0.8, "error": error}
    with running(moto=moto) as proxy:
        table, queue = proxy.client("dynamodb"), proxy.client("sqs")
        key = {"AttributeName": "id", "AttributeType": "S"}
        table.create_table(
            TableName="t",
            AttributeDefinitions=[key],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        url = queue.create_queue(QueueName="late")["QueueUrl"]
        proxy.curl("PATCH", "/_localstack/chaos/faults", [fault])
        for number in range(20):
            wrong = code_of(table.put_item, TableName="t", Item={"id": {"S": str(number)}})
            assert wrong in (None, "SomethingWentWrong")
            if wrong:
                queue.send_message(QueueUrl=url, MessageBody=str(number))
        proxy.curl("POST", "/_localstack/chaos/faults", [])
        while messages := queue.receive_message(QueueUrl=url).get("Messages"):
            for message in messages:
                table.put_item(TableName="t", Item={"id": {"S": message["Body"]}})
                queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert table.scan(TableName="t")["Count"] == 20


def test_latency_beyond_the_client_s_patience(moto: int) -> None:
    with running(moto=moto) as proxy:
        effects = "/_localstack/chaos/effects"
        assert proxy.curl("POST", effects, {"latency": 60_000}) == {"latency": 60_000}
        with pytest.raises(ReadTimeoutError):
            proxy.client("s3", read_timeout=0.3).list_buckets()
        assert proxy.curl("POST", effects, {"latency": 0}) == {"latency": 0}
        assert not code_of(proxy.client("s3").list_buckets)
        assert proxy.curl("GET", effects) == {"latency": 0}


def test_a_region_is_unavailable(moto: int) -> None:
    with running(moto=moto) as proxy:
        proxy.curl("POST", "/_localstack/chaos/faults", [{"region": "us-west-1"}])
        for service, call in (("ec2", "describe_instances"), ("sqs", "list_queues")):
            codes = [
                code_of(getattr(proxy.client(service, region), call))
                for region in ("us-west-1", "us-west-2")
            ]
            assert codes == ["ServiceUnavailable", None]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"error": {"statusCode": 500, "code": "InternalError"}}, "InternalError"),
        ({"error": {"statusCode": 503, "code": "ServiceUnavailable"}}, "ServiceUnavailable"),
        ({"error": {"statusCode": 400, "code": "Throttling"}}, "Throttling"),
    ],
)
def test_the_dashboard_s_templates(moto: int, fault: dict[str, Any], expected: str) -> None:
    with running(moto=moto) as proxy:
        proxy.curl("POST", "/_localstack/chaos/faults", [{"service": "dynamodb", **fault}])
        assert code_of(proxy.client("dynamodb").list_tables) == expected
        assert not code_of(proxy.client("s3").list_buckets)


def test_a_web_page_sets_no_faults(moto: int) -> None:
    with running(moto=moto) as proxy:
        page = ("--header", "Origin: http://evil.example", "--header", "Content-Type: text/plain")
        told = proxy.curl("POST", "/_localstack/chaos/faults", [{}], *page)
        assert told["field"] == "origin"
        assert not code_of(proxy.client("s3").list_buckets)


def test_a_write_whose_answer_is_lost_has_happened(moto: int) -> None:
    with running("--rule", "sqs.SendMessage: error 500 InternalError forward", moto=moto) as proxy:
        sqs = proxy.client("sqs")
        url = sqs.create_queue(QueueName="lost")["QueueUrl"]
        assert code_of(sqs.send_message, QueueUrl=url, MessageBody="x") == "InternalError"
        assert [m["Body"] for m in sqs.receive_message(QueueUrl=url)["Messages"]] == ["x"]
