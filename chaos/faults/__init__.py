"""Faults: recipes that pull levers. One file a fault; its fields are its parameters."""

from __future__ import annotations

from chaos.faults.fault import Fault
from probes.kinds import Kinds

__all__ = ["KINDS", "Fault"]

KINDS: Kinds[Fault] = Kinds(
    {
        "dependency_outage": "chaos.faults.dependency_outage:DependencyOutage",
        "dns_failure": "chaos.faults.dns_failure:DnsFailure",
        "external": "chaos.faults.external:External",
        "fis": "chaos.faults.fis:Fis",
        "instance_termination": "chaos.faults.instance_termination:InstanceTermination",
        "object_loss": "chaos.faults.object_loss:ObjectLoss",
        "region_outage": "chaos.faults.region_outage:RegionOutage",
        "slow_dns": "chaos.faults.slow_dns:SlowDns",
        "zone_outage": "chaos.faults.zone_outage:ZoneOutage",
    }
)
