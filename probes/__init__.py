"""Probes: the instruments. One file a kind; its fields are its parameters, its verb is `check`."""

from __future__ import annotations

from probes.dns import Dns
from probes.dynamodb_ledger import DynamodbLedger
from probes.http import Http
from probes.probe import Probe

__all__ = ["KINDS", "Probe"]

KINDS: dict[str, type[Probe]] = {
    "dns": Dns,
    "dynamodb_ledger": DynamodbLedger,
    "http": Http,
}
