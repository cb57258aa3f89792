"""Whatever of an experiment is right in itself, to look for contradictions also in a wrong one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from chaos.experiment.accounts import Account
from chaos.experiment.contradictions import Parts
from chaos.experiment.entries import MOST, AnyFault, AnyProbe
from chaos.experiment.objectives import Objective, SteadyState, StopCondition
from chaos.experiment.variants import SECTION, Replaced
from probes.durations import Duration

EACH: dict[str, tuple[type, Any]] = {
    "accounts": (dict, Account),
    "probes": (dict, AnyProbe),
    "faults": (list, AnyFault),
    "objectives": (dict, Objective),
    "stop_when": (list, StopCondition),
}
WHOLE: dict[str, Any] = {
    "steady_state": SteadyState,
    "allow_irreversible": list[str],
    "recover_within": Duration,
    "marks": dict[str, Duration],
}


def sound_parts(data: Any, model: type[BaseModel]) -> Parts:
    """The parts that are right; `model` has the defaults of those that are not given."""
    if not isinstance(data, dict):
        return Parts()
    data = {key: None if _too_long(value) else value for key, value in data.items()}
    parts: dict[str, Any] = _entries(data, *EACH)
    for name, wanted in WHOLE.items():
        default = model.model_fields[name].get_default(call_default_factory=True)
        parts[name] = _sound(wanted, data[name]) if name in data else default
    return Parts(**parts)


def sound_variants(data: Any) -> dict[str, Replaced]:
    """What the variants replace that is right in itself, by the name of their environment."""
    given = data.get(SECTION) if isinstance(data, dict) else None
    if not isinstance(given, dict) or _too_long(given):
        return {}
    return {
        name: Replaced(**_entries(variant, "probes", "objectives"))
        for name, variant in given.items()
        if isinstance(variant, dict)
    }


def _entries(data: dict[str, Any], *names: str) -> dict[str, Any]:
    wanted = {name: EACH[name] for name in names}
    return {
        name: _each(entry, data[name])
        for name, (container, entry) in wanted.items()
        if isinstance(data.get(name), container) and not _too_long(data[name])
    }


def _too_long(given: Any) -> bool:
    """What is too long is wrong already; to look at each entry would take long, for nothing."""
    return isinstance(given, list | dict) and len(given) > MOST


def _each(wanted: Any, given: Any) -> Any:
    if isinstance(given, dict):
        return {key: _sound(wanted, entry) for key, entry in given.items()}
    return [_sound(wanted, entry) for entry in given]


def _sound(wanted: Any, given: Any) -> Any:
    try:
        return TypeAdapter(wanted).validate_python(given)
    except ValidationError:
        return None
