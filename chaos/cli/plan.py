"""`chaos plan`: what an experiment would touch. Nothing is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chaos.cli import layout, options
from chaos.cli.say import say, say_json


@click.command("plan")
@options.experiment
@options.environment
@options.endpoint
@options.profile
@options.undo_log
@options.policy
@options.variables
@options.allow_commands
@options.as_json
def command(
    experiment: str,
    environment: str,
    endpoint: str | None,
    profile: str | None,
    undo_log: str | None,
    policy: Path | None,
    variables: dict[str, str],
    allow_commands: bool,
    as_json: bool,
) -> None:
    """Show what EXPERIMENT would touch; nothing is touched.

    Each lever is told with what it reads now and what it would be set to, each fault with when and
    for how long. Where targets are drawn at random, the run draws anew.

    In a real account also: whom it touches, the calls that do it and undo it, what a fault cuts
    and what goes on, every guard with its verdict, the permissions, the cost, the time it takes,
    and what ends by itself when nobody is left to put it back. The exit code is 2 when a run would
    be refused, or lacks a permission.

    \b
    Example:
      chaos plan instance-termination.yaml
      chaos plan region-outage.yaml --environment aws
    """
    from chaos import library
    from chaos.cli.plan_json import document
    from chaos.cli.plan_text import lines
    from chaos.drill import Drill

    drill = Drill(
        library.find(experiment),
        environment=environment,
        endpoint=endpoint,
        profile=profile,
        undo_log=undo_log,
        policy=policy,
        variables=variables,
        allow_commands=allow_commands,
    )
    plan = drill.plan()
    if as_json:
        say_json(document(drill.experiment, drill.where, plan))
    else:
        for line in lines(drill.experiment, drill.where, plan, layout.table_width()):
            say(line)
    if plan.refused:
        sys.exit(2)
