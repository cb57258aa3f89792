"""docs/safety.md tells of every guard and every key, and its examples are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from guard_cases import CASES
from guarded import refused

from chaos import schema
from chaos.experiment.safety import PolicyRules
from chaos.safety.guards import GUARDS

PAGE = (Path(__file__).parents[2] / "docs" / "safety.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table below that heading, by the first one."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [
        line.strip("|").strip().split(" | ") for line in part.splitlines() if line.startswith("| `")
    ]
    return {cells[0].strip(" `"): [cell.strip(" |") for cell in cells[1:]] for cells in found}


def test_every_key_is_documented() -> None:
    assert set(rows("The keys")) == set(PolicyRules.model_fields)


def test_every_guard_is_documented_with_its_keys() -> None:
    told = rows("The guards")
    assert set(told) == set(GUARDS)
    for name, (_, keys) in GUARDS.items():
        assert all(f"`{key}`" in told[name][0] for key in keys), name


@pytest.mark.parametrize("name", GUARDS)
def test_each_sentence_is_one_that_is_said(name: str) -> None:
    said = {told for case in CASES for told in refused(*case[2]).get(name, ())}
    assert rows("The guards")[name][1] in said, said


def test_the_example_is_a_policy() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    rules = schema.loads_toml(example.encode(), PolicyRules, "chaos.toml")
    assert rules is not None
    assert rules.model_fields_set == set(PolicyRules.model_fields)
