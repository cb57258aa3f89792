"""What every lever of a real account must keep to, beside what every lever must.

It is moved to a value and back in an account that may be harmed, such as one that moto stands in
for, and cut off at each of its calls, as a process is that dies or an answer that is lost.
"""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, ChaosError
from chaos.levers import Lever, Value, from_json, to_json
from chaos.levers.marked import Creates
from chaos.levers.powers import (
    Call,
    Expiring,
    Grant,
    Granted,
    Grants,
    Halfway,
    Rehearsing,
    Targeting,
)
from chaos.permissions.actions import actions
from chaos.testing.levers import check_record
from chaos.testing.promise import must
from probes.aws_api import reads

Snapshot = Callable[[], Awaitable[str]]

# What tagging takes at the creation of something, by how the tags are given.
TAGGING = {"TagSpecifications": "CreateTags", "Tags": "TagResource", "tags": "TagResource"}


@dataclass
class Recording:
    """An environment that keeps in mind what it was called for, and can be cut off at a change."""

    inner: Environment
    used: set[str] = field(default_factory=set)  # actions of IAM, in small letters
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    cut_at: int | None = None  # the number of the change that fails, counted from 0
    lost: bool = False  # whether that one is carried out all the same, and its answer lost

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        self.used |= _taken(service, operation, params)
        if reads(operation):
            return await self.inner.call(service, region, operation, **params)
        self.changes.append((service, region, operation))
        if self.cut_at != len(self.changes) - 1:
            return await self.inner.call(service, region, operation, **params)
        if self.lost:
            await self.inner.call(service, region, operation, **params)
        raise CallFailed(f"{service} {operation}", "EndpointConnectionError", "cut off by a test")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _taken(service: str, operation: str, params: dict[str, Any]) -> set[str]:
    """The actions of IAM that a call takes, in small letters: IAM does not mind the case."""
    named = actions(service, operation)
    tags = TAGGING.keys() & params.keys() if operation.startswith("create_") else ()
    prefix = named[0].partition(":")[0]
    return {action.lower() for action in (*named, *(f"{prefix}:{TAGGING[tag]}" for tag in tags))}


async def check_account_lever(
    lever: Lever,
    environment: Environment,
    value: Value,
    *,
    snapshot: Snapshot | None = None,
    unseen: tuple[str, ...] = (),
) -> frozenset[str]:
    """Move it to `value` and back, whole and cut off at each change; raises AssertionError.

    `snapshot` tells all of the account that must be the same afterwards. `unseen` are permissions
    that no call shows, such as `iam:PassRole`. Returns the actions that it took, in small letters,
    for `check_nothing_idle`. One that is irreversible is left at the value.
    """
    check_record(lever)
    before = await snapshot() if snapshot else None
    prior = await lever.read(environment)
    must(prior != value, f"{lever} reads {value!r} before it is set to it")
    looked = await _check_targets(lever, environment)
    _check_expiry(lever, value)
    used, there = await _check_way(lever, environment, prior, value, "injects", unseen)
    if lever.irreversible:
        await _check_one_way(lever, environment, prior)
        return used | looked
    await _check_mark(lever, environment, prior, value)
    back, home = await _check_way(_anew(lever), environment, value, prior, "puts_back", unseen)
    await _check_same(lever, snapshot, before, "is put back")
    for lost in (False, True):
        for number in range(there):
            await _cut(lever, environment, prior, value, number, lost=lost, back=False)
        for number in range(home):
            await _cut(lever, environment, prior, value, number, lost=lost, back=True)
        await _check_same(lever, snapshot, before, f"was cut off, {lost=}, and put back")
    return used | looked | back


def check_nothing_idle(grants: Grants, used: frozenset[str]) -> None:
    """That no permission is asked for which no case has used; raises AssertionError."""
    granted = {a for part in (grants.looks, grants.injects, grants.puts_back) for a in _all(part)}
    must(granted <= used, f"granted and never used: {sorted(granted - used)}")


def covered(grants: tuple[Grant, ...], used: set[str] | frozenset[str]) -> None:
    """That these permissions suffice for these actions; raises AssertionError."""
    missing = used - _all(grants)
    must(not missing, f"no grant covers {sorted(missing)}")


def _all(grants: tuple[Grant, ...]) -> set[str]:
    return {action.lower() for grant in grants for action in grant.actions}


def _anew(lever: Lever) -> Lever:
    """As another process has it from the journal."""
    return from_json(json.loads(json.dumps(to_json(lever))))


async def _check_targets(lever: Lever, environment: Environment) -> set[str]:
    must(isinstance(lever, Targeting), f"{lever} does not know its targets")
    look = Recording(environment)
    targets = await cast("Targeting", lever).targets(cast("Environment", look))
    must(bool(targets), f"{lever} has no targets")
    must(not look.changes, f"{lever} changes something to find its targets: {look.changes}")
    for target in targets:
        must(":" in target.type and bool(target.id and target.region), f"{target} is no target")
        known = target.among is None or target.among > 0
        must(known, f"{target} is not among the {target.among} that it counts")
    covered(cast("Granted", lever).grants.looks, look.used)
    return look.used


def _check_expiry(lever: Lever, value: Value) -> None:
    if isinstance(lever, Expiring) and (ends := lever.expires(value)):
        must(ends.utcoffset() == timedelta(0), f"{lever} ends at {ends}, which is not UTC")


async def _check_way(
    lever: Lever,
    environment: Environment,
    start: Value,
    end: Value,
    part: str,
    unseen: tuple[str, ...],
) -> tuple[frozenset[str], int]:
    """Move it; the calls must be those told, the permissions those granted. Then once more."""
    recording = Recording(environment)
    place = cast("Environment", recording)
    await lever.set(place, end)
    found = await lever.read(place)
    must(found == end, f"{lever} was set to {end!r} but reads {found!r}")
    must(isinstance(lever, Rehearsing), f"{lever} does not know its calls")
    told = [_shape(call) for call in cast("Rehearsing", lever).calls(start, end)]
    made = list(recording.changes)
    must(told == made, f"{lever} tells of {told} and has called {made}")
    must(isinstance(lever, Granted), f"{lever} does not say which permissions it takes")
    grants = cast("Granted", lever).grants
    covered(grants.looks + getattr(grants, part), recording.used)
    await lever.set(environment, end)
    again = await lever.read(environment)
    must(again == end, f"{lever} was set to {end!r} twice and then reads {again!r}")
    return frozenset(recording.used | {a.lower() for a in unseen}), len(made)


def _shape(call: Call) -> tuple[str, str, str]:
    return call.service, call.region, call.operation


async def _check_one_way(lever: Lever, environment: Environment, prior: Value) -> None:
    try:
        await lever.set(environment, prior)
    except ChaosError:
        return
    raise AssertionError(f"{lever} is irreversible and yet it was set back without an error")


async def _check_mark(lever: Lever, environment: Environment, prior: Value, value: Value) -> None:
    """Another run may neither read it as its own nor set it."""
    if not isinstance(lever, Creates):
        return
    mine = cast("Creates", lever).run
    must(bool(mine), f"{lever} has no run: give it one")
    other: Any = replace(cast("Any", lever), run=f"{mine}-other")
    for step in (other.read(environment), other.set(environment, prior)):
        try:
            await step
        except ChaosError as error:
            must(mine in str(error), f"{lever}: the refusal does not name the run: {error}")
        else:
            raise AssertionError(f"{lever} is held by {mine}, and another run may move it")
    found = await lever.read(environment)
    must(found == value, f"{lever} was moved by another run to {found!r}")


async def _cut(
    lever: Lever,
    environment: Environment,
    prior: Value,
    value: Value,
    number: int,
    *,
    lost: bool,
    back: bool,
) -> None:
    """Cut it off at one change; what is left must be told, and go away with the next try."""
    if back:
        await lever.set(environment, value)
    cutting = cast("Environment", Recording(environment, cut_at=number, lost=lost))
    with contextlib.suppress(ChaosError):
        await lever.set(cutting, prior if back else value)
    found = await lever.read(environment)
    ours = isinstance(lever, Halfway) and lever.halfway(found, prior, value)
    told = f"{lever}, cut off at change {number}, reads {found!r}"
    must(found in (prior, value) or ours, f"{told}, which is neither whole nor halfway")
    again = _anew(lever)
    await again.set(environment, prior)
    after = await again.read(environment)
    must(after == prior, f"{told}, and {after!r} when it was put back")


async def _check_same(lever: Lever, snapshot: Snapshot | None, before: Any, when: str) -> None:
    if snapshot:
        after = await snapshot()
        lines = difflib.ndiff(str(before).splitlines(), str(after).splitlines())
        changed = [line for line in lines if line[0] in "+-"]
        must(not changed, f"{lever} leaves the account changed when it {when}: {changed[:5]}")
