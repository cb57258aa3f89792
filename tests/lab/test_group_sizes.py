"""The sizes that Auto Scaling groups are made with, where a region differs or sleeps."""

from __future__ import annotations

import asyncio
from typing import Any

from chaos.lab.declaration import Lab
from chaos.lab.made import Made
from chaos.lab.seed import Site, seed

EAST, WEST = "us-east-1", "us-west-2"
# What the calls answer, as far as it is looked at.
ANSWERS: dict[str, dict[str, Any]] = {
    "create_vpc": {"Vpc": {"VpcId": "vpc-1"}},
    "create_subnet": {"Subnet": {"SubnetId": "subnet-1"}},
    "create_launch_template": {"LaunchTemplate": {"LaunchTemplateId": "lt-1"}},
    "create_hosted_zone": {"HostedZone": {"Id": "/hostedzone/Z1"}},
}


def sizes(**by_region: Any) -> dict[str, tuple[int, int, int]]:
    """Least, wanted and most instances of each group that is made."""
    shop = {"app": "recommendations", "per_zone": 2, "auto_scaling": {}, "balancer": {}}
    lab = Lab.model_validate(
        {
            "name": "shop",
            "regions": {EAST: ["us-east-1a", "us-east-1b"], WEST: ["us-west-2a"]},
            "services": {"shop": {**shop, "by_region": by_region}},
            "dns": {"zone": "shop.example"},
        }
    )
    made: dict[str, tuple[int, int, int]] = {}

    async def call(_: str, __: str, operation: str, **params: Any) -> dict[str, Any]:
        if operation == "create_auto_scaling_group":
            three = (params[key] for key in ("MinSize", "DesiredCapacity", "MaxSize"))
            made[params["AutoScalingGroupName"]] = tuple(three)
        assert operation != "run_instances"
        return ANSWERS.get(operation, {})

    asyncio.run(seed(Site(lab=lab, call=call, made=Made(call)), {}))
    return made


def test_they_are_the_same_everywhere_where_nothing_else_is_said() -> None:
    everywhere = ("shop-us-east-1a", "shop-us-east-1b", "shop-us-west-2a")
    assert sizes() == dict.fromkeys(everywhere, (2, 2, 2))


def test_a_zone_that_is_left_out_has_no_group_and_a_region_its_own_number() -> None:
    own = {EAST: {"zones": ["us-east-1b"]}, WEST: {"per_zone": 5}}
    assert sizes(**own) == {"shop-us-east-1b": (2, 2, 2), "shop-us-west-2a": (5, 5, 5)}


def test_what_sleeps_is_scaled_to_zero_and_may_grow() -> None:
    made = sizes(**{WEST: {"wakes": {"after": "5s"}}})
    assert (made["shop-us-west-2a"], made["shop-us-east-1a"]) == ((0, 0, 2), (2, 2, 2))
