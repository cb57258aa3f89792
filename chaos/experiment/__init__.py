"""The experiment: what the user wrote, as a frozen value, or everything that is wrong with it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BaseModel,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializeAsAny,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from chaos import faults as our_faults
from chaos import lab as our_labs
from chaos import schema
from chaos.errors import InvalidInput, Located
from chaos.experiment.contradictions import Parts, contradictions, lifted_after, shown_after
from chaos.experiment.objectives import FROZEN, Name, Objective, SteadyState, StopCondition
from chaos.experiment.variables import Given, Variable
from chaos.faults.fault import Fault
from probes.durations import Duration
from probes.probe import Probe

if TYPE_CHECKING:
    from chaos.lab.declaration import Lab

__all__ = [
    "Experiment",
    "Objective",
    "SteadyState",
    "StopCondition",
    "lab_file",
    "load",
    "load_lab",
]

SYSTEMS = Path(our_labs.__file__).parent / "systems"
SUFFIX = ".yaml"
MOST = 100  # probes, faults and conditions of one experiment


def _probe_kinds() -> Mapping[str, type[Probe]]:
    from probes import KINDS

    return KINDS


AnyProbe = Annotated[SerializeAsAny[Probe], schema.by_kind(_probe_kinds, "chaos.probes")]
AnyFault = Annotated[
    SerializeAsAny[Fault], schema.by_kind(lambda: our_faults.KINDS, "chaos.faults")
]


class Experiment(BaseModel):
    """What to break, what to watch, what was promised. Times are seconds."""

    model_config = FROZEN

    name: Name = Field(description="a short name; runs are called by it")
    title: str = Field(default="", max_length=200, description="what happens, in one sentence")
    lab: str = Field(
        default="streaming",
        description="what to stand up on an emulator: a shipped lab, or a file beside this one",
    )
    variables: dict[Name, Variable] = Field(
        default_factory=dict, max_length=MOST, description="what ${name} may stand for"
    )
    steady_state: SteadyState = Field(
        default_factory=SteadyState, description="what must be before anything is broken"
    )
    probes: dict[Name, AnyProbe] = Field(min_length=1, max_length=MOST, description="what to watch")
    faults: list[AnyFault] = Field(min_length=1, max_length=MOST, description="what to break, when")
    objectives: dict[str, Objective] = Field(min_length=1, description="promises, by probe")
    stop_when: list[StopCondition] = Field(
        default_factory=list, max_length=MOST, description="when to put everything back early"
    )
    allow_irreversible: list[str] = Field(
        default_factory=list, max_length=MOST, description="what may be done for good"
    )
    recover_within: Duration = Field(
        default=60.0, gt=0, description="all must be well so soon after the last fault is lifted"
    )

    _file: str = PrivateAttr(default="")
    _data: bytes = PrivateAttr(default=b"")
    _values: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def brings_lab(self) -> bool:
        """Whether its lab is a file beside its own, and none of those that are shipped."""
        return self.lab.endswith(SUFFIX)

    @property
    def observed_until(self) -> float:
        """Seconds from the first injection for which the system is watched with faults on.

        Until the last fault is lifted; for one that never is, until it can be known that every
        `rto` was held, or for `recover_within` where there is none.
        """
        rtos = [(o.rto, self.probes[name]) for name, o in self.objectives.items()]
        shown = [shown_after(rto, probe) for rto, probe in rtos if rto is not None]
        reach = max(shown, default=self.recover_within)
        one_way = [fault.at + reach for fault in self.faults if fault.one_way]
        return max([lifted_after(self.faults), *one_way])

    def located(self, path: tuple[str | int, ...], what: str) -> str:
        """What is wrong at that path, with its place in the file that it was read from, if any."""
        told = schema.where(path, "experiment")
        if not self._file:
            return f"{told}: {what}"
        return Located(self._file, *schema.place(self._data, path), told, what)

    def to_json(self) -> dict[str, Any]:
        """The experiment as a journal holds it, with the text of the file it was read from.

        Its `variables` are the values that were used.
        """
        data = self.model_dump(mode="json", by_alias=True)
        for fault, dumped in zip(self.faults, data["faults"], strict=True):
            dumped |= {"one_way": fault.one_way, "by_hand": fault.by_hand}
        return {
            **data,
            "variables": self._values,
            "file": self._file,
            "text": self._data.decode(),
            "sha256": hashlib.sha256(self._data).hexdigest(),
        }

    @field_validator("lab")
    @classmethod
    def _lab_is_there(cls, lab: str, info: ValidationInfo) -> str:
        if info.context:
            lab_file(lab, info.context["file"])
        return lab

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Look for contradictions also where something else is wrong, and tell all together."""
        try:
            experiment = handler(data)
        except ValidationError as error:
            found = schema.relayed(error) + contradictions(_sound_parts(data))
        else:
            found = contradictions(
                Parts(**{name: getattr(experiment, name) for name in (*EACH, *WHOLE)})
            )
            if not found:
                return experiment
        raise schema.problems(cls.__name__, found)


EACH: dict[str, tuple[type, Any]] = {
    "probes": (dict, AnyProbe),
    "faults": (list, AnyFault),
    "objectives": (dict, Objective),
    "stop_when": (list, StopCondition),
}
WHOLE: dict[str, Any] = {
    "steady_state": SteadyState,
    "allow_irreversible": list[str],
    "recover_within": Duration,
}


def _sound_parts(data: Any) -> Parts:
    """Whatever of an experiment is right in itself."""
    if not isinstance(data, dict):
        return Parts()
    # What is too long is wrong already; to look at each entry would take long, for nothing.
    data = {k: None if isinstance(v, list | dict) and len(v) > MOST else v for k, v in data.items()}
    parts: dict[str, Any] = {}
    for name, (container, wanted) in EACH.items():
        given = data.get(name)
        if isinstance(given, container):
            parts[name] = _each(wanted, given)
    for name, wanted in WHOLE.items():
        default = Experiment.model_fields[name].get_default(call_default_factory=True)
        parts[name] = _sound(wanted, data[name]) if name in data else default
    return Parts(**parts)


def _each(wanted: Any, given: Any) -> Any:
    if isinstance(given, dict):
        return {key: _sound(wanted, entry) for key, entry in given.items()}
    return [_sound(wanted, entry) for entry in given]


def _sound(wanted: Any, given: Any) -> Any:
    try:
        return TypeAdapter(wanted).validate_python(given)
    except ValidationError:
        return None


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


def lab_file(lab: str, experiment: Path) -> Path:
    """The file that declares the lab; raises ValueError with what there is instead."""
    if lab.endswith(SUFFIX):
        file = experiment.parent / lab
        with contextlib.suppress(OSError):  # a name too long, a directory that may not be read
            if file.is_file():
                return file
        raise ValueError(f"there is no file {lab[:60]} beside this one")
    shipped = {file.stem: file for file in sorted(SYSTEMS.glob(f"*{SUFFIX}"))}
    if lab not in shipped:
        hint = schema.did_you_mean(lab, shipped, tell=True)
        raise ValueError(f"there is no lab {lab[:60]!r}{hint}")
    return shipped[lab]
