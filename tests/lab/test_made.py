"""What a lab has made in an emulator that is not its own, and that it is removed again."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from emulators import answering
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed, EnvironmentFailed
from chaos.lab import last_light, made, plane
from chaos.lab.control_plane import Attached, Given
from chaos.lab.made import Ledger, Made, whole
from chaos.loops import run_virtual

HERE = "http://127.0.0.1:4566"


class Emulator:
    """Notes the calls; `fails` gives the code with which one operation fails."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: dict[str, str] = {}
        self.pages: dict[str, list[dict[str, Any]]] = {}
        self.hangs = False

    async def call(self, service: str, region: str, operation: str, /, **_: Any) -> dict[str, Any]:
        if self.hangs:
            await asyncio.Event().wait()
        self.calls.append(operation)
        if code := self.fails.get(operation):
            raise CallFailed(f"{service} {operation} in {region}", code, "no")
        pages = self.pages.get(operation, [])
        return pages.pop(0) if pages else {"ResourceRecordSets": []}


def ledger(directory: Path, lab: str = "x", session: str = "s") -> Ledger:
    return Ledger.open(HERE, lab, session, directory)


def removed(emulator: Emulator, directory: Path, *operations: str, session: str = "s") -> None:
    """One lab: it makes what these undo, and ends."""
    file = ledger(directory, session=session)
    mine = Made(emulator.call, file)
    for number, operation in enumerate(operations):
        mine.undo("ec2", "us-east-1", operation, Bucket="b", Id=f"{number}")
    run_virtual(mine.remove())
    file.close()


def lines(directory: Path) -> list[Any]:
    (file,) = directory.iterdir()
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_what_was_made_last_goes_first_and_nothing_is_kept(tmp_path: Path) -> None:
    emulator = Emulator()
    removed(emulator, tmp_path, "delete_vpc", "delete_launch_template")
    assert emulator.calls == ["delete_launch_template", "delete_vpc"]
    assert lines(tmp_path) == [{"session": "s"}]


def test_in_a_moto_of_its_own_nothing_has_to_be_removed() -> None:
    emulator = Emulator()
    mine = Made(emulator.call)
    mine.undo("ec2", "us-east-1", "delete_vpc", VpcId="vpc-1")
    run_virtual(mine.remove())
    assert not mine.shared
    assert not emulator.calls


def test_what_cannot_be_removed_is_told_and_the_rest_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator = Emulator()
    emulator.fails = {"delete_launch_template": "DependencyViolation"}
    removed(emulator, tmp_path, "delete_vpc", "delete_launch_template")
    assert emulator.calls == ["delete_launch_template", "delete_vpc"]
    assert (
        "delete_launch_template in us-east-1 failed: DependencyViolation" in capsys.readouterr().err
    )


@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_what_an_emulator_that_is_silent_keeps_the_next_lab_removes(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator = Emulator()
    emulator.hangs = how == "hangs"
    emulator.fails = {"delete_launch_template": "EndpointConnectionError"}
    removed(emulator, tmp_path, "delete_vpc", "delete_launch_template")
    assert "2 things that the lab made are left" in capsys.readouterr().err
    assert [line.get("operation") for line in lines(tmp_path)[1:]] == [
        "delete_vpc",
        "delete_launch_template",
    ]
    emulator = Emulator()
    removed(emulator, tmp_path)
    assert emulator.calls == ["delete_launch_template", "delete_vpc"]


def test_a_lab_that_was_killed_is_cleared_away_after_by_the_next(tmp_path: Path) -> None:
    file = ledger(tmp_path)
    Made(Emulator().call, file).undo("ec2", "us-east-1", "delete_vpc", VpcId="vpc-1")
    with next(tmp_path.iterdir()).open("a") as cut:
        cut.write('{"service": "ec2", "reg')  # it was killed while it wrote
    file.close()
    emulator = Emulator()
    removed(emulator, tmp_path)
    assert emulator.calls == ["delete_vpc"]


def test_what_was_in_an_emulator_that_was_started_anew_is_forgotten(tmp_path: Path) -> None:
    file = ledger(tmp_path, session="before")
    Made(Emulator().call, file).undo("ec2", "us-east-1", "delete_vpc", VpcId="vpc-1")
    file.close()
    emulator = Emulator()
    removed(emulator, tmp_path, session="after")
    assert not emulator.calls


def test_two_labs_of_one_name_cannot_be_at_one_emulator(tmp_path: Path) -> None:
    file = ledger(tmp_path)
    with pytest.raises(EnvironmentFailed, match=f"a lab 'x' is at {HERE} already: wait"):
        ledger(tmp_path)
    ledger(tmp_path, lab="y").close()
    file.close()
    ledger(tmp_path).close()


def test_where_nothing_can_be_noted_there_is_no_lab(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailed, match="set XDG_STATE_HOME"):
        ledger(tmp_path / "file")


def test_a_bucket_is_emptied_before_it_is_deleted(tmp_path: Path) -> None:
    emulator = Emulator()
    entry = {"Key": "k", "VersionId": "1"}
    emulator.pages["list_object_versions"] = [
        {"Versions": [entry]},
        {"DeleteMarkers": [entry]},
        {},
    ]
    file = ledger(tmp_path)
    mine = Made(emulator.call, file)
    mine.undo("s3", "us-east-1", "delete_bucket", Bucket="b")
    run_virtual(mine.remove())
    file.close()
    assert emulator.calls == [
        *["list_object_versions", "delete_objects"] * 2,
        "list_object_versions",
        "delete_bucket",
    ]


def test_a_zone_is_emptied_but_for_what_belongs_to_it(tmp_path: Path) -> None:
    emulator = Emulator()
    records = [{"Type": "NS"}, {"Type": "SOA"}, {"Type": "A"}]
    emulator.pages["list_resource_record_sets"] = [{"ResourceRecordSets": records}]
    file = ledger(tmp_path)
    mine = Made(emulator.call, file)
    mine.undo("route53", "us-east-1", "delete_hosted_zone", Id="z")
    run_virtual(mine.remove())
    file.close()
    assert emulator.calls == [
        "list_resource_record_sets",
        "change_resource_record_sets",
        "list_resource_record_sets",
        "delete_hosted_zone",
    ]


def test_a_subnet_is_freed_of_what_terminated_instances_have_left_in_it(tmp_path: Path) -> None:
    emulator = Emulator()
    left = [{"NetworkInterfaceId": "eni-1"}]
    emulator.pages["describe_network_interfaces"] = [{"NetworkInterfaces": left}]
    file = ledger(tmp_path)
    mine = Made(emulator.call, file)
    mine.undo("ec2", "us-east-1", "delete_subnet", SubnetId="subnet-1")
    run_virtual(mine.remove())
    file.close()
    assert emulator.calls == [
        "describe_network_interfaces",
        "delete_network_interface",
        "delete_subnet",
    ]


@pytest.mark.parametrize(
    ("session", "calls", "left"),
    [("s", ["delete_vpc"], 0), ("later", [], 0), (None, ["delete_vpc"], 1)],
)
def test_in_an_emulator_that_was_started_anew_nothing_is_removed(
    tmp_path: Path, session: str | None, calls: list[str], left: int
) -> None:
    """What has the same names there now is not the lab's: a bucket would even be emptied."""
    emulator = Emulator()
    emulator.fails = {} if session else {"delete_vpc": "EndpointConnectionError"}
    file = ledger(tmp_path)
    mine = Made(emulator.call, file)
    mine.undo("ec2", "us-east-1", "delete_vpc", VpcId="vpc-1")
    with contextlib.ExitStack() as stack:
        pages = {"/_localstack/info": {"session_id": session}}
        url = stack.enter_context(answering(pages)) if session else "http://127.0.0.1:1"
        asyncio.run(plane.remove(mine, Attached(Given(endpoint=url, session="s"))))
    file.close()
    assert emulator.calls == calls
    assert len(lines(tmp_path)) == 1 + left


@pytest.mark.parametrize("there", [True, False])
def test_whoever_comes_later_removes_it_unless_a_lab_of_that_name_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with moto_server() as (host, port):
        url = f"http://{host}:{port}"
        calls = AwsCalls(url, key=("test", "test"), timeout_s=30)
        queue = calls.call_now("sqs", "us-east-1", "create_queue", QueueName="jobs")
        file = Ledger.open(url, "x", "")
        Made(Emulator().call, file).undo("sqs", "us-east-1", "delete_queue", **_url(queue))
        if not there:
            file.close()
        asyncio.run(last_light.clear("x", {"endpoint": url, "key": ["test", "test"]}))
        left = calls.call_now("sqs", "us-east-1", "list_queues").get("QueueUrls", [])
        file.close()
    assert len(left) == there


def _url(queue: dict[str, Any]) -> dict[str, str]:
    return {"QueueUrl": queue["QueueUrl"]}


def test_what_is_being_made_is_made_whole_when_the_lab_is_ended_meanwhile() -> None:
    async def main() -> None:
        making = asyncio.create_task(whole(asyncio.sleep(10, "made")))
        await asyncio.sleep(1)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert asyncio.get_running_loop().time() == pytest.approx(10)

    run_virtual(main())


def test_all_of_it_may_take_only_so_long(tmp_path: Path) -> None:
    emulator = Emulator()
    emulator.hangs = True

    async def timed(work: Callable[[], Coroutine[Any, Any, None]]) -> float:
        await work()
        return asyncio.get_running_loop().time()

    file = ledger(tmp_path)
    mine = Made(emulator.call, file)
    mine.undo("ec2", "us-east-1", "delete_vpc", VpcId="vpc-1")
    assert run_virtual(timed(mine.remove)) == pytest.approx(made.REMOVED_WITHIN_S)
    file.close()
