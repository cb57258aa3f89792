"""The docs name everything there is: kinds, their parameters, keys, commands, their options."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from pydantic import BaseModel
from reference_pages import BLOCKS, DOCS, every_command, made, pages

import chaos.faults
import chaos.levers
import probes
from chaos.cli import group
from chaos.experiment import Experiment, Objective


def section(page: str, name: str) -> str:
    """The text below a heading of that name, up to the next heading of its height."""
    text = (DOCS / page).read_text()
    heading = rf"^(#+) `?{re.escape(name)}`?$(.*?)(?=^\1 |\Z)"
    found = re.search(heading, text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/{page} has no section {name}"
    return found[2]


def test_every_part_that_comes_from_the_code_stands_in_one_page() -> None:
    marks = [
        mark
        for page in pages()
        for mark in re.findall(r"<!-- scripts/reference: (.+?) -->", page.read_text())
    ]
    assert sorted(marks) == sorted(BLOCKS)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_a_page_says_what_the_code_says(page: Path) -> None:
    text = page.read_text()
    assert text == made(text), f"docs/{page.name} is out of date; run scripts/reference"


@pytest.mark.parametrize(("kind", "fault"), chaos.faults.KINDS.items())
def test_every_fault_and_its_parameters_are_documented(
    kind: str, fault: type[chaos.faults.Fault]
) -> None:
    own = set(fault.model_fields) - set(chaos.faults.Fault.model_fields)
    for parameter in own:
        name = fault.model_fields[parameter].alias or parameter
        # One that has parts of its own is documented by its parts.
        assert re.search(rf"`{name}[`.\[]", section("faults.md", kind))
    for environment, fidelity in fault.fidelity.items():
        assert f"{environment} `{fidelity}`" in section("faults.md", kind)


@pytest.mark.parametrize("parameter", chaos.faults.Fault.model_fields)
def test_what_all_faults_have_is_documented(parameter: str) -> None:
    assert f"`{parameter}`" in section("faults.md", "Faults").split("\n## ")[0]


@pytest.mark.parametrize("kind", chaos.levers.KINDS)
def test_every_lever_says_how_it_is_put_back(kind: str) -> None:
    assert re.search(r"[Pp]ut back", section("levers.md", kind))


@pytest.mark.parametrize("kind", probes.KINDS)
def test_every_probe_and_its_parameters_are_documented(kind: str) -> None:
    told = section("probes.md", "Probes").split("\n## ")[0] + section("probes.md", kind)
    for field, info in probes.KINDS[kind].model_fields.items():
        name = info.alias or field
        wanted = name if info.annotation is None or not _is_model(info.annotation) else f"{name}."
        assert f"`{wanted}" in told, f"docs/probes.md does not tell of {kind}.{name}"


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@pytest.mark.parametrize("key", [info.alias or n for n, info in Experiment.model_fields.items()])
def test_every_key_of_the_file_is_documented(key: str) -> None:
    assert f"| `{key}` |" in (DOCS / "experiments.md").read_text()


@pytest.mark.parametrize("key", Objective.model_fields)
def test_every_objective_is_documented(key: str) -> None:
    assert f"| `{key}: " in section("experiments.md", "Objectives")


@pytest.mark.parametrize(
    ("path", "command"), [(path, command) for path, command, _ in every_command()]
)
def test_every_command_and_its_options_are_documented(path: str, command: click.Command) -> None:
    told = section("commands.md", path)
    assert f"`{path}" in (DOCS / "commands.md").read_text()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert f"| `{parameter.opts[0]}" in told
            assert parameter.help, f"{path} {parameter.opts[0]} has no help"
    assert "Example:\n" in (command.help or ""), f"{path} --help has no example"


def test_the_exit_codes_are_documented() -> None:
    told = section("commands.md", "Exit codes")
    for code in range(5):
        assert f"{code} " in (group.epilog or "")
        assert f"{code} " in told


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*DOCS.glob("**/*.md"), *DOCS.parent.glob("*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
            leads = page.parent / target if target else page
            assert leads.exists(), f"{page.name} links to {target}"
            if anchor and leads.suffix == ".md":
                assert anchor in anchors(leads), f"{page.name} links to {leads.name}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The headings, as GitHub makes links of them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
