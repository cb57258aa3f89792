"""What is particular to single levers; what all must keep to is in tests/contract."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chaos.errors import CallFailed, JournalFailed, RestoreFailed
from chaos.levers import from_json
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import ApiRule, DnsRule, LinkRule, Reachability
from chaos.testing import FakeEnvironment, small_lab


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
    levers = (ApiRule(id="r"), DnsRule(id="r"), LinkRule(id="r"), Reachability(scope="us-east-1"))
    assert [asyncio.run(lever.noticed(lab)) for lever in levers] == [3, 3, 2, 0]


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
