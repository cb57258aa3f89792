"""The variables of an experiment: declared in its file, given when it is used.

    variables:
      region: {default: us-east-1, description: the region that goes dark}
      lasts: {type: duration, one_of: [3m, 10m]}

`${region}` then stands for the value in any scalar of the file, alone or within other text, and
`--var lasts=10m` gives one. A variable without a default has to be given. One that is `secret` has
none, may be given as `@FILE` or `env:NAME`, and is shown nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import InitErrorDetails

from chaos import schema
from chaos.errors import InvalidInput
from chaos.experiment import secret_values
from chaos.experiment.objectives import FROZEN
from chaos.experiment.percentages import fraction
from chaos.schema import nodes
from chaos.schema.checked import checked
from chaos.schema.nodes import At, Node, Problem
from chaos.schema.reader import FORBIDDEN, forbidden
from chaos.schema.references import Filling, Value
from chaos.secrets import MASK, SECRETS
from probes import durations

SECTION = "variables"
TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise ValueError(f"{nodes.quoted(text)} is no whole number such as 3")
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        raise ValueError(f"{nodes.quoted(text)} is no number such as 1.5")
    return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in TRUTHS:
        raise ValueError(f"{nodes.quoted(text)} is neither true nor false")
    return TRUTHS[text.lower()]


# How a value of each type is read, how one may be written, and whether it may be more than text
# where anything may stand.
TYPES: dict[str, tuple[Callable[[str], object], str, bool]] = {
    "boolean": (_boolean, "true", True),
    "duration": (durations.parse, "30s", False),
    "integer": (_integer, "3", True),
    "number": (_number, "1.5", True),
    "percentage": (fraction, "40%", False),
    "text": (str, "TEXT", False),
}


class Variable(BaseModel):
    """What may be given in the place of `${name}`."""

    model_config = FROZEN

    type: Literal["boolean", "duration", "integer", "number", "percentage", "text"] = Field(
        default="text", description="what a value must be"
    )
    default: str | None = Field(default=None, description="the value when none is given")
    one_of: list[str] = Field(default_factory=list, description="the only values that may be")
    description: str = Field(default="", description="what it is for")
    secret: bool = Field(
        default=False, description="its value is text that is shown and written nowhere"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.secret and (found := list(self._told())):
            raise schema.problems(type(self).__name__, found)
        found = [
            schema.problem("one_of", i, what=what)
            for i, choice in enumerate(self.one_of)
            if (what := self._not_of_type(choice))
        ]
        if self.default is None and "default" in self.model_fields_set:
            what = "is empty; leave it out where a value must be given, or write ''"
            found.append(schema.problem("default", what=what))
        elif self.default is not None and not found and (what := self.wrong(self.default)):
            found.append(schema.problem("default", what=what))
        if found:
            raise schema.problems(type(self).__name__, found)
        return self

    def _told(self) -> Iterator[InitErrorDetails]:
        """What would tell a secret to whoever reads the file."""
        if "default" in self.model_fields_set:
            what = "no file may hold a secret; give it with --var NAME=@FILE or --var NAME=env:NAME"
            yield schema.problem("default", what=what)
        if self.one_of:
            yield schema.problem("one_of", what="no file may hold a secret; leave it out")
        if self.type != "text":
            yield schema.problem("type", what="a secret is text; leave it out")

    def wrong(self, text: str) -> str:
        """Why the text is no value of this variable, or nothing."""
        if what := self._not_of_type(text):
            return what
        read = TYPES[self.type][0]
        if self.one_of and read(text) not in [read(choice) for choice in self.one_of]:
            hint = schema.did_you_mean(text, self.one_of)
            return f"{nodes.quoted(text)} is not one of {', '.join(self.one_of)}{hint}"
        return ""

    def value(self, text: str) -> Value:
        """The value that the text is."""
        plain = TYPES[self.type][2]
        if self.secret:
            return Value(text, plain, shown=MASK)
        return Value(str(_boolean(text)).lower() if self.type == "boolean" else text, plain)

    @property
    def sample(self) -> str:
        """How a value may look."""
        if self.secret:
            return "@FILE"
        return self.one_of[0] if self.one_of else TYPES[self.type][1]

    def _not_of_type(self, text: str) -> str:
        if character := FORBIDDEN.search(text):
            return forbidden(character[0])
        try:
            TYPES[self.type][0](text)
        except ValueError as error:
            return str(error)
        return ""


class Given:
    """The values that a user gave for one file, by name, as text.

    `problems` are those that no place in the file has; `used` are the values that `fill` took,
    given or not.
    """

    def __init__(self, values: Mapping[str, str], file: str) -> None:
        self.problems: list[str] = []
        self.used: dict[str, str] = {}
        self._values = values
        self._file = file

    def fill(self, node: Node, root: str) -> tuple[Node, list[Problem]]:
        """The root of an experiment's file with values in it, and what is wrong in the file."""
        declared = _declared(node)
        variables = {name: variable for name, (_, variable) in declared.items()}
        self._refuse_unknown(variables)
        filling = Filling({n: self._value(n, v) for n, v in variables.items()}, root, SECTION)
        filled = filling.fill(node)
        # Where a reference is wrong, it may have been meant for a variable that seems unused.
        unused = set() if filling.problems else declared.keys() - filling.met
        for name, (at, variable) in declared.items():
            if what := self._lacks(name, variable, name in unused):
                filling.problems.append(Problem(at, f"{SECTION}.{name}", what))
        return filled, filling.problems

    def _refuse_unknown(self, known: Collection[str]) -> None:
        others = f", only {', '.join(known)}" if known else ", nor any other"
        for name in self._values:
            if name not in known:
                hint = schema.did_you_mean(name, known)
                what = f"{self._file} has no variable {nodes.quoted(name)}{others}{hint}"
                self.problems.append(f"--var: {what}")

    def _value(self, name: str, variable: Variable | None) -> Value | None:
        text = self._values.get(name, variable.default if variable else None)
        if variable is None or text is None:
            return None
        if variable.secret:
            try:
                text = secret_values.given(name, text)
            except InvalidInput as error:
                self.problems += error.problems
                return None
            SECRETS.add(text)
        if what := variable.wrong(text):
            self.problems.append(f"--var {name}: {what}")
            return None
        value = variable.value(text)
        self.used[name] = value.shown or value.text
        return value

    def _lacks(self, name: str, variable: Variable | None, unused: bool) -> str:
        if unused:
            return f"is used nowhere; write ${{{name}}} where it is wanted, or leave it out"
        if variable is None or variable.default is not None or name in self._values:
            return ""
        meant = f" ({variable.description})" if variable.description else ""
        return f"has no value{meant}; give one: --var {name}={variable.sample}"


def _declared(root: Node) -> dict[str, tuple[At, Variable | None]]:
    """Where each variable is declared, and what it is when that is right in itself."""
    pairs = root.pairs if isinstance(root, nodes.Mapping) else ()
    section = next((node for key, node in pairs if key.text == SECTION), None)
    if not isinstance(section, nodes.Mapping):
        return {}
    return {k.text: (k.at, checked(n, Variable, SECTION, None)[0]) for k, n in section.pairs}
