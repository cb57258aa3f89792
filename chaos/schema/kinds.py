"""Values that say by their `kind` what they are, as faults and probes do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from chaos.errors import InvalidInput
from chaos.schema.nodes import quoted
from chaos.schema.words import did_you_mean


@dataclass(frozen=True, slots=True)
class ByKind:
    """The annotation that `by_kind` makes."""

    table: Callable[[], Mapping[str, type[BaseModel]]]
    group: str

    def model(self, kind: object) -> type[BaseModel] | None:
        """The model of that kind, from the table or from an installed package; else None.

        Raises InvalidInput when the package that has it cannot be loaded.
        """
        if not isinstance(kind, str):
            return None
        found = self.table().get(kind)
        if found is None and (entry := self._entries().get(kind)):
            try:
                found = entry.load()
            except (ImportError, AttributeError) as error:
                raise InvalidInput(f"kind {kind!r} cannot be loaded: {error}") from error
        return found

    def names(self) -> list[str]:
        """All kinds that there are: ours, then those of installed packages."""
        return list(dict.fromkeys([*self.table(), *self._entries()]))

    def _entries(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=self.group)}

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
        model = self.model(kind)
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


def by_kind(table: Callable[[], Mapping[str, type[BaseModel]]], group: str) -> ByKind:
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
