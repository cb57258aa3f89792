"""The streams of a lab: made once, adopted when they are its own, and waited for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from upstreams import moto_server, run

from chaos import schema
from chaos.environments.calls import AwsCalls
from chaos.errors import EnvironmentFailed
from chaos.lab.declaration import Lab
from chaos.lab.made import Made
from chaos.lab.resources import Stream
from chaos.lab.stock import LOOKS, stock
from chaos.loops import run_virtual

EAST = "us-east-1"
SYSTEMS = Path(__file__).parents[2] / "chaos" / "lab" / "systems"
LAB = schema.load(SYSTEMS / "queue.yaml", Lab).model_copy(
    update={"queues": {}, "services": {}, "streams": {"clicks": Stream(region=EAST, shards=2)}}
)


class Noted(Made):
    def __init__(self) -> None:
        self.undone: list[tuple[str, str]] = []

    def undo(self, service: str, region: str, operation: str, /, **params: Any) -> None:
        self.undone.append((f"{service} {operation} {region}", params["StreamName"]))


def test_a_stream_is_made_with_its_shards_adopted_and_not_taken_from_others() -> None:
    async def work(port: int) -> None:
        aws = AwsCalls(f"http://127.0.0.1:{port}", key=("lab", "lab"), timeout_s=30)
        try:
            made = Noted()
            await stock(LAB, aws.call, made)
            shards = (await aws.call("kinesis", EAST, "list_shards", StreamName="clicks"))["Shards"]
            assert len(shards) == 2
            await stock(LAB, aws.call, made)  # its own
            assert made.undone == [("kinesis delete_stream us-east-1", "clicks")]
            other = LAB.model_copy(update={"name": "another"})
            with pytest.raises(EnvironmentFailed, match="the stream clicks is there and not"):
                await stock(other, aws.call, made)
        finally:
            aws.close()

    with moto_server() as (_, port):
        run(work(port))


def test_a_stream_that_never_takes_records_is_told() -> None:
    looks = 0

    async def call(service: str, region: str, operation: str, /, **_: Any) -> dict[str, Any]:
        nonlocal looks
        looks += operation == "describe_stream_summary"
        answers: dict[str, dict[str, Any]] = {
            "list_tags_for_stream": {"Tags": [{"Key": "chaos:lab", "Value": LAB.name}]},
            "describe_stream_summary": {"StreamDescriptionSummary": {"StreamStatus": "CREATING"}},
        }
        return answers[operation]

    with pytest.raises(EnvironmentFailed, match="the stream clicks does not become ACTIVE"):
        run_virtual(stock(LAB, call, Noted()))
    assert looks == LOOKS


def test_it_needs_kinesis_and_a_region_of_the_lab() -> None:
    assert "kinesis" in LAB.aws_services()
    wrong = LAB.model_dump() | {"streams": {"clicks": {"region": "eu-west-1"}}}
    with pytest.raises(ValueError, match="no region 'eu-west-1' in this lab"):
        Lab.model_validate(wrong)
