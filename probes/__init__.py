"""Probes: the instruments. One file a kind; its fields are its parameters, its verb is `check`."""

from __future__ import annotations

from probes.kinds import Kinds
from probes.probe import Probe

__all__ = ["KINDS", "Probe"]

KINDS: Kinds[Probe] = Kinds(
    {
        "aws": "probes.aws:Aws",
        "cloudwatch": "probes.cloudwatch:Cloudwatch",
        "cloudwatch_alarm": "probes.cloudwatch_alarm:CloudwatchAlarm",
        "command": "probes.command:Command",
        "dns": "probes.dns:Dns",
        "dynamodb_ledger": "probes.dynamodb_ledger:DynamodbLedger",
        "grpc_health": "probes.grpc_health:GrpcHealth",
        "http": "probes.http:Http",
        "http_ledger": "probes.http_ledger:HttpLedger",
        "kinesis_ledger": "probes.kinesis_ledger:KinesisLedger",
        "prometheus": "probes.prometheus:Prometheus",
        "s3_ledger": "probes.s3_ledger:S3Ledger",
        "sql_ledger": "probes.sql_ledger:SqlLedger",
        "sqs_ledger": "probes.sqs_ledger:SqsLedger",
        "step_functions": "probes.step_functions:StepFunctions",
        "tcp": "probes.tcp:Tcp",
        "tls": "probes.tls:TlsProbe",
    }
)
