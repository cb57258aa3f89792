"""Whether what a run needs is allowed: IAM's own simulation of the policies that count.

It knows identity policies, permission boundaries and those of the organisation. Policies of
resources and of sessions it does not know unless they are given, and they are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chaos.environments.environment import Environment
from chaos.levers.powers import Grant
from chaos.permissions.arns import fits, placed
from chaos.permissions.needs import Needs

Answer = Literal["allowed", "missing", "unknown"]

PARTS = ("look", "inject", "rollback", "probe")
# What one request may hold is not documented; these are small enough to be answered in seconds.
ACTIONS, RESOURCES = 25, 20
MAX_PAGES = 100
# The types of context keys, by what the tests on them begin with; else they are strings.
KINDS = {
    "Bool": "boolean",
    "Date": "date",
    "ForA": "stringList",
    "IpAddress": "ip",
    "Numeric": "numeric",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One action on one resource, and whether it is allowed; `said` is who says so and how."""

    part: str
    action: str
    resource: str
    answer: Answer
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Actions that are asked about together."""

    part: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: tuple[dict[str, Any], ...]


def requests(
    needed: Needs, targets: Sequence[str], *, partition: str, account: str
) -> Iterator[Request]:
    """What is to be asked; `targets` are the ARNs of what is touched, as far as they are known."""
    for part in PARTS:
        for grant in needed.of(part):
            found = _resources(grant, targets, partition, account)
            for actions in _few(grant.actions, ACTIONS):
                for resources in _few(found, RESOURCES):
                    context = tuple(_context(grant))
                    yield Request(part=part, actions=actions, resources=resources, context=context)


async def simulated(
    environment: Environment, region: str, principal: str, asked: Iterable[Request]
) -> list[Permission]:
    """IAM's answers, page by page; raises CallFailed when it gives none."""
    return [
        permission
        for request in asked
        async for page in _pages(environment, region, principal, request)
        for result in page["EvaluationResults"]
        for permission in _permissions(request.part, result)
    ]


async def _pages(environment: Environment, region: str, principal: str, request: Request) -> Any:
    more: dict[str, str] = {}
    for _ in range(MAX_PAGES):
        page = await environment.call(
            "iam",
            region,
            "simulate_principal_policy",
            PolicySourceArn=principal,
            ActionNames=list(request.actions),
            ResourceArns=list(request.resources),
            ContextEntries=list(request.context),
            **more,
        )
        yield page
        if not page.get("IsTruncated"):
            return
        more = {"Marker": page["Marker"]}


def _permissions(part: str, result: dict[str, Any]) -> Iterator[Permission]:
    """One for each resource that IAM tells apart."""
    action = result["EvalActionName"]
    for each in result.get("ResourceSpecificResults") or [result]:
        resource = each.get("EvalResourceName") or "*"
        decision = each.get("EvalResourceDecision") or each["EvalDecision"]
        missing = each.get("MissingContextValues") or result.get("MissingContextValues") or []
        answer, said = _answer(decision, missing)
        yield Permission(part=part, action=action, resource=resource, answer=answer, said=said)


def _answer(decision: str, missing: Sequence[str]) -> tuple[Answer, str]:
    if decision == "allowed":
        return "allowed", "simulated"
    if decision == "implicitDeny" and missing:
        return "unknown", f"the policies ask for {', '.join(missing)}, which only a real call has"
    return "missing", "denied by a policy" if decision == "explicitDeny" else "allowed by no policy"


def _resources(
    grant: Grant, targets: Sequence[str], partition: str, account: str
) -> tuple[str, ...]:
    """What is really touched, or the pattern itself where that comes to be only then."""
    found: list[str] = []
    for arn in grant.resources:
        pattern = placed(arn, partition, account)
        there = [target for target in targets if pattern != "*" and fits(pattern, target)]
        found += there or [pattern]
    return tuple(dict.fromkeys(found))


def _context(grant: Grant) -> Iterator[dict[str, Any]]:
    """What calls are going to have that the conditions of the grant ask for."""
    for test, keys in grant.conditions.items():
        for key, value in keys.items():
            given = "not-" * ("Not" in test) + value.replace("*", "x")
            kind = next((k for begins, k in KINDS.items() if test.startswith(begins)), "string")
            yield {
                "ContextKeyName": key,
                "ContextKeyValues": ["given" if test == "Null" else given],
                "ContextKeyType": kind,
            }


def _few(items: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(items), most):
        yield tuple(items[start : start + most])
