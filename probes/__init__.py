"""Probes: the instruments. One file a kind; its fields are its parameters, its verb is `check`."""

from __future__ import annotations

from probes.kinds import Kinds
from probes.probe import Probe

__all__ = ["KINDS", "Probe"]

KINDS: Kinds[Probe] = Kinds(
    {
        "aws": "probes.aws:Aws",
        "command": "probes.command:Command",
        "dns": "probes.dns:Dns",
        "dynamodb_ledger": "probes.dynamodb_ledger:DynamodbLedger",
        "grpc_health": "probes.grpc_health:GrpcHealth",
        "http": "probes.http:Http",
        "tcp": "probes.tcp:Tcp",
        "tls": "probes.tls:TlsProbe",
    }
)
