"""LocalStack when the lab in front of it has ended: what can be put back, and what has gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from emulators import INFO, PAGES, answering
from upstreams import moto_server

from chaos.environments import attach, localstack, on_localstack, traces
from chaos.environments.on_localstack import OnLocalStack
from chaos.errors import CallFailed, EnvironmentFailed, EnvironmentGone, JournalFailed
from chaos.loops import run_at

REGION = "us-east-1"


def where(url: str, session: str = "", **changes: str) -> dict[str, Any]:
    told = {"endpoint": url, "url": url, "version": "2026.3.0", "session": session, "lab": "x"}
    return {**told, **changes}


def without_lab(
    directory: Path, told: dict[str, Any], work: Callable[[OnLocalStack], Coroutine[Any, Any, None]]
) -> None:
    """Do the work in an environment whose lab is not there any more."""
    door = {"control": str(directory / "none"), "operator": on_localstack.NOWHERE}

    async def main() -> None:
        environment = OnLocalStack({**door, "regions": [REGION]}, told)
        try:
            await work(environment)
        finally:
            environment.close()

    asyncio.run(main())


def test_what_localstack_holds_is_reached_and_what_the_lab_held_is_gone(tmp_path: Path) -> None:
    async def work(environment: OnLocalStack) -> None:
        made = await environment.call("ec2", REGION, "create_vpc", CidrBlock="10.0.0.0/16")
        assert made["Vpc"]["CidrBlock"] == "10.0.0.0/16"
        with pytest.raises(EnvironmentGone):
            await environment.call("lab", "", "describe_reachability", scope=REGION)

    with moto_server() as (host, port):
        without_lab(tmp_path, where(f"http://{host}:{port}"), work)


def test_a_bucket_that_is_not_there_went_with_its_lab(tmp_path: Path) -> None:
    async def work(environment: OnLocalStack) -> None:
        with pytest.raises(EnvironmentGone, match="it has gone with the lab"):
            await environment.call("s3", REGION, "list_object_versions", Bucket="nowhere")
        with pytest.raises(CallFailed, match="InvalidVpcID"):  # a call that fails, and no more
            await environment.call("ec2", REGION, "delete_vpc", VpcId="vpc-1")

    with moto_server() as (host, port):
        without_lab(tmp_path, where(f"http://{host}:{port}"), work)


def test_one_that_was_started_anew_has_lost_what_it_held(tmp_path: Path) -> None:
    async def work(environment: OnLocalStack) -> None:
        with pytest.raises(EnvironmentGone, match="was started anew since, and lost what it held"):
            await environment.call("s3", REGION, "list_object_versions", Bucket="b")

    with answering(PAGES) as url:
        without_lab(tmp_path, where(url, session="before"), work)


def test_one_with_a_licence_may_have_kept_it(tmp_path: Path) -> None:
    async def work(environment: OnLocalStack) -> None:
        with pytest.raises(CallFailed, match="license plan"):  # it was asked, and answered
            await environment.call("ec2", REGION, "describe_vpcs")

    info = {**INFO, "is_license_activated": True}
    with answering({**PAGES, "/_localstack/info": info}) as url:
        without_lab(tmp_path, where(url, session="before"), work)


def test_one_that_is_silent_is_told_and_of_many_levers_not_each_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    async def nobody(endpoint: str | None) -> localstack.Found:
        asked.append(endpoint)
        raise EnvironmentFailed("no LocalStack answers")

    async def work(environment: OnLocalStack) -> None:
        for _ in range(on_localstack.GIVEN_UP_AFTER):
            with pytest.raises(CallFailed, match="does not answer; start LocalStack, then try"):
                await environment.call("ec2", REGION, "describe_vpcs")
        with pytest.raises(EnvironmentFailed, match="does not answer; start LocalStack"):
            await environment.call("ec2", REGION, "describe_vpcs")
        assert len(asked) == on_localstack.GIVEN_UP_AFTER

    monkeypatch.setattr(localstack, "look", nobody)
    without_lab(tmp_path, where("http://127.0.0.1:1"), work)


def test_only_the_labs_own_instances_are_seen(tmp_path: Path) -> None:
    async def work(environment: OnLocalStack) -> None:
        for lab in ("x", "another"):
            tags = [{"ResourceType": "instance", "Tags": [{"Key": "chaos:lab", "Value": lab}]}]
            few = {"MinCount": 1, "MaxCount": 1, "ImageId": "ami-0123456789abcdef0"}
            await environment.call("ec2", REGION, "run_instances", **few, TagSpecifications=tags)
        running = [{"Name": "instance-state-name", "Values": ["running"]}]
        for given in ({}, {"Filters": running}):
            seen = await environment.call("ec2", REGION, "describe_instances", **given)
            assert len(seen["Reservations"]) == 1

    with moto_server() as (host, port):
        without_lab(tmp_path, where(f"http://{host}:{port}"), work)


def described(directory: Path, **changes: Any) -> dict[str, Any]:
    """What a journal keeps of a run whose lab ended long ago."""
    lab = {"control": str(directory / "none"), "directory": str(directory / "lab"), "pid": 1}
    here = {"host": socket.gethostname(), "boot": traces.boot(), "born": "before"}
    there = where("http://127.0.0.1:1")
    return {"kind": "localstack", **here, **lab, **there, "regions": [REGION], **changes}


def test_a_journal_names_it_though_its_lab_has_ended(tmp_path: Path) -> None:
    for changes in ({}, {"boot": "before"}):
        found = run_at(1, attach.attach(described(tmp_path, **changes)))
        assert found.kind == "localstack"
        found.close()


def test_from_another_machine_nothing_is_put_back(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="roll it back there"):
        asyncio.run(attach.attach(described(tmp_path, host="elsewhere")))


def test_a_journal_that_does_not_say_where_it_was(tmp_path: Path) -> None:
    told = described(tmp_path)
    del told["url"]
    with pytest.raises(JournalFailed, match="url"):
        asyncio.run(attach.attach(told))
