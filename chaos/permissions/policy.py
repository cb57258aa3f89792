"""Policies that allow what is needed and no more, no longer than IAM takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chaos.levers.powers import Grant
from chaos.permissions.arns import placed
from chaos.permissions.needs import PARTS, Needs

Document = dict[str, Any]
Statement = dict[str, Any]

VERSION = "2012-10-17"  # of the language, not of a policy
# Characters of a managed policy, white space aside ("IAM and AWS STS quotas").
LIMIT = 6144


def document(statements: Sequence[Statement]) -> Document:
    """One policy, as IAM takes it."""
    return {"Version": VERSION, "Statement": list(statements)}


def size(policy: Document) -> int:
    """Its length as IAM counts it."""
    return len(json.dumps(policy, separators=(",", ":")))


def statements(
    needed: Needs, parts: Iterable[str] = PARTS, *, partition: str, account: str | None
) -> list[Statement]:
    """What is needed for these parts, each in statements of its own, alike ones in one."""
    return [
        _statement(f"Chaos{part.capitalize()}", number, grant)
        for part in PARTS
        if part in set(parts)
        for number, grant in enumerate(_merged(needed.of(part), partition, account))
    ]


def documents(statements: Sequence[Statement]) -> list[Document]:
    """As few policies as hold them all, none longer than LIMIT."""
    found: list[list[Statement]] = []
    for statement in (part for whole in statements for part in _short(whole)):
        if found and size(document([*found[-1], statement])) <= LIMIT:
            found[-1].append(statement)
        else:
            found.append([statement])
    return [document(each) for each in found]


def _statement(sid: str, number: int, grant: Grant) -> Statement:
    statement: Statement = {
        "Sid": f"{sid}{number + 1 if number else ''}",
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": list(grant.resources),
    }
    if grant.conditions:
        statement["Condition"] = {test: dict(keys) for test, keys in grant.conditions.items()}
    return statement


def _merged(grants: Iterable[Grant], partition: str, account: str | None) -> list[Grant]:
    """The same permissions in fewer grants: first actions of the same resources, then the rest."""
    put = [
        Grant(
            actions=grant.actions,
            resources=tuple(placed(arn, partition, account) for arn in grant.resources),
            conditions=grant.conditions,
        )
        for grant in grants
    ]
    return list(_by_actions(_by_resources(put)))


def _by_resources(grants: Iterable[Grant]) -> Iterator[Grant]:
    groups: dict[tuple[frozenset[str], str], list[Grant]] = {}
    for grant in grants:
        groups.setdefault((frozenset(grant.resources), _key(grant)), []).append(grant)
    for (resources, _), alike in groups.items():
        actions = {action for grant in alike for action in grant.actions}
        yield Grant(
            actions=tuple(sorted(actions)),
            resources=tuple(sorted(resources)),
            conditions=alike[0].conditions,
        )


def _by_actions(grants: Iterable[Grant]) -> Iterator[Grant]:
    groups: dict[tuple[tuple[str, ...], str], list[Grant]] = {}
    for grant in grants:
        groups.setdefault((grant.actions, _key(grant)), []).append(grant)
    for (actions, _), alike in groups.items():
        resources = {arn for grant in alike for arn in grant.resources}
        yield Grant(
            actions=actions, resources=tuple(sorted(resources)), conditions=alike[0].conditions
        )


def _key(grant: Grant) -> str:
    conditions = {test: dict(keys) for test, keys in grant.conditions.items()}
    return json.dumps(conditions, sort_keys=True)


def _short(statement: Statement) -> Iterator[Statement]:
    """The statement, or several that allow the same and fit into a policy."""
    if size(document([statement])) <= LIMIT:
        yield statement
        return
    longer = max(("Action", "Resource"), key=lambda name: len(json.dumps(statement[name])))
    middle = len(statement[longer]) // 2
    for tag, half in (("A", statement[longer][:middle]), ("B", statement[longer][middle:])):
        yield from _short({**statement, "Sid": statement["Sid"] + tag, longer: half})
