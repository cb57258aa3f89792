"""`${name}` in the scalars of a file, replaced before anybody knows what was wanted there.

A value stays text within its scalar: it can bring in no key, no list and no second scalar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Table
from dataclasses import dataclass, field

from chaos.schema.nodes import (
    Broken,
    Mapping,
    Node,
    Path,
    Problem,
    Scalar,
    Sequence,
    quoted,
    where,
)
from chaos.schema.words import did_you_mean

# `$${` stands for `${`, `${name}` for a value; any other `${` is a slip.
REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")


@dataclass(frozen=True, slots=True)
class Value:
    """What `${name}` stands for; `plain` when, alone in a scalar, it may be more than text.

    `shown` is what stands for it in messages, unless that is the text.
    """

    text: str
    plain: bool
    shown: str = ""


@dataclass(slots=True)
class Filling:
    """Replaces references, and keeps what is wrong with them and which names were met.

    A value of None is known and cannot be used; whoever gave it says why.
    """

    values: Table[str, Value | None]
    root: str  # what the whole file is called
    fixed: str = ""  # the key at the top below which no value may stand
    problems: list[Problem] = field(default_factory=list)
    met: set[str] = field(default_factory=set)

    def fill(self, node: Node, path: Path = ()) -> Node:
        """The node with values in the place of references, broken where that cannot be."""
        if isinstance(node, Scalar):
            return self._scalar(node, path, path[:1] != (self.fixed,))
        if isinstance(node, Sequence):
            return Sequence(node.at, [self.fill(n, (*path, i)) for i, n in enumerate(node.items)])
        if isinstance(node, Mapping):
            pairs = [
                (self._scalar(key, path, False), self.fill(inner, (*path, key.text)))
                for key, inner in node.pairs
            ]
            return Mapping(node.at, [(key, n) for key, n in pairs if isinstance(key, Scalar)])
        return node

    def _scalar(self, scalar: Scalar, path: Path, here: bool) -> Scalar | Broken:
        """The scalar with values in it, if any may be `here`."""
        if "${" not in scalar.text:
            return scalar
        found = list(REFERENCE.finditer(scalar.text))
        names = dict.fromkeys(match[1] for match in found if match[1] is not None)
        if here:
            self.met.update(names)
        whats = [what for match in found if (what := self._slip(match, here))]
        self.problems += [Problem(scalar.at, where(path, self.root), what) for what in whats]
        values = {name: value for name in names if (value := self.values.get(name))}
        return Broken(scalar.at) if whats or len(values) < len(names) else _put(scalar, values)

    def _slip(self, match: re.Match[str], here: bool) -> str:
        """What is wrong with one reference, or nothing."""
        name = match[1]
        if match[0] == "$${":
            return ""
        if name is None:
            return "'${' is not closed; write ${name}, or $${ where it means itself"
        if not here:
            return f"no variables here (${{{name}}}); write it out"
        if name not in self.values:
            hint = did_you_mean(name, self.values, tell=True)
            return f"there is no variable {quoted(name)}{hint}"
        return ""


def _put(scalar: Scalar, values: Table[str, Value]) -> Scalar:
    text = REFERENCE.sub(lambda m: "${" if m[1] is None else values[m[1]].text, scalar.text)
    alone = REFERENCE.fullmatch(scalar.text)
    plain = values[alone[1]].plain if alone and alone[1] else scalar.plain
    made_of = (f"${{{name}}} is {quoted(v.shown or v.text)}" for name, v in values.items())
    return Scalar(scalar.at, text, plain, tuple(made_of))


def none(node: Node, root: str) -> tuple[Node, list[Problem]]:
    """The node of a file that has no variables, and each reference in it as a problem."""
    filling = Filling({}, root)
    return filling.fill(node), filling.problems
