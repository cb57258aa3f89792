"""`chaos schema`: what an experiment's file may be, for editors."""

from __future__ import annotations

import click

from chaos.cli.say import say


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of experiment files, with the settings of every fault and probe.

    An editor with the YAML language server then completes and explains keys while they are
    typed. Kinds that installed packages bring are in it, so print it again when those change.
    It knows what each value may be; whether all fit together, `chaos validate` tells.

    \b
    Example:
      chaos schema > chaos.schema.json
    Then, as the first line of an experiment:
      # yaml-language-server: $schema=chaos.schema.json
    """
    import json

    from chaos.experiment import Experiment
    from chaos.schema.json_schema import json_schema

    schema = json_schema(Experiment, "an experiment of chaos")
    say(json.dumps(schema, indent=2, ensure_ascii=False))
