"""TOML gives the same nodes as YAML does: values as `tomllib` reads them, each with its place."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.schema import toml
from chaos.schema.nodes import Mapping, Node, Scalar, Sequence

DOCUMENT = '''\
# a comment with "quotes" and [brackets]
title = "a # in \\"text\\"" # behind
"a key" . 'with.dots' = 'C:\\path'
many = """
two
lines"""
inline = {a = 1, b = {c = [1, 2.5, "x,y]"]}, "d}" = true}
list = [
  "one", # first
  [2, 3],
  {x = 1979-05-27 07:32:00Z},
]

[table.inner]
value = -1_000

[[rows]]
n = 1
[rows.more]
m = 1

[[rows]]
n = 2
'''


def plain(node: Node) -> Any:
    """The node as nested dicts and lists of the text of its scalars."""
    if isinstance(node, Mapping):
        return {key.text: plain(inner) for key, inner in node.pairs}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.text if not node.plain else tomllib.loads(f"v = {node.text}")["v"]


def read(text: str) -> Node:
    node, found = toml.read(text.encode(), "policy")
    assert node is not None, found
    assert found == []
    return node


def test_everything_has_the_value_that_tomllib_gives_it() -> None:
    assert plain(read(DOCUMENT)) == tomllib.loads(DOCUMENT)
    assert plain(read(DOCUMENT.replace("\n", "\r\n"))) == tomllib.loads(DOCUMENT)


@pytest.mark.parametrize(
    ("path", "at"),
    [
        (("title",), (2, 1)),
        (("a key", "with.dots"), (3, 11)),
        (("inline", "b", "c"), (7, 23)),
        (("inline", "d}"), (7, 46)),
        (("table", "inner", "value"), (15, 1)),
        (("rows", 0, "more", "m"), (20, 1)),
        (("rows", 1, "n"), (23, 1)),
    ],
)
def test_each_key_has_its_place(path: tuple[str | int, ...], at: tuple[int, int]) -> None:
    node, key = read(DOCUMENT), None
    for step in path:
        if isinstance(node, Sequence):
            assert isinstance(step, int)
            node = node.items[step]
        else:
            assert isinstance(node, Mapping)
            key, node = next(pair for pair in node.pairs if pair[0].text == step)
    assert key is not None
    assert key.at == at


PIECES = ["[a]", "[[b]]", "a = 1", "b.c = 'x'", "d = [1, [2]]", "[a.b]", "e = {f = 1}", "", "# x"]
PIECES += [
    '"q" = """\na"""',
    "[[b]]\nx = 1",
    "a.b.c = {}",
    "l = [\n]",
    "[",
    "x = ",
    "'''",
    "}",
    "\t",
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_whatever_tomllib_accepts_is_read_the_same(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        wanted = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        node, found = toml.read(text.encode(), "policy")
        assert node is None
        assert len(found) == 1
    else:
        assert plain(read(text)) == wanted


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=60), st.text(alphabet="[]{}=.\"'#\n ab1,\\", max_size=60)))
def test_whatever_it_is_it_is_read_or_refused(given_: bytes | str) -> None:
    data = given_.encode() if isinstance(given_, str) else given_
    node, found = toml.read(data, "policy")
    assert (node is None) == bool(found)
