"""An availability zone goes dark."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from chaos.errors import InvalidInput
from chaos.faults.fault import Fault, Fidelity, Look, Pull
from chaos.levers.lab import CLOSED, Reachability


class ZoneOutage(Fault):
    """Nothing in the availability zone is reached, from outside or by its region's balancers.

    The region goes on: its AWS API answers, its balancers send what comes to the other zones once
    their health checks have noticed. Instances of the zone run on, and are there again when it is
    lifted.
    """

    summary: ClassVar[str] = "an availability zone goes dark; its region goes on"
    example: ClassVar[str] = """\
- kind: zone_outage
  zone: us-east-1a
  lasts: 60s
"""
    fidelity: ClassVar[dict[str, Fidelity]] = {"embedded": "lab", "localstack": "lab"}

    kind: Literal["zone_outage"]
    zone: str = Field(description="the zone that fails, such as us-east-1a")
    mode: Literal["hang", "refuse"] = Field(
        default="hang", description="whether connections hang or are refused"
    )

    async def inject(self, look: Look, pull: Pull) -> None:
        lab = await look("lab", "", "describe_lab")
        zones = [zone for of_region in lab["zones"].values() for zone in of_region]
        if self.zone not in zones:
            known = ", ".join(zones)
            raise InvalidInput(f"zone_outage: no zone {self.zone!r} here; there is {known}")
        await pull(Reachability(scope=self.zone), CLOSED[self.mode])
