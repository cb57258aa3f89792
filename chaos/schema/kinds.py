"""Values that say by their `kind` what they are, as faults and probes do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from chaos import extensions
from chaos.errors import InvalidInput
from chaos.schema.nodes import quoted
from chaos.schema.words import did_you_mean


@dataclass(frozen=True, slots=True)
class ByKind:
    """The annotation that `by_kind` makes."""

    table: Callable[[], Mapping[str, type[BaseModel]]]
    group: extensions.Group

    def model(self, kind: object) -> type[BaseModel] | None:
        """The model of that kind, from the table or from an installed package; else None.

        Raises InvalidInput when the package that has it cannot be loaded, or mislabels it.
        """
        if not isinstance(kind, str):
            return None
        return self.table().get(kind) or extensions.find(self.group, kind)

    def names(self) -> list[str]:
        """All kinds that there are: ours, then those of installed packages."""
        return list(dict.fromkeys([*self.table(), *extensions.names(self.group)]))

    def decode(
        self, value: Any, base: ValidatorFunctionWrapHandler, info: core_schema.ValidationInfo
    ) -> Any:
        """The instance of the kind's own model; what is no mapping is left to the base's words."""
        if not isinstance(value, dict):
            return base(value)
        kind = value.get("kind")
        if kind is None:
            what = f"is missing; known are {', '.join(self.names())}"
            raise problems("kind", [problem("kind", what=what)])
        try:
            model = self.model(kind)
        except InvalidInput as error:
            raise problems("kind", [problem("kind", what=str(error))]) from error
        if model is None:
            hint = did_you_mean(kind, self.names(), tell=True)
            what = f"there is no kind {quoted(kind)}{hint}"
            if not isinstance(kind, str):
                what = f"must be text, not {quoted(kind)}"
            raise problems("kind", [problem("kind", what=what)])
        return model.model_validate(value, context=info.context)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_wrap_validator_function(self.decode, handler(source))

    def __get_pydantic_json_schema__(
        self, _: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """By kind, the schema of its model; of a kind that cannot be loaded, nothing is said."""
        kinds: list[dict[str, Any]] = []
        settings: list[dict[str, Any]] = []
        for kind in self.names():
            try:
                model: Any = self.model(kind)
            except InvalidInput as error:
                kinds.append({"const": kind, "description": str(error)})
                continue
            kinds.append({"const": kind, "description": getattr(model, "summary", "")})
            given = {"required": ["kind"], "properties": {"kind": {"const": kind}}}
            settings.append({"if": given, "then": handler(model.__pydantic_core_schema__)})
        return {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"anyOf": kinds}},
            "allOf": settings,
        }


def by_kind(table: Callable[[], Mapping[str, type[BaseModel]]], group: extensions.Group) -> ByKind:
    """For `Annotated[Base, by_kind(…)]`: a mapping is decoded by the model that its `kind` names.

    `table` gives the models by kind; it is asked only when a value is decoded. A kind that is
    not in it is looked for among the entry points of `group`, and loaded only if it is used.
    """
    return ByKind(table, group)


def problem(*path: str | int, what: str) -> InitErrorDetails:
    """One problem found by a validator of ours, at `path` below what it validates."""
    error = PydanticCustomError("chaos", "{what}", {"what": what})
    return InitErrorDetails(type=error, loc=path, input=None)


def relayed(error: ValidationError) -> list[InitErrorDetails]:
    """The problems of an error, to be raised again together with others."""
    return [
        InitErrorDetails(
            type=PydanticCustomError(e["type"], "{msg}", {**e.get("ctx", {}), "msg": e["msg"]}),
            loc=e["loc"],
            input=e["input"],
        )
        for e in error.errors(include_url=False)
    ]


def problems(title: str, found: list[InitErrorDetails]) -> ValidationError:
    """The error for a validator to raise; pydantic puts its path in front of theirs."""
    return ValidationError.from_exception_data(title, found)
