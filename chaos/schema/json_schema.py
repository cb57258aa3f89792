"""JSON Schema (draft 2020-12) of a model's files, for editors.

It accepts what the reader of files accepts: a scalar is the text that it is written as, so that a
number may be quoted and text may look like a number, and `${variable}` may stand in any of them.
What depends on several values at once, or on more than a pattern, is left to the reader.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from probes import durations

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE = {"$ref": "#/$defs/variable"}
DEFINITION = {
    "description": "text with a variable in it, such as ${region}",
    "type": "string",
    "pattern": r"\$\{[^{}]*\}",
}
TRUTHS = ("0", "1", "f", "false", "n", "no", "off", "on", "t", "true", "y", "yes")
# Texts that pydantic reads as more than text, by type. Patterns of editors have no flags.
LIKE = {
    "integer": r"^\s*[-+]?\d[\d_]*(\.0*)?\s*$",
    "number": r"^\s*[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d[\d_]*)?\s*$",
    "boolean": f"^({'|'.join(''.join(f'[{c}{c.upper()}]' for c in word) for word in TRUTHS)})$",
}
# Texts that an editor takes for more, by type: where one of them fits, others may.
SAMPLES = {
    "number": ("0", "1", "7", "42", "200", "1000000", "0.5", "1e3"),
    "boolean": ("true", "false"),
}
NOTES = ("description", "default")


class _Untitled(GenerateJsonSchema):
    """Titles would only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def json_schema(model: type[BaseModel], title: str) -> Schema:
    """The schema of the files that describe the model."""
    schema = model.model_json_schema(schema_generator=_Untitled)
    definitions = {name: _loose(inner) for name, inner in schema.pop("$defs", {}).items()}
    return {
        "$schema": DIALECT,
        **_loose(schema),
        "title": title,
        "$defs": {**definitions, "variable": DEFINITION},
    }


def _loose(schema: Schema) -> Schema:
    """What may be written where `schema` says what is meant."""
    accepted: list[Schema] = []
    for alternative in _accepted({k: v for k, v in schema.items() if k not in NOTES}):
        if alternative not in accepted:
            accepted.append(alternative)
    notes = {name: schema[name] for name in NOTES if schema.get(name) is not None}
    if "default" in notes and any(each.get("pattern") == durations.PATTERN for each in accepted):
        notes["default"] = durations.write(notes["default"])
    return notes | (accepted[0] if len(accepted) == 1 else {"anyOf": accepted})


def _accepted(schema: Schema) -> list[Schema]:
    """The alternatives to a schema without notes."""
    for of in ("anyOf", "oneOf") if "type" not in schema else ():
        if of in schema:
            return [found for inner in schema[of] for found in _accepted(inner)]
    if "const" in schema or "enum" in schema:
        return [schema, VARIABLE]
    type_ = schema.get("type")
    if type_ in LIKE:
        return [schema, {"type": "string", "pattern": LIKE[type_]}, VARIABLE]
    if type_ == "string":
        return _text(schema)
    return [_container(schema)] if type_ in ("object", "array") else [schema]


def _text(schema: Schema) -> list[Schema]:
    limits = {k: v for k, v in schema.items() if k in ("pattern", "minLength", "maxLength")}
    pattern = limits.get("pattern", "")
    fit = [type_ for type_, texts in SAMPLES.items() if any(re.search(pattern, t) for t in texts)]
    # Limits are for strings alone: what is no string is not held to them.
    return [{"type": ["string", *fit] if fit else "string", **limits}, *([VARIABLE] * bool(limits))]


def _container(schema: Schema) -> Schema:
    found = {name: value for name, value in schema.items() if name != "title"}
    for name in ("properties", "patternProperties"):
        if name in schema:
            found[name] = {key: _loose(inner) for key, inner in schema[name].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            found[name] = _loose(schema[name])
    if "allOf" in schema:  # what follows from a kind
        found["allOf"] = [{**case, "then": _loose(case["then"])} for case in schema["allOf"]]
    if "patternProperties" in schema:  # pydantic leaves open what becomes of other keys
        found["additionalProperties"] = False
    return found
