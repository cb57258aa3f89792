"""What helps to test faults, levers and whole runs without a cloud: a fake environment.

`FakeEnvironment` holds the state of a small lab in memory, answers the operations that the
levers use, and can be told to fail. Its state outlives it, as a real account outlives a run.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any, Self

from chaos.errors import CallFailed, Unsupported
from probes.net import Net
from probes.probe import Probe

REGIONS = ["us-east-1", "us-west-2"]
ZONES = {region: [f"{region}a", f"{region}b"] for region in REGIONS}
NAMES = ["stream.example", "api.stream.example"]
SERVICES = {
    "home": {"depends_on": ["recommendations", "stepfunctions"], "caller": "lab-home"},
    "recommendations": {"depends_on": [], "caller": "lab-recommendations"},
}


def small_lab() -> dict[str, Any]:
    """The state of a lab with two regions and two instances, nothing of it broken."""
    return {
        "api_rules": {},
        "dns_rules": {},
        "link_rules": {},
        "reachability": {},
        "replication": dict.fromkeys(REGIONS, "on"),
        "instances": {"i-1": "running", "i-2": "running"},
        # Of the one bucket there is: for each key the ids of its versions and of its delete
        # markers, the newest first.
        "objects": {"history/kim.json": {"versions": ["v1"], "markers": []}},
    }


class FakeEnvironment:
    """An environment in memory. `before` and `after` are told of each call that changes state."""

    kind = "embedded"

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation; raises Unsupported for those that the fake does not know."""
        method = getattr(self, f"_{operation}", None)
        if method is None:
            raise Unsupported(f"{service} {operation} in {region}", "NoSuchOperation", "a fake")
        self.calls.append((operation, params))
        if operation.startswith(("describe_", "list_", "get_")):
            return copy.deepcopy(dict(method(**params)))
        self.before()
        method(**params)
        self.after()
        return {}

    def net(self, _probe: Probe) -> Net:
        """A network without any names: probes of a fake look at its state instead."""
        raise CallFailed("net", "NoNetwork", "a fake environment has no network")

    async def pulse(self) -> None:
        """It answers at once."""

    async def ended(self) -> str:
        """It does not."""
        return await asyncio.Future()

    def at(self, _account: str | None) -> Self:
        """A fake is one account, whatever it is called."""
        return self

    @property
    def stale_s(self) -> float:
        """What it tells is so."""
        return 0.0

    def describe(self) -> dict[str, Any]:
        """Nothing by which another process could find it."""
        return {"kind": self.kind}

    def close(self) -> None:
        """Holds nothing."""

    # --- the operations that the levers use ------------------------------------------------

    def _describe_lab(self) -> dict[str, Any]:
        return {"regions": REGIONS, "zones": ZONES, "services": SERVICES, "names": NAMES}

    def _describe_api_rule(self, *, id: str) -> dict[str, Any]:  # noqa: A002  # the wire's name
        return {"rule": self.state["api_rules"].get(id), "hits": 3}

    def _put_api_rule(self, *, id: str, rule: Any) -> None:  # noqa: A002  # the wire's name
        if rule is None:
            self.state["api_rules"].pop(id, None)
        else:
            self.state["api_rules"][id] = rule

    def _describe_link_rule(self, *, id: str) -> dict[str, Any]:  # noqa: A002  # the wire's name
        return {"rule": self.state["link_rules"].get(id), "hits": 2}

    def _put_link_rule(self, *, id: str, rule: Any) -> None:  # noqa: A002  # the wire's name
        if rule is None:
            self.state["link_rules"].pop(id, None)
        else:
            self.state["link_rules"][id] = rule

    def _describe_dns_rule(self, *, id: str) -> dict[str, Any]:  # noqa: A002  # the wire's name
        return {"rule": self.state["dns_rules"].get(id), "hits": 3}

    def _put_dns_rule(self, *, id: str, rule: Any) -> None:  # noqa: A002  # the wire's name
        if rule is None:
            self.state["dns_rules"].pop(id, None)
        else:
            self.state["dns_rules"][id] = rule

    def _describe_reachability(self, *, scope: str) -> dict[str, Any]:
        return {"state": self.state["reachability"].get(scope, "open"), "hits": 0}

    def _put_reachability(self, *, scope: str, state: str) -> None:
        self.state["reachability"][scope] = state

    def _describe_replication(self, *, region: str) -> dict[str, Any]:
        return {"state": self.state["replication"][region], "pending": 0}

    def _put_replication(self, *, region: str, state: str) -> None:
        self.state["replication"][region] = state

    def _get_bucket_versioning(self, *, Bucket: str) -> dict[str, Any]:  # noqa: ARG002, N803  # boto3's
        return {"Status": "Enabled"}

    def _list_object_versions(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:  # noqa: ARG002, N803  # boto3's
        found: dict[str, Any] = {"Versions": [], "DeleteMarkers": []}
        for key, there in self.state["objects"].items():
            if not key.startswith(Prefix):
                continue
            for n, version in enumerate(there["versions"]):
                latest = n == 0 and not there["markers"]
                found["Versions"].append({"Key": key, "VersionId": version, "IsLatest": latest})
            found["DeleteMarkers"] += [{"Key": key, "VersionId": m} for m in there["markers"]]
        return found

    def _delete_object(self, *, Bucket: str, Key: str, VersionId: str = "") -> None:  # noqa: ARG002, N803  # boto3's
        markers = self.state["objects"][Key]["markers"]
        if VersionId:
            markers.remove(VersionId)
        else:
            markers.insert(0, f"m{len(markers) + 1}")

    def _describe_instances(self, **params: Any) -> dict[str, Any]:
        wanted = params.get("InstanceIds") or [
            i for i, state in self.state["instances"].items() if state == "running"
        ]
        found = [
            {
                "InstanceId": i,
                "State": {"Name": self.state["instances"][i]},
                "Placement": {"AvailabilityZone": ZONES["us-east-1"][0]},
                "Tags": [{"Key": "service", "Value": "playback"}],
            }
            for i in wanted
        ]
        return {"Reservations": [{"Instances": found}]}

    def _terminate_instances(self, *, InstanceIds: list[str]) -> None:  # noqa: N803  # boto3's
        for instance in InstanceIds:
            self.state["instances"][instance] = "terminated"
