"""Where the tool itself runs: asked of real sockets that answer as EC2's and ECS' services do."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from moto_account import ACCOUNT, KEYS, moto_account, on_account
from patients import nothing_configured
from sts_stand_in import sts_stand_in

from chaos.environments import metadata
from chaos.environments.whoami import Whoami, role, whoami
from chaos.testing.fake_environment import FakeEnvironment

__all__ = ["nothing_configured"]  # a fixture for all tests here

TOKEN = "that-of-a-test"  # noqa: S105  # nobody's
TASK = f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/drills/0123456789abcdef"
INSTANCE = {
    "/latest/api/token": TOKEN,
    "/latest/dynamic/instance-identity/document": json.dumps(
        {"instanceId": "i-0abc", "availabilityZone": "us-east-1b", "region": "us-east-1"}
    ),
    "/latest/meta-data/mac": "0e:49:61:0f:c3:11",
    "/latest/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/subnet-id": "subnet-0abc",
}
HERE = Whoami(
    instance="i-0abc",
    subnet="subnet-0abc",
    zone="us-east-1b",
    region="us-east-1",
    account=ACCOUNT,
    known=True,
    why="EC2's metadata service: i-0abc",
)


@contextmanager
def service(pages: Mapping[str, str], *, token: str = "") -> Iterator[str]:
    """A server that gives these pages; with `token` to those alone who send it, as IMDSv2."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.headers["X-aws-ec2-metadata-token"] or ""
            status = 401 if sent != token else 200 if self.path in pages else 404
            self.answer(status)

        def do_PUT(self) -> None:
            asked = self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            self.answer(200 if asked and self.path in pages else 400)

        def answer(self, status: int) -> None:
            self.send_response_only(status)
            self.end_headers()
            if status == 200:
                self.wfile.write(pages[self.path].encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_account() as url:
        yield url


@pytest.fixture(autouse=True)
def a_laptop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nothing_configured: None) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("ECS_CONTAINER_METADATA_URI_V4", "CODEBUILD_BUILD_ARN"):
        monkeypatch.delenv(name, raising=False)
    for file in ("VENDOR", "BIOS", "XEN_UUID"):
        monkeypatch.setattr(f"chaos.environments.account.{file}", tmp_path / file)


def found(url: str) -> Whoami:
    environment = on_account(url)
    try:
        return asyncio.run(whoami(environment))
    finally:
        environment.close()


def test_a_machine_that_is_none_of_aws(moto: str) -> None:
    why = "nothing on this machine says that it is one of AWS"
    assert found(moto) == Whoami(account=ACCOUNT, known=True, why=why)


def test_an_instance_tells_where_it_is(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(INSTANCE, token=TOKEN) as url:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        assert found(moto) == HERE


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("VENDOR", "Amazon EC2\n"),
        ("BIOS", "4.11.amazon\n"),
        ("XEN_UUID", "ec2e1916-9099-7caf-fd21-012345abcdef\n"),
    ],
)
def test_an_instance_whose_service_is_silent_cannot_know(
    moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text)
    monkeypatch.setitem(metadata.EC2, "ipv4", "http://127.0.0.1:1")
    here = found(moto)
    assert not here.known
    assert here.why.startswith("it runs on EC2, whose metadata service does not tell where: ")


@pytest.mark.parametrize("lacks", [*INSTANCE])
def test_an_instance_that_tells_half_of_it_cannot_know(
    moto: str, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    pages = {path: text for path, text in INSTANCE.items() if path != lacks}
    with service(pages, token=TOKEN) as url:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        assert not found(moto).known


@pytest.mark.parametrize("text", ["not json", "[]", "{}"])
def test_an_answer_that_is_none_cannot_be_known_from(
    moto: str, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    pages = {**INSTANCE, "/latest/dynamic/instance-identity/document": text}
    with service(pages, token=TOKEN) as url:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        assert not found(moto).known


def task(network: dict[str, Any]) -> dict[str, str]:
    whole = {"TaskARN": TASK, "AvailabilityZone": "us-east-1a", "LaunchType": "FARGATE"}
    return {"/v4/id": json.dumps({"Networks": [network]}), "/v4/id/task": json.dumps(whole)}


def test_a_task_with_an_interface_is_in_its_subnet(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = on_account(moto)

    async def interface() -> dict[str, Any]:
        subnets = await environment.call("ec2", "us-east-1", "describe_subnets")
        subnet = subnets["Subnets"][0]["SubnetId"]
        made = await environment.call(
            "ec2", "us-east-1", "create_network_interface", SubnetId=subnet
        )
        return dict(made["NetworkInterface"])

    own = asyncio.run(interface())
    environment.close()
    pages = task({"NetworkMode": "awsvpc", "MACAddress": own["MacAddress"]})
    with service(pages) as url:
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"{url}/v4/id")
        here = found(moto)
    assert (here.subnet, here.region, here.known) == (own["SubnetId"], "us-east-1", True)
    assert here.zone == "us-east-1a"


def test_a_task_whose_interface_nobody_finds_cannot_know(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = task({"NetworkMode": "awsvpc", "MACAddress": "00:00:00:00:00:01"})
    with service(pages) as url:
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"{url}/v4/id")
        here = found(moto)
    assert (here.region, here.subnet, here.known) == ("us-east-1", None, False)


def test_a_task_without_an_interface_of_its_own_is_where_its_instance_is(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        service(task({"NetworkMode": "bridge"})) as ecs,
        service(INSTANCE, token=TOKEN) as url,
    ):
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"{ecs}/v4/id")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        assert found(moto) == HERE


def test_a_task_whose_service_is_silent_cannot_know(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", "http://127.0.0.1:1/v4/id")
    assert not found(moto).known


def test_in_a_lambda_function_it_cannot_be_known(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "drills")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    here = found(moto)
    assert (here.region, here.known) == ("eu-west-1", False)


def test_in_a_build_that_nobody_tells_of_it_cannot_be_known(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = f"arn:aws:codebuild:us-east-1:{ACCOUNT}:build/drills:0"
    monkeypatch.setenv("CODEBUILD_BUILD_ARN", build)
    here = found(moto)
    assert (here.region, here.known) == ("us-east-1", False)


def test_who_we_are_is_part_of_it() -> None:
    with sts_stand_in() as sts:
        sts.arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build-1"
        here = found(sts.url)
        assert (here.role, here.account) == (f"arn:aws:iam::{ACCOUNT}:role/ci", ACCOUNT)
        environment = on_account(sts.url)
        sts.refuse["GetCallerIdentity"] = "ExpiredToken"
        nobody = asyncio.run(whoami(environment))
        environment.close()
    assert not nobody.known
    assert "who we are is not told" in nobody.why


def test_a_caller_that_is_no_role() -> None:
    assert role(f"arn:aws:iam::{ACCOUNT}:user/me") is None
    assert role("nonsense") is None


def test_in_a_lab_there_is_nothing_to_cut() -> None:
    here = asyncio.run(whoami(FakeEnvironment({})))
    assert replace(here, why="") == Whoami(known=True)
