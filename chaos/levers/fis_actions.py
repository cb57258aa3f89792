"""The actions of AWS FIS: what each is done to, how long it lasts, and what nothing brings back.

Source: FIS actions reference (docs.aws.amazon.com/fis, fis-actions-reference), of 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Ids that are still in public templates, and what they are called now.
ALIASES = {
    "aws:elasticache:interrupt-cluster-az-power": (
        "aws:elasticache:replicationgroup-interrupt-az-power"
    ),
}
AUTOMATION = "aws:ssm:start-automation-execution"
PERIOD = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One kind of action.

    `target` is the key under which it names its target, and `type` the type of resource that this
    must be. `lasts` is the parameter that says how long; None: it is done at once.
    """

    target: str | None = None
    type: str | None = None
    lasts: str | None = "duration"
    needs: tuple[str, ...] = ()
    one_way: bool = False


def _on(
    target: str,
    kind: str,
    *needs: str,
    lasts: str | None = "duration",
    one_way: bool = False,
    optional: bool = False,
) -> Action:
    needed = (*needs, *([lasts] if lasts and not optional else []))
    return Action(target=target, type=f"aws:{kind}", lasts=lasts, needs=needed, one_way=one_way)


def _pod(*needs: str, lasts: str | None = "duration", one_way: bool = False) -> Action:
    account = "kubernetesServiceAccount"
    return _on("Pods", "eks:pod", account, *needs, lasts=lasts, one_way=one_way)


def _task(*needs: str) -> Action:
    return _on("Tasks", "ecs:task", *needs)


def _api_error() -> Action:
    return _on("Roles", "iam:role", "service", "percentage", "operations")


def _stream() -> Action:
    return _on("KinesisStreams", "kinesis:stream", "percentage")


ACTIONS: dict[str, Action] = {
    "aws:arc:start-zonal-autoshift": _on(
        "ManagedResources", "arc:zonal-shift-managed-resource", "availabilityZoneIdentifier"
    ),
    "aws:cloudwatch:assert-alarm-state": Action(lasts=None, needs=("alarmArns", "alarmStates")),
    "aws:directconnect:virtual-interface-disconnect": _on(
        "VirtualInterfaces", "directconnect:virtual-interface"
    ),
    "aws:dsql:cluster-connection-failure": _on("Clusters", "dsql:cluster", "percentage"),
    "aws:dynamodb:global-table-pause-replication": _on("Tables", "dynamodb:global-table"),
    "aws:ebs:pause-volume-io": _on("Volumes", "ec2:ebs-volume"),
    "aws:ebs:volume-io-latency": _on("Volumes", "ec2:ebs-volume"),
    "aws:ec2:api-insufficient-instance-capacity-error": _on(
        "Roles", "iam:role", "availabilityZoneIdentifiers", "percentage"
    ),
    "aws:ec2:asg-insufficient-instance-capacity-error": _on(
        "AutoScalingGroups", "ec2:autoscaling-group", "availabilityZoneIdentifiers"
    ),
    "aws:ec2:reboot-instances": _on("Instances", "ec2:instance", lasts=None, one_way=True),
    "aws:ec2:send-spot-instance-interruptions": _on(
        "SpotInstances", "ec2:spot-instance", lasts="durationBeforeInterruption", one_way=True
    ),
    # Without the duration the instances are left stopped: `one_way_actions` tells the two apart.
    "aws:ec2:stop-instances": _on(
        "Instances", "ec2:instance", lasts="startInstancesAfterDuration", optional=True
    ),
    "aws:ec2:terminate-instances": _on("Instances", "ec2:instance", lasts=None, one_way=True),
    "aws:ecs:drain-container-instances": _on("Clusters", "ecs:cluster", "drainagePercentage"),
    "aws:ecs:stop-task": _on("Tasks", "ecs:task", lasts=None, one_way=True),
    "aws:ecs:task-cpu-stress": _task(),
    "aws:ecs:task-io-stress": _task(),
    "aws:ecs:task-kill-process": _on("Tasks", "ecs:task", "processName", lasts=None, one_way=True),
    "aws:ecs:task-network-blackhole-port": _task("port", "trafficType"),
    "aws:ecs:task-network-latency": _task(),
    "aws:ecs:task-network-packet-loss": _task(),
    "aws:eks:inject-kubernetes-custom-resource": _on(
        "Cluster",
        "eks:cluster",
        "kubernetesApiVersion",
        "kubernetesKind",
        "kubernetesNamespace",
        "kubernetesSpec",
        lasts="maxDuration",
    ),
    "aws:eks:pod-cpu-stress": _pod(),
    "aws:eks:pod-delete": _pod(lasts=None, one_way=True),
    "aws:eks:pod-io-stress": _pod(),
    "aws:eks:pod-memory-stress": _pod(),
    "aws:eks:pod-network-blackhole-port": _pod("port", "protocol", "trafficType"),
    "aws:eks:pod-network-latency": _pod(),
    "aws:eks:pod-network-packet-loss": _pod(),
    "aws:eks:terminate-nodegroup-instances": _on(
        "Nodegroups",
        "eks:nodegroup",
        "instanceTerminationPercentage",
        lasts=None,
        one_way=True,
    ),
    "aws:elasticache:replicationgroup-interrupt-az-power": _on(
        "ReplicationGroups", "elasticache:replicationgroup"
    ),
    "aws:fis:inject-api-internal-error": _api_error(),
    "aws:fis:inject-api-throttle-error": _api_error(),
    "aws:fis:inject-api-unavailable-error": _api_error(),
    "aws:fis:wait": Action(needs=("duration",)),
    "aws:kinesis:stream-expired-iterator-exception": _stream(),
    "aws:kinesis:stream-provisioned-throughput-exception": _stream(),
    "aws:lambda:invocation-add-delay": _on("Functions", "lambda:function"),
    "aws:lambda:invocation-error": _on("Functions", "lambda:function", "preventExecution"),
    "aws:lambda:invocation-http-integration-response": _on(
        "Functions", "lambda:function", "contentTypeHeader", "statusCode", "preventExecution"
    ),
    "aws:memorydb:multi-region-cluster-pause-replication": _on(
        "MultiRegionClusters", "memorydb:multi-region-cluster"
    ),
    "aws:network:disrupt-connectivity": _on("Subnets", "ec2:subnet", "scope"),
    "aws:network:disrupt-vpc-endpoint": _on("VPCEndpoints", "ec2:vpc-endpoint"),
    "aws:network:route-table-disrupt-cross-region-connectivity": _on(
        "Subnets", "ec2:subnet", "region"
    ),
    "aws:network:transit-gateway-disrupt-cross-region-connectivity": _on(
        "TransitGateways", "ec2:transit-gateway", "region"
    ),
    "aws:rds:failover-db-cluster": _on("Clusters", "rds:cluster", lasts=None, one_way=True),
    "aws:rds:reboot-db-instances": _on("DBInstances", "rds:db", lasts=None, one_way=True),
    "aws:s3:bucket-pause-replication": _on("Buckets", "s3:bucket", "region"),
    "aws:ssm:send-command": _on("Instances", "ec2:instance", "documentArn"),
    AUTOMATION: Action(lasts="maxDuration", needs=("documentArn", "maxDuration")),
}
TYPES = frozenset(action.type for action in ACTIONS.values() if action.type)
TYPE_ALIASES = {"aws:elasticache:redis-replicationgroup": "aws:elasticache:replicationgroup"}


def seconds(period: str) -> float:
    """Of a duration as FIS writes them, such as PT5M or P1DT2H; raises ValueError."""
    match = PERIOD.fullmatch(period)
    if match is None or not any(match.groups()):
        raise ValueError(f"{period!r} is no duration of FIS; write PT90S, PT5M or PT2H")
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return days * 86400.0 + hours * 3600.0 + minutes * 60.0 + rest


def lasts(action: Mapping[str, Any]) -> float:
    """Seconds that an action of a template takes by what it says; 0 when it is done at once."""
    kind = ACTIONS[action["actionId"]]
    said = action.get("parameters", {}).get(kind.lasts or "")
    return seconds(said) if said else 0.0


def ends_after(actions: Mapping[str, Mapping[str, Any]]) -> float:
    """Seconds from the start of a template to the end of its last action."""
    return max((_end(name, actions) for name in actions), default=0.0)


def _end(name: str, actions: Mapping[str, Mapping[str, Any]]) -> float:
    after = actions[name].get("startAfter", ())
    return max((_end(other, actions) for other in after), default=0.0) + lasts(actions[name])


def tells_whom(actions: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all that the actions touch is in their targets: an automation does anything."""
    return all(action["actionId"] != AUTOMATION for action in actions.values())


def one_way_actions(actions: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The ids of those that FIS does not put back at the end."""
    found = {a["actionId"] for a in actions.values() if ACTIONS[a["actionId"]].one_way}
    stops = [a for a in actions.values() if a["actionId"] == "aws:ec2:stop-instances"]
    found |= {a["actionId"] for a in stops if not lasts(a)}
    return sorted(found)
