"""TOML to the nodes that YAML files give, so that models are decoded and told of just the same.

`tomllib` knows whether a text is TOML and what its values are, but not where they stand. So a text
that it has accepted is walked through once more, for the places of keys and values alone.
"""

from __future__ import annotations

import bisect
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any, cast

from chaos.schema.nodes import At, Mapping, Node, Problem, Scalar, Sequence
from chaos.schema.reader import DEEPEST, LARGEST

BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
SPACE = re.compile(r"[ \t]*")
STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Everything but a string, a list or a table: numbers, truth values, dates and times.
BARE_VALUE = re.compile(r"[^,\]}#\n]+")
TOO_MUCH = f"is nested more than {DEEPEST} deep, or has a number of too many digits"


@dataclass
class _Table:
    """A table that may still grow: TOML opens one wherever it likes."""

    at: At
    entries: dict[str, tuple[Scalar, _Table | _Tables | Node]] = field(default_factory=dict)


@dataclass
class _Tables:
    """The tables of a `[[list]]`."""

    at: At
    items: list[_Table] = field(default_factory=list)


def read(data: bytes, root: str) -> tuple[Node | None, list[Problem]]:
    """The node that the file is, or None when it cannot be made out, and what is wrong."""
    if len(data) > LARGEST:
        return None, [Problem((1, 1), root, f"is larger than {LARGEST // 1024} KiB")]
    try:
        text = data.decode()
        tomllib.loads(text)
        return _frozen(_Walk(text.replace("\r\n", "\n")).document()), []
    except UnicodeDecodeError:
        return None, [Problem((1, 1), root, "is not UTF-8 text")]
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax(str(error), data.decode())]
    except (RecursionError, ValueError):  # lists in lists without end; a million digits
        return None, [Problem((1, 1), root, TOO_MUCH)]


def _syntax(said: str, text: str) -> Problem:
    """tomllib's own words end with `(at line 3, column 5)` or `(at end of document)`."""
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    lines = text.split("\n")
    at = (len(lines), len(lines[-1]) + 1)
    if place and place[1]:
        at = int(place[1]), int(place[2])
    what = said[: place.start()] if place else said
    return Problem(at, "syntax", f"{what[:1].lower()}{what[1:]}")


class _Walk:
    """Finds the places in a text that is TOML."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._depth = 0
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def document(self) -> _Table:
        root = table = _Table((1, 1))
        while self._skip(BLANK) < len(self._text):
            if self._text.startswith("[", self._pos):
                table = self._header(root)
            else:
                self._pair(table)
        return root

    def _header(self, root: _Table) -> _Table:
        many = self._text.startswith("[[", self._pos)
        self._pos += 2 if many else 1
        *before, last = self._keys()
        self._pos += 2 if many else 1
        table = _inside(root, before)
        if not many:
            return _inside(table, [last])
        _, tables = table.entries.setdefault(last.text, (last, _Tables(last.at)))
        added = _Table(last.at)
        cast("_Tables", tables).items.append(added)  # tomllib would not have taken another
        return added

    def _pair(self, table: _Table) -> None:
        *before, last = self._keys()
        self._pos += 1  # the =
        self._skip(SPACE)
        _inside(table, before).entries[last.text] = (last, self._value())

    def _keys(self) -> list[Scalar]:
        keys: list[Scalar] = []
        while True:
            self._skip(SPACE)
            at, quoted = self._at(), self._text[self._pos] in "\"'"
            written = self._take(STRING if quoted else BARE_KEY)
            keys.append(Scalar(at, _meant(written) if quoted else written, False))
            self._skip(SPACE)
            if self._text[self._pos] != ".":
                return keys
            self._pos += 1

    def _value(self) -> _Table | Node:
        at, first = self._at(), self._text[self._pos]
        if first == "[":
            return Sequence(at, self._list())
        if first == "{":
            return self._inline(at)
        if first in "\"'":
            return Scalar(at, _meant(self._take(STRING)), False)
        return Scalar(at, self._take(BARE_VALUE).strip(), True)

    def _list(self) -> list[Node]:
        items: list[Node] = []
        self._deeper(1)
        while self._text[self._skip(BLANK)] != "]":
            items.append(_frozen(self._value()))
            if self._text[self._skip(BLANK)] == ",":
                self._pos += 1
        self._deeper(-1)
        return items

    def _inline(self, at: At) -> _Table:
        table = _Table(at)
        self._deeper(1)
        while self._text[self._skip(BLANK)] != "}":
            self._pair(table)
            if self._text[self._skip(BLANK)] == ",":
                self._pos += 1
        self._deeper(-1)
        return table

    def _deeper(self, step: int) -> None:
        """Past the bracket that opens or closes a list or a table."""
        self._pos += 1
        self._depth += step
        if self._depth > DEEPEST:
            raise RecursionError

    def _skip(self, pattern: re.Pattern[str]) -> int:
        self._take(pattern)
        return self._pos

    def _take(self, pattern: re.Pattern[str]) -> str:
        # It matches, because tomllib has taken the text.
        found = cast("re.Match[str]", pattern.match(self._text, self._pos))
        self._pos = found.end()
        return found[0]

    def _at(self) -> At:
        line = bisect.bisect_right(self._lines, self._pos)
        return line, self._pos - self._lines[line - 1] + 1


def _inside(table: _Table, keys: list[Scalar]) -> _Table:
    """The table at these keys, opened where it is not yet; of a list of tables the last one."""
    for key in keys:
        _, found = table.entries.setdefault(key.text, (key, _Table(key.at)))
        table = found.items[-1] if isinstance(found, _Tables) else found  # type: ignore[assignment]
    return table


def _frozen(found: _Table | _Tables | Node) -> Node:
    if isinstance(found, _Tables):
        return Sequence(found.at, [_frozen(table) for table in found.items])
    if isinstance(found, _Table):
        return Mapping(found.at, [(key, _frozen(inner)) for key, inner in found.entries.values()])
    return found


def _meant(written: str) -> str:
    """The text that a string in its quotes stands for."""
    value: Any = tomllib.loads(f"v = {written}")["v"]
    return str(value)
