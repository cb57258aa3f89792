"""Levers: pieces of an environment's state that can be read and set. One file a family."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chaos import extensions
from chaos.errors import InvalidInput, JournalFailed
from chaos.levers.lever import Counts, Lever, Patient, Value
from probes.kinds import Kinds

__all__ = ["KINDS", "Counts", "Lever", "Patient", "Value", "from_json", "to_json"]

KINDS: Kinds[Any] = Kinds(
    {
        "api_rule": "chaos.levers.lab:ApiRule",
        "autoscaling_process": "chaos.levers.autoscaling:AutoscalingProcess",
        "bucket_replication": "chaos.levers.replication_deny:BucketReplication",
        "by_hand": "chaos.levers.by_hand:ByHand",
        "cache_failover": "chaos.levers.failover:CacheFailover",
        "database_failover": "chaos.levers.failover:DatabaseFailover",
        "dns_firewall": "chaos.levers.dns_firewall:DnsFirewall",
        "dns_rule": "chaos.levers.lab:DnsRule",
        "endpoint_access": "chaos.levers.endpoint_access:EndpointAccess",
        "endpoint_policy": "chaos.levers.endpoint_access:EndpointPolicy",
        "fis_experiment": "chaos.levers.fis:FisExperiment",
        "instance_dns": "chaos.levers.instance_dns:InstanceDns",
        "instance_termination": "chaos.levers.ec2:InstanceTermination",
        "link_rule": "chaos.levers.lab:LinkRule",
        "object_deletion": "chaos.levers.s3:ObjectDeletion",
        "reachability": "chaos.levers.lab:Reachability",
        "replication": "chaos.levers.lab:Replication",
        "subnet_acl": "chaos.levers.subnet_acl:SubnetAcl",
        "table_replication": "chaos.levers.replication_deny:TableReplication",
    }
)


def to_json(lever: Lever) -> dict[str, Any]:
    """The lever as a journal holds it."""
    return {"kind": lever.kind, **asdict(lever)}  # type: ignore[call-overload]  # a dataclass


def from_json(data: dict[str, Any]) -> Lever:
    """The lever that a journal names, ours or that of an installed package.

    Raises JournalFailed when it is not known here, or its package cannot be loaded.
    """
    fields = {name: value for name, value in data.items() if name != "kind"}
    unknown = f"the journal names a lever that is not known here: {data}"
    try:
        found = _found(data.get("kind", ""))
        if found is None:
            raise JournalFailed(f"{unknown}; install the package that it is from")
        lever: Lever = found(**fields)
    except InvalidInput as error:
        raise JournalFailed(str(error)) from error
    except TypeError as error:
        raise JournalFailed(unknown) from error
    return lever


def _found(kind: str) -> type[Any] | None:
    return KINDS.get(kind) or extensions.find("chaos.levers", kind)
