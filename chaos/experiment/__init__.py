"""The experiment: what the user wrote, as a frozen value, or everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BaseModel,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from chaos import schema
from chaos.errors import InvalidInput, Located
from chaos.experiment.about import About
from chaos.experiment.accounts import MOST as MOST_ACCOUNTS
from chaos.experiment.accounts import Account, chosen
from chaos.experiment.contradictions import Parts, lifted_after, observed_for
from chaos.experiment.entries import MOST, AnyFault, AnyProbe
from chaos.experiment.labs import SUFFIX, SYSTEMS, LabName, lab_file
from chaos.experiment.objectives import FROZEN, Name, Objective, SteadyState, StopCondition
from chaos.experiment.safety import Rules
from chaos.experiment.secret_values import secrets_of
from chaos.experiment.sound import EACH, WHOLE, sound_parts, sound_variants
from chaos.experiment.variables import Given, Variable
from chaos.experiment.variants import (
    SECTION,
    EnvironmentName,
    Variant,
    contradictions_in_all,
)
from chaos.secrets import SECRETS
from probes.durations import Duration

if TYPE_CHECKING:
    from chaos.lab.declaration import Lab

__all__ = [
    "SYSTEMS",
    "Account",
    "AnyFault",
    "AnyProbe",
    "Experiment",
    "Objective",
    "SteadyState",
    "StopCondition",
    "Variant",
    "lab_file",
    "load",
    "load_lab",
]


class Experiment(BaseModel):
    """What to break, what to watch, what was promised. Times are seconds."""

    model_config = FROZEN

    name: Name = Field(description="a short name; runs are called by it")
    title: str = Field(default="", max_length=200, description="what happens, in one sentence")
    about: About = Field(
        default_factory=About, description="what auditors ask besides: purpose, scenario, owner"
    )
    lab: LabName = Field(
        default="streaming",
        description="what to stand up on an emulator: a shipped lab, or a file beside this one",
    )
    variables: dict[Name, Variable] = Field(
        default_factory=dict, max_length=MOST, description="what ${name} may stand for"
    )
    accounts: dict[Name, Account] = Field(
        default_factory=dict,
        max_length=MOST_ACCOUNTS,
        description="the AWS accounts that are meant, by a name of your choice; not used in a lab",
    )
    steady_state: SteadyState = Field(
        default_factory=SteadyState, description="what must be before anything is broken"
    )
    probes: dict[Name, AnyProbe] = Field(min_length=1, max_length=MOST, description="what to watch")
    faults: list[AnyFault] = Field(min_length=1, max_length=MOST, description="what to break, when")
    objectives: dict[str, Objective] = Field(min_length=1, description="promises, by probe")
    marks: dict[Name, Annotated[Duration, Field(gt=0)]] = Field(
        default_factory=dict,
        max_length=MOST,
        description="what people mark (`chaos mark RUN --as NAME`) so soon after the first"
        " injection, such as decided: 5m",
    )
    stop_when: list[StopCondition] = Field(
        default_factory=list, max_length=MOST, description="when to put everything back early"
    )
    allow_irreversible: list[str] = Field(
        default_factory=list, max_length=MOST, description="what may be done for good"
    )
    safety: Rules = Field(
        default_factory=Rules, description="what may be touched in a real account, and when"
    )
    recover_within: Duration = Field(
        default=60.0, gt=0, description="all must be well so soon after the last fault is lifted"
    )
    environments: dict[EnvironmentName, Variant] = Field(
        default_factory=dict, description="what differs in one environment, by its name"
    )

    _file: str = PrivateAttr(default="")
    _data: bytes = PrivateAttr(default=b"")
    _values: dict[str, str] = PrivateAttr(default_factory=dict)
    _under: str = PrivateAttr(default="")  # the environment whose variant it is
    _variant: Variant | None = PrivateAttr(default=None)

    @property
    def brings_lab(self) -> bool:
        """Whether its lab is a file beside its own, and none of those that are shipped."""
        return self.lab.endswith(SUFFIX)

    @property
    def observed_until(self) -> float:
        """Seconds from the first injection for which the system is watched with faults on.

        Until the last fault is lifted; for one that never is, until it can be known that all that
        is promised under it was held, or for `recover_within` where nothing is.
        """
        promised = [(o, self.probes[name]) for name, o in self.objectives.items()]
        shown = [seconds for o, probe in promised for seconds in observed_for(o, probe).values()]
        shown += self.marks.values()
        reach = max(shown, default=self.recover_within)
        one_way = [fault.at + reach for fault in self.faults if fault.one_way]
        return max([lifted_after(self.faults), *one_way])

    @property
    def stand_ins(self) -> dict[str, str]:
        """What stands in for a service that its environment lacks, by the service's boto3 name."""
        return self._variant.stand_ins if self._variant else {}

    def account(self, name: str | None) -> tuple[str, Account]:
        """The account of that name, or the only one, with its name; raises InvalidInput."""
        known = chosen(name, self.accounts)
        if known is None:
            which = "an account has to be named" if name is None else f"no account {name[:60]!r}"
            raise InvalidInput(f"{which}; the experiment has {', '.join(self.accounts) or 'none'}")
        return known, self.accounts[known]

    def on(self, environment: str) -> Experiment:
        """The experiment as it is in that kind of environment, which has no variants any more."""
        variant = self.environments.get(environment)
        own = variant or Variant.model_construct()
        effective = self.model_copy(
            update={
                "lab": own.lab or self.lab,
                "probes": {n: own.probes.get(n, p) for n, p in self.probes.items()},
                "objectives": {n: own.objectives.get(n, o) for n, o in self.objectives.items()},
                "environments": {},
            }
        )
        effective._under, effective._variant = environment, variant
        return effective

    def located(self, path: tuple[str | int, ...], what: str) -> str:
        """What is wrong at that path, with its place in the file that it was read from, if any."""
        path = self._written(path)
        told = schema.where(path, "experiment")
        if not self._file:
            return f"{told}: {what}"
        return Located(self._file, *schema.place(self._data, path), told, what)

    def _written(self, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Where what has that path stands in the file: it may be the variant's own."""
        own = getattr(self._variant, str(path[0]), None) if path else None
        inside = isinstance(own, dict) and len(path) > 1 and path[1] in own
        return (SECTION, self._under, *path) if inside or isinstance(own, str) else path

    def to_json(self) -> dict[str, Any]:
        """The experiment as a journal holds it, with the text of the file it was read from.

        Its `variables` are the values that were used, and of variants it tells none but its own.
        """
        data = self.model_dump(mode="json", by_alias=True, exclude={"environments"})
        for fault, dumped in zip(self.faults, data["faults"], strict=True):
            dumped |= {"one_way": fault.one_way, "by_hand": fault.by_hand}
        return {
            **data,
            "variables": self._values,
            "stand_ins": self.stand_ins,
            "file": self._file,
            "text": self._data.decode(),
            "sha256": hashlib.sha256(self._data).hexdigest(),
        }

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Look for contradictions also where something else is wrong, and tell all together."""
        try:
            experiment = handler(data)
        except ValidationError as error:
            found = contradictions_in_all(sound_parts(data, cls), sound_variants(data))
            found = schema.relayed(error) + found
        else:
            parts = Parts(**{name: getattr(experiment, name) for name in (*EACH, *WHOLE)})
            found = contradictions_in_all(parts, experiment.environments)
            if not found:
                return experiment
        raise schema.problems(cls.__name__, found)


def load(path: Path, variables: Mapping[str, str] | None = None) -> Experiment:
    """The experiment in that file; raises InvalidInput with everything that is wrong with it.

    `variables` are values for those that the file declares, by name, as text.
    """
    data = schema.read(path)
    given = Given(variables or {}, str(path))
    try:
        experiment = schema.loads(data, Experiment, str(path), {"file": path}, given.fill)
    except InvalidInput as error:
        raise InvalidInput(*given.problems, *error.problems) from error
    if given.problems:
        raise InvalidInput(*given.problems)
    SECRETS.add(*secrets_of(experiment.model_dump(mode="json", by_alias=True)))
    experiment._file, experiment._data, experiment._values = str(path), data, given.used
    return experiment


def load_lab(experiment: Experiment, path: Path) -> Lab:
    """The lab that the experiment, read from `path`, names; raises InvalidInput."""
    from chaos.lab.declaration import Lab

    try:
        file = lab_file(experiment.lab, path)
    except ValueError as error:
        raise InvalidInput(f"{path}: lab: {error}") from error
    return schema.load(file, Lab)
