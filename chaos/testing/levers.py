"""What every lever must keep to, so that whatever a fault did can be put back by any process."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import ChaosError
from chaos.levers import Counts, Lever, Value, from_json, to_json
from chaos.testing.promise import must
from probes.aws_api import reads


async def check_lever(lever: Lever, environment: Environment, *values: Value) -> None:
    """Move the lever through all `values` and back; raises AssertionError for a broken promise.

    `values` are states that it may have, beside the one in which it is found; states that are
    easily taken for each other, such as absent (None) and empty, belong among them. A lever that
    is irreversible is left at the last value.
    """
    check_record(lever)
    looks = _OnlyLooks(environment)
    prior = await _read(lever, looks)
    _check_distinct([prior, *values])
    for value in values:
        # Twice, because a rollback that died begins again.
        for _ in range(2):
            await lever.set(environment, value)
            found = await _read(lever, looks)
            must(_same(found, value), f"{lever} was set to {value!r} but reads {found!r}")
    if isinstance(lever, Counts):
        count: Any = await lever.noticed(looks)
        must(isinstance(count, int) and count >= 0, f"{lever} has noticed {count!r}: no number")
    await _check_way_back(lever, environment, looks, prior)


def check_record(lever: Lever) -> None:
    """That a journal can hold it, and that users can read of it; raises AssertionError."""
    kind: Any = type(lever)
    frozen = getattr(getattr(kind, "__dataclass_params__", None), "frozen", False)
    must(frozen, f"{lever!r} is no frozen dataclass; what a journal names must not change")
    own = {field.name for field in fields(kind)}
    must(not own & {"kind", "irreversible"}, f"{kind.__name__}: these two are ClassVar, no fields")
    again = from_json(json.loads(json.dumps(to_json(lever))))
    must(again == lever, f"{lever!r} comes back from a journal as {again!r}")
    must(bool(vars(kind).get("__doc__")), f"{kind.__name__} has no docstring to show to a user")


def _check_distinct(values: list[Value]) -> None:
    must(len(values) > 1, "give check_lever another value than the one that the lever reads")
    written = [json.dumps(value, sort_keys=True) for value in values]
    must(len(set(written)) == len(written), f"of {values!r} two are the same to a journal")


async def _check_way_back(
    lever: Lever, environment: Environment, looks: Environment, prior: Value
) -> None:
    """Back by a lever made anew from the journal: what it learnt on the way there is not needed."""
    again = from_json(json.loads(json.dumps(to_json(lever))))
    if lever.irreversible:
        try:
            await again.set(environment, prior)
        except ChaosError:
            return
        raise AssertionError(f"{lever} is irreversible and yet it was set back without an error")
    for _ in range(2):
        await again.set(environment, prior)
        found = await _read(again, looks)
        must(_same(found, prior), f"{lever} was put back to {prior!r} but reads {found!r}")


async def _read(lever: Lever, looks: Environment) -> Value:
    """What it reads: the same twice, and something that a journal can hold."""
    first, second = await lever.read(looks), await lever.read(looks)
    must(_same(first, second), f"{lever} reads {first!r} and then {second!r}")
    try:
        back = json.loads(json.dumps(first, allow_nan=False))
    except (TypeError, ValueError):
        back = None
    must(_same(first, back), f"{lever} reads {first!r}, which is no JSON value")
    return first


def _same(one: Value, other: Value) -> bool:
    return bool(one == other) and json.dumps(one, sort_keys=True) == json.dumps(
        other, sort_keys=True
    )


class _OnlyLooks:
    """An environment in which nothing can be changed."""

    def __init__(self, inner: Environment) -> None:
        self._inner = inner

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        must(reads(operation), f"a read has called {service} {operation}")
        return await self._inner.call(service, region, operation, **params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
