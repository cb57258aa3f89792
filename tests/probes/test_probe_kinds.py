from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from probes import KINDS
from probes.probe import Probe

DOCS = (Path(__file__).parents[2] / "docs" / "probes.md").read_text()


def parameters(model: type[BaseModel], before: str = "") -> set[str]:
    """All parameters, those of inner models as `expect.status`."""
    found: set[str] = set()
    for name, info in model.model_fields.items():
        path = before + (info.alias or name)
        arms = [info.annotation, *get_args(info.annotation)]
        inner = [arm for arm in arms if isinstance(arm, type) and issubclass(arm, BaseModel)]
        found |= parameters(inner[0], path + ".") if inner else {path}
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_its_own_name_and_a_summary(kind: str) -> None:
    schema: dict[str, Any] = KINDS[kind].model_json_schema()
    assert schema["properties"]["kind"]["const"] == kind
    assert KINDS[kind].summary


@pytest.mark.parametrize("kind", KINDS)
def test_the_docs_have_each_parameter_and_no_other(kind: str) -> None:
    section = DOCS.split(f"\n## {kind}\n")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE))
    assert told - parameters(Probe) == parameters(KINDS[kind]) - parameters(Probe)


def test_the_docs_have_what_all_probes_share() -> None:
    section = DOCS.split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == parameters(Probe)
