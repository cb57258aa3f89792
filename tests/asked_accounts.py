"""An account that answers what a plan asks: who we are, what is simulated, what a dry run says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from chaos.errors import CallFailed, Unsupported
from chaos.testing import FakeEnvironment

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/chaos"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/chaos/anna"


class AskedAccount(FakeEnvironment):
    """It answers as AWS does, by botocore's models; `denied` are pairs of action and resource."""

    kind = "aws"

    def __init__(
        self,
        *,
        identity: str = SESSION,
        endpoint: str | None = None,
        denied: Collection[str] = (),
        missing: dict[str, list[str]] | None = None,
        refuses: dict[str, str] | None = None,
        page: int = 3,
    ) -> None:
        super().__init__({})
        self.identity = identity
        self.endpoint = endpoint
        self.denied = denied
        self.missing = missing or {}
        self.refuses = refuses or {}
        self.page = page

    @property
    def stale_s(self) -> float:
        """As long as EC2's may be."""
        return 10.0

    def describe(self) -> dict[str, Any]:
        return {"kind": self.kind, "endpoint": self.endpoint}

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        self.calls.append((operation, params))
        if operation in self.refuses:
            code = self.refuses[operation]
            error = Unsupported if code == "InternalFailure" else CallFailed
            raise error(f"{service} {operation} in {region}", code, "refused by a test")
        answer: dict[str, Any] = getattr(self, f"_{operation}")(**params)
        return answer

    def _get_caller_identity(self) -> dict[str, Any]:
        return {"Account": ACCOUNT, "Arn": self.identity, "UserId": "AROA:anna"}

    def _get_role(self, *, RoleName: str) -> dict[str, Any]:  # noqa: N803  # boto3's
        return {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/found/{RoleName}"}}

    def _simulate_principal_policy(self, **params: Any) -> dict[str, Any]:
        results = [
            self._result(action, resource)
            for action in params["ActionNames"]
            for resource in params["ResourceArns"]
        ]
        first = int(params.get("Marker", 0))
        last = first + self.page
        more = {"IsTruncated": True, "Marker": str(last)} if last < len(results) else {}
        return {"EvaluationResults": results[first:last], "IsTruncated": False, **more}

    def _result(self, action: str, resource: str) -> dict[str, Any]:
        decision = "implicitDeny" if {action, resource} & {*self.denied, *self.missing} else ""
        return {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": decision or "allowed",
            "MissingContextValues": self.missing.get(action, []),
        }
