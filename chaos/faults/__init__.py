"""Faults: recipes that pull levers. One file a fault; its fields are its parameters."""

from __future__ import annotations

from chaos.faults.external import External
from chaos.faults.fault import Fault
from chaos.faults.instance_termination import InstanceTermination
from chaos.faults.region_outage import RegionOutage

__all__ = ["KINDS", "Fault"]

KINDS: dict[str, type[Fault]] = {
    "external": External,
    "instance_termination": InstanceTermination,
    "region_outage": RegionOutage,
}
