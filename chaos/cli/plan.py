"""`chaos plan`: what an experiment would touch. Nothing is."""

from __future__ import annotations

import click

from chaos.cli import options
from chaos.cli.say import say


@click.command("plan")
@options.experiment
@options.environment
def command(experiment: str, environment: str) -> None:
    """Show what EXPERIMENT would touch, where and for how long; nothing is touched.

    \b
    Example:
      chaos plan instance-termination.yaml
    """
    from chaos import library
    from chaos.drill import Drill
    from chaos.history import lever_name, setting
    from probes.durations import show as show_duration

    drill = Drill(library.find(experiment))
    planned = drill.plan()
    say(f"{drill.experiment.title or drill.experiment.name}\nenvironment: {environment}\n")
    for number, fault in enumerate(drill.experiment.faults):
        lasts = f"for {show_duration(fault.lasts)}" if fault.lasts else "for good"
        real = fault.fidelity[environment]
        say(f"at {show_duration(fault.at)}, {lasts}: {fault.kind} ({real})")
        for pull in (p for p in planned if p.fault == number):
            way = "cannot be put back" if pull.irreversible else "put back afterwards"
            change = f"{setting(pull.prior)} → {setting(pull.value)}"
            say(f"  {lever_name(pull.lever)}: {change}  ({way})")
    say(
        f"\nobserved for {show_duration(drill.experiment.observed_until)} after the first"
        " injection; nothing was touched"
    )
