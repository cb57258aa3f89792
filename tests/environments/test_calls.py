"""Every error of boto3 comes out as one of ours, by name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed, Unsupported

KEY = ("lab", "lab")


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as (host, port):
        yield f"http://{host}:{port}"


def failure(calls: AwsCalls, service: str, operation: str, **params: object) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        asyncio.run(calls.call(service, "us-east-1", operation, **params))
    calls.close()
    return caught.value


def test_an_answer_is_boto3s(moto: str) -> None:
    calls = AwsCalls(moto, key=KEY)
    answer = asyncio.run(calls.call("sts", "eu-west-1", "get_caller_identity"))
    calls.close()
    assert answer["Account"] == "123456789012"


def test_nothing_that_the_user_has_configured_counts_for_an_emulator(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\ns3 =\n  use_accelerate_endpoint = true\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    calls = AwsCalls(moto, key=("configured", "nowhere"))
    answer = asyncio.run(calls.call("s3", "us-east-1", "create_bucket", Bucket="any"))
    calls.close()
    assert answer["Location"] == "/any"


def test_a_refusal_carries_the_services_code(moto: str) -> None:
    error = failure(AwsCalls(moto, key=KEY), "ec2", "describe_instances", InstanceIds=["i-1"])
    assert error.code == "InvalidInstanceID.NotFound"
    assert str(error).startswith(
        "ec2 describe_instances in us-east-1 failed: InvalidInstanceID.NotFound: "
    )


def test_what_an_emulator_does_not_have_is_unsupported(moto: str) -> None:
    error = failure(AwsCalls(moto, key=KEY), "fis", "list_actions")
    assert isinstance(error, Unsupported)


@pytest.mark.parametrize(("service", "operation"), [("ec2", "burn"), ("no-such", "get")])
def test_what_boto3_does_not_know_is_unsupported(moto: str, service: str, operation: str) -> None:
    assert isinstance(failure(AwsCalls(moto, key=KEY), service, operation), Unsupported)


def test_wrong_parameters_are_told(moto: str) -> None:
    error = failure(AwsCalls(moto, key=KEY), "ec2", "describe_instances", Instances=["i-1"])
    assert error.code == "ParamValidationError"


def test_a_closed_port_is_told_and_not_retried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        error = failure(AwsCalls(endpoint, key=KEY), "sts", "get_caller_identity")
    assert error.code == "EndpointConnectionError"


def test_an_endpoint_that_hangs_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = failure(AwsCalls(endpoint, key=KEY, timeout_s=0.2), "sts", "get_caller_identity")
    assert error.code == "ReadTimeoutError"


def test_an_endpoint_that_is_no_aws_is_told() -> None:
    async def main() -> CallFailed:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        calls = AwsCalls(f"http://127.0.0.1:{port}", key=KEY)
        try:
            with pytest.raises(CallFailed) as caught:
                await calls.call("sts", "us-east-1", "get_caller_identity")
            return caught.value
        finally:
            calls.close()
            server.close()

    assert isinstance(asyncio.run(main()), Unsupported)


def test_many_threads_make_one_client(moto: str) -> None:
    async def main() -> list[str]:
        calls = AwsCalls(moto, key=KEY)
        answers = await asyncio.gather(
            *(calls.call("sts", "us-east-1", "get_caller_identity") for _ in range(16))
        )
        assert len(calls._clients) == 1
        calls.close()
        return [answer["Account"] for answer in answers]

    assert asyncio.run(main()) == ["123456789012"] * 16
