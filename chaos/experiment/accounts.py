"""The accounts of an experiment: which are meant, by their ids, and how they are reached.

accounts:
  prod: {id: "123456789012", regions: [us-east-1], role: arn:aws:iam::123456789012:role/chaos}

In a lab there is one account, the lab's own, and whatever is named here leads to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from chaos.environments.regions import partition
from chaos.experiment.objectives import FROZEN, StopCondition
from chaos.faults.fault import Fault
from chaos.schema import did_you_mean, problem
from probes.durations import Duration
from probes.probe import Probe

MOST = 20  # accounts of one experiment
SHORTEST_S, LONGEST_S = 900, 43200  # of a role's session: STS API Reference, AssumeRole
# Letters as IAM has them: User Guide, "IAM and AWS STS quotas, name requirements".
Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Role = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$"),
]
Serial = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:mfa/[A-Za-z0-9_+=,.@/-]{1,220}$"),
]
# STS API Reference, AssumeRole.
ExternalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$")]
Profile = Annotated[str, StringConstraints(pattern=r"^[^\s\[\]]{1,128}$")]
REGION = r"[a-z]{2,}(-[a-z]+)+-[0-9]+"
# The fields of faults and probes that name a region, or a zone, whose name begins with its region.
REGION_FIELDS = ("region", "write_to", "read_from")
ZONE_FIELD = "zone"


def _region(given: str) -> str:
    if not re.fullmatch(REGION, given):
        raise ValueError(f"{given[:60]!r} is no region, such as us-east-1")
    return given


Region = Annotated[
    str, AfterValidator(_region), WithJsonSchema({"type": "string", "pattern": f"^{REGION}$"})
]


class Account(BaseModel):
    """One account: its id, where things may be touched in it, and how it is reached."""

    model_config = FROZEN

    id: Id = Field(description="the id of the account, 12 digits")
    regions: list[Region] = Field(
        min_length=1, max_length=50, description="regions such as us-east-1; others are not touched"
    )
    role: Role | None = Field(
        default=None,
        description="a role to assume, arn:aws:iam::ID:role/NAME; without it the credentials' own",
    )
    external_id: ExternalId | None = Field(
        default=None, description="the external id that the role asks for, at least 2 characters"
    )
    mfa: Serial | None = Field(
        default=None,
        description="the MFA device of who assumes it, arn:aws:iam::ID:mfa/NAME; its code is asked",
    )
    session: Duration = Field(
        default=3600.0,
        description="how long the role is assumed at a time; it is renewed by itself",
    )
    profile: Profile | None = Field(
        default=None, description="the profile of the AWS config that it is reached with"
    )

    @field_validator("session")
    @classmethod
    def _as_aws_has_it(cls, seconds: float) -> float:
        if not SHORTEST_S <= seconds <= LONGEST_S:
            raise ValueError("must be from 15m to 12h, for which AWS lets a role be assumed")
        return seconds

    @field_validator("regions")
    @classmethod
    def _of_one_partition(cls, regions: list[str]) -> list[str]:
        if twice := next((r for n, r in enumerate(regions) if r in regions[:n]), None):
            raise ValueError(f"{twice} is named a second time")
        partitions = {partition(region): region for region in regions}
        if len(partitions) > 1:
            apart = " and ".join(f"{region} of {name}" for name, region in partitions.items())
            raise ValueError(f"no account has regions of two partitions: {apart}")
        return regions

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.role is None:
            for name in ("external_id", "session"):
                if name in self.model_fields_set:
                    raise ValueError(f"{name} is for a role that is assumed; add role, or leave it")
        elif (named := self.role.split(":")[4]) != self.id:
            raise ValueError(f"the role is one of account {named}, and the id is {self.id}")
        for arn in filter(None, (self.role, self.mfa)):
            if (own := partition(self.regions[0])) != arn.split(":")[1]:
                raise ValueError(f"{self.regions[0]} is a region of {own}, which {arn} is not of")
        return self


def chosen(name: str | None, accounts: Mapping[str, Any]) -> str | None:
    """The name of the account that is meant: that one, or the only one; None if there is none."""
    if name is not None:
        return name if name in accounts else None
    return next(iter(accounts)) if len(accounts) == 1 else None


def contradictions(
    accounts: Mapping[str, Account | None],
    faults: Sequence[Fault | None],
    probes: Mapping[str, Probe | None],
    stops: Sequence[StopCondition | None],
) -> Iterator[InitErrorDetails]:
    """What about these accounts, and who names them, cannot be; None is wrong in itself."""
    yield from _twice(accounts)
    for number, fault in enumerate(faults):
        if fault:
            yield from _misplaced(fault, ("faults", number), accounts)
    for name, probe in probes.items():
        if probe and probe.services():
            yield from _misplaced(probe, ("probes", name), accounts)
        elif probe and probe.account is not None:
            what = f"{probe.kind} calls no API of AWS, so it has no account; leave it out"
            yield problem("probes", name, "account", what=what)
    for number, stop in enumerate(stops):
        if stop and stop.alarm:
            yield from _misplaced(stop, ("stop_when", number), accounts)


def _twice(accounts: Mapping[str, Account | None]) -> Iterator[InitErrorDetails]:
    first: dict[str, str] = {}
    for name, account in accounts.items():
        if account and first.setdefault(account.id, name) != name:
            what = f"is the id of {first[account.id]} too; one account is named once"
            yield problem("accounts", name, "id", what=what)


def _misplaced(
    part: Fault | Probe | StopCondition,
    path: tuple[str | int, ...],
    accounts: Mapping[str, Account | None],
) -> Iterator[InitErrorDetails]:
    """A fault, probe or alarm in no account, in an unknown one, or in a region that is not its."""
    name = chosen(part.account, accounts)
    if name is None:
        if part.account is not None:
            hint = did_you_mean(part.account, accounts, tell=True)
            what = f"there is no account {part.account[:60]!r}{hint}"
            yield problem(*path, "account", what=what)
        elif accounts:
            what = f"is missing; which of the accounts is it: {', '.join(accounts)}?"
            yield problem(*path, "account", what=what)
        return
    if account := accounts[name]:
        for field, region in _regions(part):
            if region not in account.regions:
                there = ", ".join(account.regions)
                what = f"{region} is no region of the account {name}, which has {there}"
                yield problem(*path, field, what=what)


def _regions(part: Fault | Probe | StopCondition) -> Iterator[tuple[str, str]]:
    """The regions that it names, each after the field that names it."""
    for name in REGION_FIELDS:
        if isinstance(region := getattr(part, name, None), str):
            yield name, region
    if zone := re.match(rf"({REGION})[a-z-]", str(getattr(part, ZONE_FIELD, ""))):
        yield ZONE_FIELD, zone[1]
