"""The parts of an experiment template of AWS FIS, with the keys that AWS gives them."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from chaos.levers.fis_actions import ACTIONS, ALIASES, TYPE_ALIASES, TYPES

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:\S+$", max_length=2048)]
RoleArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$", max_length=2048)
]
AlarmArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:\d{12}:alarm:.+$"),
]
AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
Selection = Annotated[
    str,
    StringConstraints(pattern=r"^(ALL|COUNT\([1-9]\d{0,3}\)|PERCENT\(([1-9]\d?|100)\))$"),
]


def known_action(text: str) -> str:
    """The id as it is now; raises ValueError for one that FIS does not have."""
    return _known(text, ACTIONS, ALIASES, "action")


def known_type(text: str) -> str:
    """The type of resource as it is called now; raises ValueError for one that is none."""
    return _known(text, TYPES, TYPE_ALIASES, "resource type")


def _known(text: str, known: Collection[str], aliases: dict[str, str], what: str) -> str:
    now = aliases.get(text, text)
    if now in known:
        return now
    near = difflib.get_close_matches(text, sorted(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{text!r} is no {what} of FIS{hint}")


class Part(BaseModel):
    """A part of the template: unknown keys are mistakes, as everywhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_aws(self) -> dict[str, Any]:
        """As CreateExperimentTemplate takes it: what was not given is left out."""
        return {key: value for key, value in self.model_dump(mode="json").items() if value}


class FisAction(Part):
    """One action of the template."""

    actionId: Annotated[str, AfterValidator(known_action)] = Field(  # noqa: N815  # AWS's name
        description="which action, such as aws:ebs:pause-volume-io"
    )
    description: str = Field(default="", max_length=512, description="for people")
    parameters: dict[str, str] = Field(
        default_factory=dict, description="as AWS documents them for the action; all are texts"
    )
    targets: dict[str, Name] = Field(
        default_factory=dict,
        description="the key that AWS documents, such as Volumes, and the name of a target below",
    )
    startAfter: list[Name] = Field(  # noqa: N815  # AWS's name
        default_factory=list, description="actions that must have ended before"
    )


class FisFilter(Part):
    """What a resource must be to be a target."""

    path: str = Field(
        pattern=r"^[A-Z][A-Za-z]*(\.[A-Z][A-Za-z]*)*$",
        description="into what Describe tells of the resource, such as State.Name",
    )
    values: list[str] = Field(min_length=1, description="any of these")


class FisTarget(Part):
    """What actions are done to."""

    resourceType: Annotated[str, AfterValidator(known_type)] = Field(  # noqa: N815  # AWS's name
        description="such as aws:ec2:ebs-volume"
    )
    resourceArns: list[Arn] = Field(  # noqa: N815  # AWS's name
        default_factory=list, max_length=5, description="these; then neither tags nor filters"
    )
    resourceTags: dict[str, str] = Field(  # noqa: N815  # AWS's name
        default_factory=dict, max_length=50, description="tags that all must have"
    )
    filters: list[FisFilter] = Field(default_factory=list, description="all must be met")
    parameters: dict[str, str] = Field(
        default_factory=dict, description="as AWS documents them for the resource type"
    )
    selectionMode: Selection = Field(  # noqa: N815  # AWS's name
        default="ALL", description="ALL, COUNT(2) or PERCENT(50), which rounds down"
    )


class FisAccount(BaseModel):
    """An account in which the targets are sought."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = Field(description="its name in the experiment's accounts")
    id: AccountId = Field(description="its twelve digits")
    role: RoleArn = Field(description="the role there that FIS assumes")
