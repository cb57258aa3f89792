"""`chaos validate`: whether experiment files are right. Nothing is started or touched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chaos.cli import completions, options
from chaos.cli.say import say, say_json
from chaos.errors import InvalidInput, Located

if TYPE_CHECKING:
    from chaos.experiment import Experiment


@click.command("validate")
@click.argument(
    "experiments",
    nargs=-1,
    required=True,
    metavar="EXPERIMENT...",
    shell_complete=completions.experiments,
)
@options.variables
@options.policy
@options.as_json
def command(
    experiments: tuple[str, ...], variables: dict[str, str], policy: Path | None, as_json: bool
) -> None:
    """Check experiment files, and tell all that is wrong at once.

    One that names accounts is held against the policies too, as far as that goes without them.

    A variable without a default needs a value here as it does for a run; what does not depend on
    it is checked without.

    \b
    Example:
      chaos validate region-outage.yaml drills/*.yaml
    """
    from chaos import experiment, library

    checked: dict[str, list[str]] = {}
    for name in experiments:
        file = name
        try:
            path = library.find(name)
            file = str(path)
            loaded = experiment.load(path, variables)
            for each in (loaded, *map(loaded.on, loaded.environments)):
                if each.brings_lab:  # a shipped one is right, and to read it takes a while
                    experiment.load_lab(each, path)
            if policy or loaded.accounts:
                _hold_against(policy, loaded, file)
        except InvalidInput as error:
            checked[file] = list(error.problems)
        else:
            checked[file] = []
            if not as_json:
                say(f"{path}: valid")
    problems = [problem for found in checked.values() for problem in found]
    if as_json:
        say_json(_document(checked))
        sys.exit(InvalidInput.exit_code if problems else 0)
    if problems:
        raise InvalidInput(*problems)


def _hold_against(policy: Path | None, experiment: Experiment, file: str) -> None:
    from chaos import safety

    held = safety.find(policy, experiment=Path(file))
    if refused := safety.static(experiment.on("aws"), held) if experiment.accounts else ():
        raise InvalidInput(*(f"{file}: {refusal}" for refusal in refused))


def _document(checked: dict[str, list[str]]) -> dict[str, Any]:
    problems = [_problem(problem, file) for file, found in checked.items() for problem in found]
    return {"valid": not problems, "files": list(checked), "problems": problems}


def _problem(problem: str, file: str) -> dict[str, Any]:
    """One of the whole file has no line and no column, and its `where` is empty."""
    if isinstance(problem, Located):
        return {name: getattr(problem, name) for name in ("file", "line", "col", "where", "what")}
    what = problem.removeprefix(f"{file}: ")
    return {"file": file, "line": None, "col": None, "where": "", "what": what}
