"""Help with many options: they stand below titles, each of them once."""

from __future__ import annotations

import re

import click
import pytest

from chaos.cli import COMMANDS, group
from chaos.cli.layout import Sections


def command_of(name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", [n for n in COMMANDS if isinstance(command_of(n), Sections)])
def test_each_option_is_told_once_below_its_title(name: str) -> None:
    command = command_of(name)
    assert isinstance(command, Sections)
    context = click.Context(command, info_name=f"chaos {name}", help_option_names=["--help"])
    told = command.get_help(context)
    options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]
    shown = re.findall(r"^  (?:-h, )?(--[a-z-]+)", told, re.MULTILINE)
    # Click keeps the option of help, with the names that it had where it was first asked for.
    assert sorted(shown) == sorted({*options, "--help"} - {"-h"})
    titles = re.findall(r"^([A-Z].*):$", told, re.MULTILINE)
    assert titles == [*command.sections, "Options"]


def test_the_commands_with_the_most_options_have_sections() -> None:
    assert all(isinstance(command_of(name), Sections) for name in ("run", "rollback"))
