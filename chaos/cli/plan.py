"""`chaos plan`: what an experiment would touch. Nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from chaos.cli import layout, options
from chaos.cli.say import say, say_json

if TYPE_CHECKING:
    from chaos.drill import Drill
    from chaos.faults import Fault
    from chaos.safety import Planned


@click.command("plan")
@options.experiment
@options.environment
@options.endpoint
@options.variables
@options.allow_commands
@options.as_json
def command(
    experiment: str,
    environment: str,
    endpoint: str | None,
    variables: dict[str, str],
    allow_commands: bool,
    as_json: bool,
) -> None:
    """Show what EXPERIMENT would touch; nothing is touched.

    Each lever is told with what it reads now and what it would be set to, each fault with when and
    for how long. Where targets are drawn at random, the run draws anew.

    \b
    Example:
      chaos plan instance-termination.yaml
    """
    from chaos import library
    from chaos.drill import Drill

    drill = Drill(
        library.find(experiment),
        environment=environment,
        endpoint=endpoint,
        variables=variables,
        allow_commands=allow_commands,
    )
    planned = drill.plan()
    if as_json:
        say_json(_document(drill, environment, planned))
    else:
        for line in _lines(drill, environment, planned):
            say(_wrapped(line, layout.table_width()))


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return layout.filled(line, width, indent, "    ")


def _lines(drill: Drill, environment: str, planned: list[Planned]) -> Iterator[str]:
    from probes.durations import write

    yield drill.experiment.title or drill.experiment.name
    yield from _environment(drill)
    for number, fault in enumerate(drill.experiment.faults):
        yield ""
        yield _fault(fault, environment)
        if fault.draws:
            yield "  (drawn at random; the run draws anew, from what there is then)"
        yield from (_pull(pull) for pull in planned if pull.fault == number)
    yield ""
    observed = write(drill.experiment.observed_until)
    yield f"observed for {observed} after the first injection; nothing was touched"


def _environment(drill: Drill) -> Iterator[str]:
    from chaos.report.words import stood_in, where

    kind = drill.where["kind"]
    elsewhere = "" if kind == "embedded" else f", {where(drill.where)}"
    yield f"environment: {kind}{elsewhere}"
    yield from (f"  {text}" for text in stood_in(drill.experiment.to_json()))


def _fault(fault: Fault, environment: str) -> str:
    from chaos.report.words import fault as name
    from probes.durations import write

    lasts = f"for {write(fault.lasts)}" if fault.lasts else "for good"
    real = fault.fidelity[environment]
    return f"at {write(fault.at)}, {lasts}: {name(fault.model_dump())} ({real})"


def _pull(pull: Planned) -> str:
    from chaos.history import lever_name, setting

    way = "cannot be put back" if pull.irreversible else "put back afterwards"
    return f"  {lever_name(pull.lever)}: {setting(pull.prior)} → {setting(pull.value)}  ({way})"


def _document(drill: Drill, environment: str, planned: list[Planned]) -> dict[str, Any]:
    from dataclasses import asdict

    about = drill.experiment.to_json()
    faults = [
        {
            **settings,
            "fidelity": fault.fidelity[environment],
            "drawn": fault.draws,
            "pulls": [asdict(pull) for pull in planned if pull.fault == number],
        }
        for number, (fault, settings) in enumerate(
            zip(drill.experiment.faults, about["faults"], strict=True)
        )
    ]
    return {
        **{key: about[key] for key in ("name", "title", "file", "sha256", "variables")},
        "environment": environment,
        "endpoint": drill.where.get("endpoint"),
        "environment_version": drill.where.get("version") or None,
        "stand_ins": about["stand_ins"],
        "faults": faults,
        "observed_for": drill.experiment.observed_until,
    }
