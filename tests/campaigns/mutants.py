"""Experiment files that nobody would write: shipped ones and wrong ones, mutated by chance.

Each has a number; the same seed and number make the same file.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chaos import library

WRONG = Path(__file__).parents[1] / "invalid"
MUTATIONS = (1, 1, 1, 2, 4)
PIECES = [
    *("", " ", "\t", "\n", "\r", "\0", ":", ": ", "- ", "? ", "{", "}", "[", "]", '"', "'", "#"),
    *("&a ", "*a", "!!int ", "!!python/object/apply:os.system ['true']", "<<: ", "%YAML 9.9\n"),
    *("---\n", "...\n", "|\n", ">+9\n", "${", "${x}", "$${", "${a}${a}", "\ufeff", "\u2028"),
    *("é", "\U0001f4a5", "\ud7ff", "\x85", "\x7f", "１２３", "a\u0301", "\u202e", "\\U99999999"),
]
VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 0.1, 1e308, float("inf")),
    *("", "~", "NO", "1:30", "1e3", "1e999", "0x" + "f" * 400, "0o777", ".inf", "nan", "9" * 5000),
    *("0s", "-1s", "1e9h", "99999999999999h", "1h1", "s", "110%", "-0%", "1/0", "50%%"),
    *("us-east-1", "mars", "/etc/passwd", "../../x.yaml", "http://[::1", "http://a:99999/", "(((("),
    *(
        "(a+)+$",
        "(?P<x>)" * 50,
        "\\",
        "x" * 100_000,
        "${name}",
        "$${",
        "i-1",
        "streaming",
        "a" * 64,
    ),
    *(
        [],
        {},
        [[]],
        [{}],
        {"kind": "http"},
        {"kind": []},
        {"": ""},
        {"kind": "command"},
        ["a"] * 5000,
    ),
    {f"key-{number}": number for number in range(2000)},
    {"k" * 50_000: 1},
]

Chance = random.Random
Make = Callable[[Chance, bytes], bytes]


@cache
def corpus() -> list[bytes]:
    """The files that are mutated; as often one that was right as one that was wrong."""
    wrong = [path.read_bytes() for path in sorted(WRONG.glob("*.yaml"))]
    right = [path.read_bytes() for path in library.shipped()]
    return wrong + right * (len(wrong) // len(right))


@cache
def trees() -> list[Any]:
    """What those files say that can be read as YAML."""
    found = []
    for data in corpus():
        try:
            tree = yaml.load(data, yaml.BaseLoader)  # noqa: S506  # it makes text of everything
        except (yaml.YAMLError, ValueError, OverflowError):
            continue
        if isinstance(tree, dict):
            found.append(tree)
    return found


def mutant(seed: int, number: int) -> bytes:
    """The file with that number."""
    chance = Chance(f"{seed}:{number}")
    make = chance.choice([_text] * 4 + [_tree] * 7 + [_deep])
    data = make(chance)
    for _ in range(chance.choice([0, 0, 0, 0, 1, 3])):
        data = chance.choice(ON_BYTES)(chance, data)
    return data


def _text(chance: Chance) -> bytes:
    data = chance.choice(corpus())
    for _ in range(chance.choice(MUTATIONS)):
        data = chance.choice(ON_BYTES)(chance, data)
    return data


def _tree(chance: Chance) -> bytes:
    tree = deepcopy(chance.choice(trees()))
    for _ in range(chance.choice(MUTATIONS)):
        _mutate(chance, tree)
    if chance.random() < 0.5:
        return json.dumps(tree, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=10_000)
    return text.encode(errors="surrogatepass")


def _deep(chance: Chance) -> bytes:
    """A file with something nested, repeated or aliased more often than anybody would."""
    often = chance.choice([10, 10, 100, 100, 1000, 20_000])
    pair = chance.choice([("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("a: {", "}")])
    monster = chance.choice(
        [
            (pair[0] * often + pair[1] * often).encode(),
            b"".join(b"key%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(often)),
            b"a: 1\n" * often,
            b"".join(b"%d: 1\n" % n for n in range(often)),
            ("x" * often + ": y").encode(),
            (" " * often + "x: 1\n").encode(),
            b"'" + b"''" * often,
            ("${x" * often + "}" * often).encode(),
            b"".join(b"- {kind: region_outage, at: %ds}\n" % n for n in range(min(often, 5000))),
        ]
    )
    data = chance.choice(corpus())
    at = data.rfind(b"\n", 0, chance.randrange(len(data) + 1)) + 1
    return chance.choice([monster, data[:at] + monster + b"\n" + data[at:], data + monster])


def _mutate(chance: Chance, tree: Any) -> None:
    """Change one place of the tree."""
    holder, key = _place(chance, tree)
    change = chance.randrange(5)
    if change == 0:
        holder[key] = deepcopy(chance.choice(VALUES))
    elif change == 1:
        del holder[key]
    elif change == 2:
        other, there = _place(chance, chance.choice(trees()))
        holder[key] = deepcopy(other[there])
    elif isinstance(holder, list):
        holder.extend([holder[key]] * chance.choice([1, 1, 3, 3, 1000]))
    else:
        name = chance.choice([*VALUES[12:40], str(key).upper(), f"{key}s", key])
        holder[str(name)] = holder.pop(key)


def _place(chance: Chance, tree: Any) -> tuple[Any, Any]:
    """A list or mapping in the tree, and a key of it."""
    holder = tree
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return {"": ""}, ""
        key = chance.choice(keys)
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.2:
            return holder, key
        holder = inner


def _flip(chance: Chance, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _cut(chance: Chance, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice([1, 5, 50, 5000]) :]


def _put(chance: Chance, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    piece = chance.choice(PIECES).encode(errors="surrogatepass")
    return data[:at] + piece * chance.choice([1, 1, 2, 100]) + data[at:]


def _splice(chance: Chance, data: bytes) -> bytes:
    """Lines of another file in between, or the file's own ones once more, or shuffled."""
    lines = data.split(b"\n")
    others = chance.choice([lines, chance.choice(corpus()).split(b"\n")])
    begin, at = chance.randrange(len(others)), chance.randrange(len(lines) + 1)
    taken = others[begin : begin + chance.choice([1, 3, 30])]
    indent = b" " * chance.choice([0, 0, 2, 4])
    return b"\n".join([*lines[:at], *(indent + line for line in taken), *lines[at:]])


def _repeat(chance: Chance, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    piece = data[at : at + chance.choice([1, 10, 100])]
    return data[:at] + piece * chance.choice([2, 2, 2, 50, 1000]) + data[at:]


ON_BYTES: list[Make] = [_flip, _flip, _cut, _put, _put, _splice, _splice, _repeat]
