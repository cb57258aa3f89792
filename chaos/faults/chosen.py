"""Targets in an account: chosen by tags and ids, and found before anything is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chaos.errors import InvalidInput
from chaos.faults.fault import Look, Pull
from chaos.levers import Lever, Value
from chaos.levers.marked import tag_map
from chaos.levers.paging import every
from chaos.levers.powers import Grant, Grants

Moves = list[tuple[Lever, Value]]


class Chosen(BaseModel):
    """Resources by what they must be; all that is given must fit."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"minProperties": 1})

    tags: dict[str, str] = Field(
        default_factory=dict, max_length=50, description="tags that they must have"
    )
    ids: list[str] = Field(
        default_factory=list, max_length=1000, description="only these, by id or name"
    )

    @model_validator(mode="after")
    def _chooses(self) -> Self:
        if not self.tags and not self.ids:
            raise ValueError("chooses nothing: give tags, ids or both; never all there are")
        return self

    def fits(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether a resource of that name with these tags is meant."""
        return (not self.ids or name in self.ids) and self.tags.items() <= tags.items()


async def choose(
    what: str, chosen: Chosen, look: Look, region: str, listing: tuple[str, str, str, str]
) -> list[dict[str, Any]]:
    """Those that are meant; raises InvalidInput when there is none, or one of the ids is not.

    `what` they are, for people, with the fault and its field; `listing` is the service, the
    operation, the key of its answer and the key of a resource's id.
    """
    service, operation, key, name = listing
    found = await every(look, service, region, operation, key)
    meant = {r[name]: r for r in found if chosen.fits(r[name], tag_map(r.get("Tags")))}
    if missing := sorted(set(chosen.ids) - set(meant)):
        raise InvalidInput(f"{what}: not among those that match in {region}: {', '.join(missing)}")
    if not meant:
        tags = ", ".join(f"{key}={value}" for key, value in chosen.tags.items())
        raise InvalidInput(f"{what}: none in {region} has the tags {tags}")
    return [meant[name] for name in sorted(meant)]


async def subnets(
    kind: str, chosen: Chosen | None, look: Look, region: str, zone: str | None = None
) -> list[str]:
    """The ids of the subnets that are meant, in that zone; raises InvalidInput as `choose` does."""
    what = f"{kind}: subnets"
    if chosen is None:
        raise InvalidInput(
            f"{kind}: in an account say which subnets are cut off, such as"
            " subnets: {tags: {chaos: allowed}}; they are never all there are"
        )
    listing = ("ec2", "describe_subnets", "Subnets", "SubnetId")
    found = await choose(what, chosen, look, region, listing)
    here = [subnet["SubnetId"] for subnet in found if zone in (None, subnet["AvailabilityZone"])]
    if not here:
        raise InvalidInput(f"{what}: {len(found)} match in {region}, and none of them is in {zone}")
    return here


def within(grants: Grants, region: str) -> Grants:
    """The same permissions, on resources of that region alone where ARNs tell the region."""

    def here(grant: Grant) -> Grant:
        named = (arn.replace(":*:*:", f":{region}:*:", 1) for arn in grant.resources)
        return replace(grant, resources=tuple(named))

    return Grants(
        looks=tuple(map(here, grants.looks)),
        injects=tuple(map(here, grants.injects)),
        puts_back=tuple(map(here, grants.puts_back)),
    )


async def together(pull: Pull, moves: Iterable[tuple[Lever, Value]]) -> None:
    """Pull all of them side by side; when one fails, those not begun are not."""
    import asyncio

    try:
        async with asyncio.TaskGroup() as group:
            for lever, value in moves:
                group.create_task(_one(pull, lever, value))
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


async def _one(pull: Pull, lever: Lever, value: Value) -> None:
    await pull(lever, value)
