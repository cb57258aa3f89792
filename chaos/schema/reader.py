"""A strict reader of YAML: text to nodes, and all that is wrong with the text itself.

YAML's surprises are refused (anchors, aliases, merge keys, tags, duplicate keys). This is the one
door to PyYAML. Its events are taken from the loader in pure Python, which is fast enough for the
files that may be, and whose errors say where the trouble began; libyaml's do not.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from chaos.schema.nodes import (
    SHOWN,
    At,
    Broken,
    Mapping,
    Node,
    Path,
    Problem,
    Scalar,
    Sequence,
    where,
)

# So that no file takes a second to read. What is shipped has at most 9 KiB and 200 values.
LARGEST = 256 * 1024  # bytes of a file
MOST = 10_000  # keys, values, mappings and lists in it
LONGEST = 64 * 1024  # characters of one key or value
DEEPEST = 32  # mappings and lists within each other

# Control characters but tab, line feed and carriage return; U+2028 and U+2029, which break lines in
# YAML 1.1; halves of pairs, and what is no character. Without ranges over most of Unicode, as a
# list of what is allowed would have, it takes a tenth of the time to compile.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

# PyYAML's words, ours, and whether the place is where the trouble began, not where it was noticed.
SYNTAX = [
    (r"found character '\\t'", "a tab is not allowed here; use spaces", False),
    (r"found character (.+) that", r"a value cannot begin with \1; put it in quotes", False),
    (r"mapping values are not", "no ':' is allowed here; check indentation and quotes", False),
    (r"could not find expected ':'", "there is no ':' behind this key", True),
    (r"expected <block end>", "fits nothing before it; check indentation and quotes", False),
    (r"expected ',' or '(.)'", r"what opens here lacks its '\1', or a ',' on the way to it", True),
    (r"found unexpected end of", "the quotes that open here are not closed", True),
    (r"expected the node content", "a key or a value is missing here", False),
    (r"expected '<document start>'", "fits nothing before it; check indentation and quotes", False),
    (r"expected alphabetic or", "put text that begins with & or * in quotes", True),
    (r"found unknown escape", r"there is no such escape; write \\\\ or use single quotes", False),
]


def read(data: bytes, root: str) -> tuple[Node | None, list[Problem]]:
    """The node that the file is, or None when it cannot be made out, and what is wrong."""
    if len(data) > LARGEST:
        return None, [Problem((1, 1), root, f"is larger than {LARGEST // 1024} KiB")]
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = _lines(data[: error.start].decode().removeprefix("\ufeff"))
        return None, [Problem((len(before), len(before[-1]) + 1), root, "is not UTF-8 text")]
    if FORBIDDEN.search(text):
        return None, [
            Problem((number, wrong.start() + 1), root, forbidden(wrong[0]))
            for number, line in enumerate(_lines(text), 1)
            for wrong in FORBIDDEN.finditer(line)
        ]
    reader = _Reader(text, root)
    return reader.document(), reader.problems


def _lines(text: str) -> list[str]:
    return re.split("\r\n|\r|\n", text)


def forbidden(character: str) -> str:
    """Why that character may not stand in a file."""
    return f"the character U+{ord(character):04X} is not allowed"


class _Unreadable(Exception):
    """The text cannot be read any further."""


class _Reader:
    """Builds nodes from PyYAML's events, never deeper than allowed."""

    def __init__(self, text: str, root: str) -> None:
        self.problems: list[Problem] = []
        self._root = root
        self._count = 0
        self._loader = yaml.SafeLoader(text)

    def document(self) -> Node | None:
        """The only document of the text, or None when it cannot be read to its end."""
        try:
            self._next()  # the stream begins
            if isinstance(self._next(), yaml.StreamEndEvent):
                self._wrong((1, 1), (), "the file is empty")
                return None
            node = self._node(self._next(), (), 1)
            self._next()  # the document ends
            if isinstance(more := self._next(), yaml.DocumentStartEvent):
                at = _place(more.start_mark)
                self._wrong(at, (), "a second document begins here; only one may be")
        except _Unreadable:
            return None
        return node

    def _next(self) -> Any:
        try:
            return self._loader.get_event()  # type: ignore[no-untyped-call]  # its stub has no type
        except yaml.MarkedYAMLError as error:
            self.problems.append(_syntax(error))
        except (ValueError, OverflowError):  # PyYAML does not check the range of "\U…"
            at = _place(self._loader.get_mark())
            self.problems.append(Problem(at, "syntax", "there is no such character"))
        raise _Unreadable

    def _node(self, event: Any, path: Path, depth: int) -> Node:
        at = _place(event.start_mark)
        self._count += 1
        if self._count > MOST:
            self._wrong(at, (), f"has more than {MOST:,} keys and values")
            raise _Unreadable
        if isinstance(event, yaml.AliasEvent):
            anchor = event.anchor or ""  # the stub says that it may be None
            return self._wrong(at, path, f"no aliases (*{anchor[:SHOWN]}); write it out again")
        if event.anchor is not None:
            self._wrong(
                at, path, f"no anchors (&{event.anchor[:SHOWN]}); write it where it is needed"
            )
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._wrong(at, path, f"no tags ({tag[:SHOWN]}); the type is known without")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(Scalar(at, event.value, event.style is None), path)
        if depth > DEEPEST:
            self._wrong(at, path, f"is nested more than {DEEPEST} deep")
            raise _Unreadable
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(at, path, depth)
        return self._mapping(at, path, depth)

    def _scalar(self, scalar: Scalar, path: Path) -> Node:
        if wrong := FORBIDDEN.search(scalar.text):
            return self._wrong(scalar.at, path, forbidden(wrong[0]))
        if len(scalar.text) > LONGEST:
            return self._wrong(scalar.at, path, f"is longer than {LONGEST:,} characters")
        return scalar

    def _sequence(self, at: At, path: Path, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), depth + 1))
        return Sequence(at, items)

    def _mapping(self, at: At, path: Path, depth: int) -> Node:
        pairs: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, path, depth + 1)
            inside = (*path, key.text) if isinstance(key, Scalar) else path
            node = self._node(self._next(), inside, depth + 1)
            if isinstance(key, Scalar) and not self._refused(key, pairs, inside):
                pairs[key.text] = (key, node)
            elif isinstance(key, Sequence | Mapping):
                self._wrong(key.at, path, "a key must be text")
        return Mapping(at, list(pairs.values()))

    def _refused(self, key: Scalar, pairs: dict[str, tuple[Scalar, Node]], path: Path) -> bool:
        what = ""
        if key.plain and key.text == "<<":
            what = "no merge keys (<<); write the keys out"
        elif key.plain and not key.text:
            what = "a key is missing before the ':'"
        elif key.text in pairs:
            what = f"is given a second time; the first is in line {pairs[key.text][0].at[0]}"
        if what:
            self._wrong(key.at, path, what)
        return bool(what)

    def _wrong(self, at: At, path: Path, what: str) -> Broken:
        self.problems.append(Problem(at, where(path, self._root), what))
        return Broken(at)


def _place(mark: Any) -> At:
    return mark.line + 1, mark.column + 1


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    what, mark = error.problem or "", error.problem_mark
    for pattern, ours, began in SYNTAX:
        if found := re.search(pattern, what):
            what = found.expand(ours)
            mark = error.context_mark if began else mark
            break
    return Problem(_place(mark), "syntax", what)
