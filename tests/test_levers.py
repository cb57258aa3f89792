"""Every lever reads what was set, and survives a journal."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chaos.errors import CallFailed, JournalFailed, RestoreFailed
from chaos.levers import KINDS, Counts, Lever, from_json, to_json
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import ApiRule, Reachability, Replication
from chaos.testing import FakeEnvironment, small_lab

CASES: list[tuple[Lever, Any, Any]] = [
    (ApiRule(id="r"), None, {"action": "hang", "regions": ["us-east-1"]}),
    (Reachability(scope="us-east-1"), "open", "drop"),
    (Replication(region="us-east-1"), "on", "off"),
    (InstanceTermination(region="us-east-1", instance="i-1"), False, True),
]


def test_every_lever_has_a_case_here() -> None:
    assert {lever.kind for lever, _, _ in CASES} == set(KINDS)


@pytest.mark.parametrize(("lever", "prior", "value"), CASES, ids=lambda c: getattr(c, "kind", ""))
def test_a_lever_reads_what_was_set_and_goes_back(lever: Lever, prior: Any, value: Any) -> None:
    async def main() -> None:
        lab = FakeEnvironment(small_lab())
        assert await lever.read(lab) == prior
        for _ in range(2):  # setting twice is setting once
            await lever.set(lab, value)
            assert await lever.read(lab) == value
        if not lever.irreversible:
            await lever.set(lab, prior)
            assert await lever.read(lab) == prior

    asyncio.run(main())


@pytest.mark.parametrize(("lever", "prior", "value"), CASES, ids=lambda c: getattr(c, "kind", ""))
def test_a_lever_survives_a_journal(lever: Lever, prior: Any, value: Any) -> None:
    assert from_json(json.loads(json.dumps(to_json(lever)))) == lever


def test_a_terminated_instance_does_not_come_back() -> None:
    lever = InstanceTermination(region="us-east-1", instance="i-1")
    with pytest.raises(RestoreFailed, match="i-1 is terminated; nothing brings it back"):
        asyncio.run(lever.set(FakeEnvironment(small_lab()), value=False))


@pytest.mark.parametrize("data", [{"kind": "valve"}, {"kind": "api_rule", "name": "x"}, {}])
def test_a_lever_that_is_not_known_here(data: dict[str, Any]) -> None:
    with pytest.raises(JournalFailed, match="a lever that is not known here"):
        from_json(data)


def test_levers_that_see_traffic_count_it() -> None:
    lab = FakeEnvironment(small_lab())
    counts = {
        to_json(lever)["kind"]: asyncio.run(lever.noticed(lab))
        for lever, _, _ in CASES
        if isinstance(lever, Counts)
    }
    assert counts == {"api_rule": 3, "reachability": 0}


def test_an_instance_that_ec2_has_forgotten_is_terminated() -> None:
    class Forgetful(FakeEnvironment):
        def _describe_instances(self, **_: Any) -> dict[str, Any]:
            raise CallFailed("ec2 describe_instances", "InvalidInstanceID.NotFound", "none such")

    class Throttled(FakeEnvironment):
        def _describe_instances(self, **_: Any) -> dict[str, Any]:
            raise CallFailed("ec2 describe_instances", "RequestLimitExceeded", "slow down")

    lever = InstanceTermination(region="us-east-1", instance="i-1")
    assert asyncio.run(lever.read(Forgetful(small_lab()))) is True
    with pytest.raises(CallFailed, match="RequestLimitExceeded"):
        asyncio.run(lever.read(Throttled(small_lab())))
