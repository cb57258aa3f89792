"""Real drills with AWS FIS, in moto, whose FIS breaks nothing: no verdict may come of them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fis_cases import volumes
from moto_account import KEYS, REGION, moto_account
from moto_place import moto_place

EXPERIMENT = textwrap.dedent("""\
    name: fis-drill
    accounts:
      only: {{id: "123456789012", regions: [us-east-1]}}
    steady_state: {{for: 1s, within: 30s}}
    probes:
      service: {{kind: tcp, host: 127.0.0.1, port: {port}, every: 200ms, timeout: 2s}}
    faults:
      - kind: fis
        region: us-east-1
        role: arn:aws:iam::123456789012:role/fis
        actions:
          stall:
            actionId: aws:ebs:pause-volume-io
            parameters: {{duration: PT5M}}
            targets: {{Volumes: data}}
        targets:
          data: {{resourceType: "aws:ec2:ebs-volume", resourceTags: {{chaos: allowed}}}}
        lasts: 4s
    objectives:
      service: {objectives}
    recover_within: 20s
""")
NOT_AWS = "is not AWS, and no emulator carries out what FIS is asked to do"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_account() as endpoint:
        asyncio.run(_seed(endpoint))
        yield endpoint


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.break_it()


async def _seed(endpoint: str) -> None:
    """Three of ten: what is hit is below the limit of a half."""
    with moto_place(endpoint) as place:
        await volumes(place, 3, chaos="allowed")
        await volumes(place, 7, other="yes")


class Service:
    """Something that a probe watches, and that this test alone breaks."""

    def __init__(self) -> None:
        self._open = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port = self._open.getsockname()[1]

    def repair(self) -> None:
        self._open = socket.create_server(("127.0.0.1", self.port), backlog=1000)

    def break_it(self) -> None:
        self._open.close()


def drill(
    directory: Path,
    endpoint: str,
    service: Service,
    objectives: str,
    on: dict[str, Callable[[], Any]],
) -> tuple[int, dict[str, Any], str]:
    """Run it; `on` is what to do when a line with that text comes. Exit code, verdict, output."""
    (directory / "x.yaml").write_text(EXPERIMENT.format(port=service.port, objectives=objectives))
    given = ["--environment", "aws", "--endpoint", endpoint, "--yes", "--undo-log", "none"]
    run = subprocess.Popen(
        [sys.executable, "-um", "chaos", "run", "x.yaml", *given],
        cwd=directory,
        env={**os.environ, **KEYS, "CHAOS_STALE_SECONDS": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with ExitStack() as stack:
        stack.callback(run.kill)
        assert run.stdout
        stack.enter_context(run.stdout)
        lines = []
        for line in run.stdout:
            lines.append(line)
            for text, work in on.items():
                if text in line:
                    work()
        code = run.wait(60)
    [path] = directory.glob("chaos-runs/*/verdict.json")
    return code, json.loads(path.read_text()), "".join(lines)


def left(endpoint: str) -> list[Any]:
    async def look() -> list[Any]:
        with moto_place(endpoint) as place:
            answer = await place.call("fis", REGION, "list_experiment_templates")
            return list(answer["experimentTemplates"])

    return asyncio.run(look())


def test_a_probe_that_is_fine_proves_nothing(
    tmp_path: Path, endpoint: str, service: Service
) -> None:
    code, verdict, out = drill(tmp_path, endpoint, service, "{unaffected: true}", {})
    assert code == 3, out
    assert verdict["value"] == "unknown"
    assert NOT_AWS in verdict["reasons"][0]
    assert "service was unaffected proves nothing" in verdict["reasons"][1]
    first = out[out.index("UNKNOWN") :].splitlines()[1]
    assert "is not AWS" in first
    assert not left(endpoint)


def test_a_probe_that_fails_for_another_reason_proves_nothing(
    tmp_path: Path, endpoint: str, service: Service
) -> None:
    on = {"the fault is on": service.break_it, "all its levers are back": service.repair}
    code, verdict, out = drill(tmp_path, endpoint, service, "{heals_within: 10s}", on)
    assert code == 3, out
    assert verdict["value"] == "unknown"
    assert NOT_AWS in verdict["reasons"][0]
    assert verdict["probes"]["service"]["recovery"]["kind"] in ("during", "after")
    assert not left(endpoint)


def test_what_fis_ends_by_itself_is_told_with_its_reason(
    tmp_path: Path, endpoint: str, service: Service
) -> None:
    def move_on() -> None:
        """moto's experiments go on to their end when they are looked at."""

        async def look() -> None:
            with moto_place(endpoint) as place:
                answer = await place.call("fis", REGION, "list_experiments")
                for one in answer["experiments"]:
                    await place.call("fis", REGION, "get_experiment", id=one["id"])

        asyncio.run(look())

    on = {"the fault is on": move_on}
    code, verdict, out = drill(tmp_path, endpoint, service, "{heals_within: 10s}", on)
    assert code == 3, out
    [_, early] = [r for r in verdict["reasons"] if "fis_experiment" in r or "FIS" in r][:2]
    assert "was back before the run put it back: the fault did not last: " in early
    assert "is completed: Experiment completed" in early
    assert not left(endpoint)
