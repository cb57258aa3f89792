"""A zone goes dark, and nothing else of its region."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chaos.errors import InvalidInput
from chaos.faults.zone_outage import ZoneOutage
from chaos.injection import Looker
from chaos.levers import Lever, Value, to_json
from chaos.testing import FakeEnvironment, small_lab


def pulled(**given: Any) -> list[tuple[dict[str, Any], Value]]:
    """The levers that the fault pulls, as JSON, with their values."""
    seen: list[tuple[dict[str, Any], Value]] = []

    async def pull(lever: Lever, value: Value, /) -> None:
        seen.append((to_json(lever), value))

    fault = ZoneOutage.model_validate({"kind": "zone_outage", "lasts": "60s", **given})
    asyncio.run(fault.inject(Looker(FakeEnvironment(small_lab())), pull))
    return seen


@pytest.mark.parametrize(("mode", "state"), [("hang", "drop"), ("refuse", "refuse")])
def test_one_gate_is_closed_as_the_mode_says(mode: str, state: str) -> None:
    gate = {"kind": "reachability", "scope": "us-east-1a"}
    assert pulled(zone="us-east-1a", mode=mode) == [(gate, state)]


def test_a_region_is_no_zone() -> None:
    with pytest.raises(InvalidInput, match="no zone 'us-east-1' here; there is us-east-1a, "):
        pulled(zone="us-east-1")
