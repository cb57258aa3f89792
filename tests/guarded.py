"""Facts for guards, made by hand: a plan of a few instances, and whatever a test changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.experiment.safety import PolicyRules, Rules
from chaos.levers.powers import Target
from chaos.safety.facts import Facts, Group, Source
from chaos.safety.guards import judged
from chaos.safety.planning import Planned

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday


def subnet(name: str = "subnet-1", **changes: Any) -> Target:
    return Target(
        **{"type": "ec2:subnet", "id": name, "region": "us-east-1", "among": 100, **changes}
    )


def instance(name: str = "i-1", **changes: Any) -> Target:
    whole = {"type": "ec2:instance", "id": name, "region": "us-east-1", "among": 100, **changes}
    return Target(**whole)


def pull(*targets: Target, fault: int = 0, **changes: Any) -> Planned:
    whole: dict[str, Any] = {
        "fault": fault,
        "lever": {"kind": "subnet_acl"},
        "account": "main",
        "prior": "open",
        "value": "closed",
        "irreversible": False,
        "targets": targets,
    }
    return Planned(**{**whole, **changes})


def kill(*targets: Target, fault: int = 0) -> Planned:
    return pull(*targets, fault=fault, lever={"kind": "instance_termination"}, irreversible=True)


def facts(*planned: Planned, **changes: Any) -> Facts:
    whole: dict[str, Any] = {
        "accounts": {"main": "123456789012"},
        "regions": frozenset({"us-east-1"}),
        "allowed": frozenset({"instance_termination"}),
        "now": NOW,
        "ends": NOW + timedelta(minutes=10),
        "duration_s": 600.0,
        "planned": planned,
        **changes,
    }
    return Facts(**whole)


def group(*in_service: str, members: tuple[str, ...] = (), launches: bool = True) -> Group:
    every = frozenset((*in_service, *members))
    return Group(members=every, in_service=frozenset(in_service), launches=launches)


def own(**rules: Any) -> Source:
    return Source("the experiment's safety", Rules(**rules), own=True)


def policy(name: str = "chaos.toml", **rules: Any) -> Source:
    return Source(name, PolicyRules(**rules))


def refused(about: Facts, *sources: Source) -> dict[str, tuple[str, ...]]:
    """What each guard that refuses says, by its name; the experiment's rules are those given."""
    every = sources if any(source.own for source in sources) else (own(), *sources)
    return {result.name: result.refusals for result in judged(about, every) if not result.ok}
