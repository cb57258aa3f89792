"""The parameters of a model, in the words of those who write files: types, limits, defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from chaos.experiment.percentages import PERCENTAGE
from probes import durations

Schema = Mapping[str, Any]

DURATION, SHARE, OR_SUCH = "duration", "percentage", "a list of such"
LIMITS = {
    "gt": "above {}",
    "ge": "at least {}",
    "lt": "below {}",
    "le": "at most {}",
    "min_length": "at least {} {}",
    "max_length": "at most {} {}",
}
RANGES = (("ge", "le", "{} to {}"), ("min_length", "max_length", "{} to {} {}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One key of a mapping in a file; that of an inner mapping is named `expect.status`.

    `default` is as a file would have it; None where leaving it out is a setting of its own, which
    the description tells.
    """

    name: str
    type: str
    limits: str = ""
    required: bool
    default: str | None
    description: str


def parameters(model: type[BaseModel], *, but: type[BaseModel] | None = None) -> list[Parameter]:
    """All parameters in the order of the class; without those that `but` has just so."""
    every = list(_parameters(model, "", required=True))
    return [p for p in every if p not in parameters(but)] if but else every


class _Lenient(GenerateJsonSchema):
    """A type that JSON Schema has no words for is anything; its description has to tell."""

    def handle_invalid_for_json_schema(self, *_: Any) -> JsonSchemaValue:
        return {}


def _parameters(model: type[BaseModel], before: str, *, required: bool) -> Iterator[Parameter]:
    whole = model.model_json_schema(schema_generator=_Lenient)
    for name, info in model.model_fields.items():
        key = info.alias or name
        must = required and info.is_required()
        inner, path = _inner(info.annotation)
        if inner:
            # In a list or a mapping of such it is each one that needs it.
            needed = must or bool(path)
            yield from _parameters(inner, f"{before}{key}{path}.", required=needed)
            continue
        words = _type(whole["properties"][key], whole.get("$defs", {}))
        yield Parameter(
            name=before + key,
            type=words,
            limits=_limits(info, words),
            required=must,
            default=_default(info, words),
            description=info.description or "",
        )


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The model that is wanted, and how its place is written in a list or a mapping of such."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    arms = [arm for arm in get_args(annotation) if arm is not type(None)]
    if get_origin(annotation) in (list, tuple) and arms:
        return _inner(arms[0])[0], "[]"
    if get_origin(annotation) is dict and len(arms) > 1:
        return _inner(arms[1])[0], ".NAME"
    return _inner(arms[0]) if len(arms) == 1 else (None, "")


def _type(schema: Schema, defs: Schema) -> str:
    """The type in words: `duration`, `list of text`, `hang or refuse`."""
    if "$ref" in schema:
        return _type(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return _any_of([arm for arm in schema["anyOf"] if arm.get("type") != "null"], defs)
    if "const" in schema or "enum" in schema:
        return _or([f"`{choice}`" for choice in schema.get("enum", [schema.get("const")])])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), defs)}"
    if schema.get("type") == "object":
        inside = schema.get("additionalProperties", {})
        return f"mapping of names to {_type(inside if isinstance(inside, dict) else {}, defs)}"
    if schema.get("type") == "string":
        return _text(schema)
    names = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
    return names.get(schema.get("type", ""), "anything")


def _any_of(arms: list[Schema], defs: Schema) -> str:
    plain = [_type(arm, defs) for arm in arms if arm.get("type") != "array"]
    lists = [_type(arm, defs) for arm in arms if arm.get("type") == "array"]
    if plain and lists == [f"list of {_or(plain)}"]:
        lists = [OR_SUCH]
    return _or([*plain, *lists])


def _text(schema: Schema) -> str:
    if schema.get("format") == "regex":
        return "regular expression"
    return {durations.PATTERN: DURATION, f"^{PERCENTAGE}$": SHARE}.get(
        schema.get("pattern", ""), "text"
    )


def _or(words: list[str]) -> str:
    *rest, last = dict.fromkeys(words)
    return f"{', '.join(rest)} or {last}" if rest else last


def _limits(info: FieldInfo, words: str) -> str:
    """`1ms to 24h`, `at least 3`; what a pattern demands is left to the description."""
    found = {
        name: _written(limit, words)
        for rule in info.metadata
        for name in ("gt", "ge", "lt", "le", "min_length", "max_length")
        if (limit := getattr(rule, name, None)) is not None
    }
    unit = "characters" if words == "text" else "entries"
    for least, most, text in RANGES:
        if least in found and most in found:
            return text.format(found[least], found[most], unit)
    told = ", ".join(LIMITS[name].format(limit, unit) for name, limit in found.items())
    return told.replace(" 1 entries", " one entry")


def _default(info: FieldInfo, words: str) -> str | None:
    if info.is_required():
        return None
    value = info.get_default(call_default_factory=True, validated_data={})
    return None if value is None else _written(value, words)


def _written(value: Any, words: str) -> str:
    """A value as a file would have it, where that is wanted."""
    if words == DURATION:
        return durations.write(float(value))
    if words == SHARE:
        return f"{value * 100:g}%"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        alone = len(value) == 1 and words.endswith(OR_SUCH)
        return str(value[0]) if alone else f"[{', '.join(map(str, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k}: {v}' for k, v in value.items())}}}"
    return str(value) if value != "" else '""'
