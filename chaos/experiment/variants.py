"""What differs in one environment, and whether the experiment can be with that difference.

environments:
  localstack:
    stand_ins: {dynamodb: the same ledger over S3}
    probes: {history: {kind: s3_ledger, …}}
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema, model_validator
from pydantic_core import InitErrorDetails

from chaos.environments import KINDS
from chaos.experiment.contradictions import Parts, contradictions
from chaos.experiment.entries import MOST, AnyProbe
from chaos.experiment.labs import LabName
from chaos.experiment.objectives import FROZEN, Name, Objective
from chaos.schema import did_you_mean, problem, where
from probes.probe import Probe

SECTION = "environments"
SERVICE = r"[a-z][a-z0-9-]{1,62}"
SENTENCE = r"\S.{0,199}"

Found = Iterator[InitErrorDetails]


def _environment(given: str) -> str:
    if given not in KINDS:
        hint = did_you_mean(given, KINDS, tell=True)
        raise ValueError(f"there is no environment {given[:60]!r}{hint}")
    return given


def _service(given: str) -> str:
    if not re.fullmatch(SERVICE, given):
        raise ValueError(f"{given[:60]!r} is no service as boto3 names them, such as dynamodb")
    return given


def _sentence(given: str) -> str:
    if not re.fullmatch(SENTENCE, given):
        raise ValueError("must say what stands in for it, in one line of at most 200 characters")
    return given


EnvironmentName = Annotated[
    str,
    AfterValidator(_environment),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(KINDS)})$"}),
]
Service = Annotated[
    str, AfterValidator(_service), WithJsonSchema({"type": "string", "pattern": f"^{SERVICE}$"})
]
Sentence = Annotated[
    str, AfterValidator(_sentence), WithJsonSchema({"type": "string", "pattern": f"^{SENTENCE}$"})
]


class Variant(BaseModel):
    """What differs in one environment; all else is as the experiment has it."""

    model_config = FROZEN

    stand_ins: dict[Service, Sentence] = Field(
        default_factory=dict,
        max_length=MOST,
        description="by service that is not there, as boto3 names it: what stands in for it",
    )
    lab: LabName | None = Field(default=None, description="the lab instead of the experiment's")
    probes: dict[Name, AnyProbe] = Field(
        default_factory=dict, max_length=MOST, description="probes instead of those of that name"
    )
    objectives: dict[str, Objective] = Field(
        default_factory=dict, max_length=MOST, description="promises instead of a probe's own"
    )

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("changes nothing; write stand_ins, lab, probes or objectives")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """The parts that a variant has of its own. None stands for one that is wrong in itself."""

    probes: Mapping[str, Probe | None] = field(default_factory=dict)
    objectives: Mapping[str, Objective | None] = field(default_factory=dict)


def contradictions_in_all(
    parts: Parts, variants: Mapping[str, Replaced | Variant]
) -> list[InitErrorDetails]:
    """What cannot be in the experiment as it stands, and then in each of its variants."""
    found = contradictions(parts)
    told = {_said(error) for error in found}
    for name, own in variants.items():
        found += _replaces_nothing(name, "probes", own.probes, parts.probes)
        found += _replaces_nothing(name, "objectives", own.objectives, parts.objectives)
        wrong = contradictions(_with(parts, own))
        found += [_placed(error, name, own) for error in wrong if _said(error) not in told]
    return found


def _replaces_nothing(
    variant: str, section: str, own: Collection[str], there: Collection[str] | None
) -> Found:
    for name in own:
        if there is not None and name not in there:
            hint = did_you_mean(name, there, tell=True)
            what = f"replaces nothing: there is no {name[:60]!r} in {section}{hint}"
            yield problem(SECTION, variant, section, name, what=what)


def _with(parts: Parts, own: Replaced | Variant) -> Parts:
    """The parts as they are in the variant."""
    probes = parts.probes and {n: own.probes.get(n, p) for n, p in parts.probes.items()}
    objectives = {n: own.objectives.get(n, o) for n, o in parts.objectives.items()}
    return replace(parts, probes=probes, objectives=objectives)


def _said(error: InitErrorDetails) -> tuple[object, str]:
    return error["loc"], str(error["type"])


def _placed(error: InitErrorDetails, variant: str, own: Replaced | Variant) -> InitErrorDetails:
    """The error at the part of the variant that it is about, or at the variant as a whole."""
    path = error["loc"]
    if len(path) > 1 and path[1] in getattr(own, str(path[0]), ()):
        return {**error, "loc": (SECTION, variant, *path)}
    return problem(SECTION, variant, what=f"{where(path, 'experiment')}: {error['type']}")
