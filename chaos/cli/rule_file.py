"""All rules that a command was given: one by one, and in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue, RootModel

from chaos import schema
from chaos.cli.rule_text import as_rule, read_rule
from chaos.errors import InvalidInput, Located


class Rules(RootModel[list[JsonValue]]):
    """A list of rules, each as a line of text or with the keys that its JSON has."""


def read_rules(texts: Sequence[str], file: Path | None) -> dict[str, dict[str, Any]]:
    """The rules as JSON, by their numbers from 1; raises InvalidInput with all problems."""
    rules: list[dict[str, Any]] = []
    problems: list[str] = []
    for text in texts:
        try:
            rules.append(read_rule(text))
        except InvalidInput as error:
            problems += error.problems
    if file is not None:
        of_file, wrong = _of_file(file)
        rules += of_file
        problems += wrong
    if problems:
        raise InvalidInput(*problems)
    return {str(number): rule for number, rule in enumerate(rules, 1)}


def _of_file(file: Path) -> tuple[list[dict[str, Any]], list[str]]:
    data = schema.read(file)
    rules: list[dict[str, Any]] = []
    problems: list[str] = []
    for number, given in enumerate(schema.loads(data, Rules, str(file)).root):
        try:
            rules.append(as_rule(given))
        except ValueError as error:
            at = schema.place(data, (number,))
            problems.append(Located(str(file), *at, schema.where((number,), "rules"), str(error)))
    return rules, problems
