"""Standbys that sleep, on the virtual loop: when they are woken, and what keeps them from it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.errors import CallFailed
from chaos.lab.declaration import Lab
from chaos.lab.health_check import HealthCheck
from chaos.lab.pilot_light import PilotLight, asleep
from chaos.loops import run_virtual

EAST, WEST = "us-east-1", "us-west-2"
ZONES = {EAST: ["us-east-1a"], WEST: ["us-west-2a", "us-west-2b"]}


def declared(**own: Any) -> Lab:
    shop = {
        "app": "recommendations",
        "per_zone": 2,
        "auto_scaling": {},
        "balancer": {"path": "/health"},
        "by_region": {WEST: {"wakes": {"after": "10s"}}},
        **own,
    }
    dns = {"zone": "shop.example"}
    return Lab.model_validate(
        {"name": "shop", "regions": ZONES, "services": {"shop": shop}, "dns": dns}
    )


class Aws:
    """What Auto Scaling was asked for, and when; whether the east answers, and its API."""

    def __init__(self, lab: Lab, *, down: tuple[float, float], api_back: float = 0) -> None:
        self.sizes: dict[str, int] = {}
        self.woken_at = 0.0
        self.launched = 0
        self.asked: list[HealthCheck] = []
        self._down, self._api_back = down, api_back
        self.light = PilotLight(
            lab,
            "shop",
            WEST,
            {EAST: ("127.1.0.10", 80), WEST: ("127.2.0.10", 80)},
            call=self.call,
            door=self.door,
            launched=self.count,
            passes=self.passes,
        )

    def count(self) -> None:
        self.launched += 1

    async def passes(self, check: HealthCheck, address: tuple[str, int]) -> bool:
        self.asked.append(check)
        assert address == ("127.1.0.10", 80), "a region that sleeps is no sign of life"
        return not self._down[0] <= asyncio.get_running_loop().time() < self._down[1]

    async def call(
        self, service: str, region: str, operation: str, **params: Any
    ) -> dict[str, Any]:
        assert (service, region, operation) == ("autoscaling", WEST, "set_desired_capacity")
        group, now = params["AutoScalingGroupName"], asyncio.get_running_loop().time()
        self.sizes[group], self.woken_at = params["DesiredCapacity"], now
        return {}

    async def door(self, service: str, region: str, operation: str, **_: Any) -> dict[str, Any]:
        assert (service, region, operation[:8]) == ("autoscaling", EAST, "describe")
        if asyncio.get_running_loop().time() < self._api_back:
            raise CallFailed("autoscaling describe", "NoAnswer", "nobody is there")
        return {}


def played(aws_of: Any, seconds: float = 100) -> Aws:
    async def main() -> Aws:
        aws: Aws = aws_of()
        aws.light.start()
        await asyncio.sleep(seconds)
        await aws.light.stop()
        return aws

    return run_virtual(main())


def test_it_is_woken_when_the_others_have_failed_for_long_enough() -> None:
    aws = played(lambda: Aws(declared(), down=(20, 1000)))
    assert aws.sizes == {"shop-us-west-2a": 2, "shop-us-west-2b": 2}
    assert aws.woken_at == pytest.approx(29, abs=1)
    assert aws.launched == 1  # and no more
    assert {check.path for check in aws.asked} == {"/health"}


def test_a_short_failure_wakes_nobody() -> None:
    assert played(lambda: Aws(declared(), down=(20, 28))).sizes == {}


def test_what_it_must_ask_first_keeps_it_asleep(capsys: pytest.CaptureFixture[str]) -> None:
    lab = declared(
        by_region={WEST: {"zones": ["us-west-2b"], "wakes": {"after": "5s", "asks": EAST}}}
    )
    aws = played(lambda: Aws(lab, down=(20, 1000), api_back=60))
    assert aws.sizes == {"shop-us-west-2b": 2}
    assert aws.woken_at == pytest.approx(60, abs=1)
    assert "shop cannot be woken in us-west-2: autoscaling describe" in capsys.readouterr().err


def test_a_service_that_sleeps_has_nothing_there_at_the_start() -> None:
    lab = declared()
    shop = lab.services["shop"]
    assert asleep(lab) == [("shop", WEST)]
    assert [shop.wanted(r, z) for r, zones in ZONES.items() for z in zones] == [2, 0, 0]
    assert [shop.most(r, z) for r, zones in ZONES.items() for z in zones] == [2, 2, 2]


def test_a_region_may_have_zones_and_numbers_of_its_own() -> None:
    shop = declared(by_region={WEST: {"zones": ["us-west-2b"], "per_zone": 5}}).services["shop"]
    assert [shop.wanted(WEST, zone) for zone in ZONES[WEST]] == [0, 5]
    assert shop.wanted(EAST, "us-east-1a") == 2


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"by_region": {"eu-west-1": {}}}, "no region 'eu-west-1' in this lab"),
        ({"by_region": {WEST: {"zones": ["us-west-2c"]}}}, "no zone 'us-west-2c' in this lab"),
        ({"auto_scaling": None}, "needs auto_scaling, which launches it, and a balancer"),
        ({"balancer": None}, "needs auto_scaling, which launches it, and a balancer"),
        (
            {"by_region": {r: {"wakes": {"after": "1s"}} for r in ZONES}},
            "leaves no region that is awake, and could fail",
        ),
        (
            {"by_region": {WEST: {"wakes": {"after": "1s", "asks": "eu-west-1"}}}},
            "no region 'eu-west-1' in this lab",
        ),
    ],
)
def test_what_does_not_fit_is_told(own: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        declared(**own)
