"""The docs name everything there is: kinds, their parameters, commands, their options."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import chaos.faults
import chaos.levers
import probes
from chaos.cli import COMMANDS, group

DOCS = Path(__file__).parent.parent / "docs"


def section(page: str, name: str) -> str:
    """The text below a heading of that name, up to the next heading of its height."""
    text = (DOCS / page).read_text()
    heading = rf"^(#+) `?{re.escape(name)}`?$(.*?)(?=^\1 |\Z)"
    found = re.search(heading, text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/{page} has no section {name}"
    return found[2]


@pytest.mark.parametrize(("kind", "fault"), chaos.faults.KINDS.items())
def test_every_fault_and_its_parameters_are_documented(
    kind: str, fault: type[chaos.faults.Fault]
) -> None:
    own = set(fault.model_fields) - set(chaos.faults.Fault.model_fields)
    for parameter in own:
        assert f"`{parameter}`" in section("faults.md", kind)
    for environment, fidelity in fault.fidelity.items():
        assert f"{environment} `{fidelity}`" in section("faults.md", kind)


@pytest.mark.parametrize("parameter", chaos.faults.Fault.model_fields)
def test_what_all_faults_have_is_documented(parameter: str) -> None:
    assert f"`{parameter}`" in section("faults.md", "Faults").split("\n## ")[0]


@pytest.mark.parametrize("kind", chaos.levers.KINDS)
def test_every_lever_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in section("faults.md", "Levers")


@pytest.mark.parametrize("kind", probes.KINDS)
def test_every_probe_and_its_parameters_are_documented(kind: str) -> None:
    text = (DOCS / "probes.md").read_text()
    for parameter in probes.KINDS[kind].model_fields:
        assert f"`{parameter}`" in text, f"docs/probes.md does not tell of {kind}.{parameter}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_its_options_are_documented(name: str) -> None:
    text = (DOCS / "commands.md").read_text()
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert f"`chaos {name}" in text
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in text
    assert "Example:\n" in (command.help or ""), f"chaos {name} --help has no example"


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*DOCS.glob("**/*.md"), *DOCS.parent.glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
