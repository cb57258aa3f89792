"""The command line. Each command is a module of its own, imported only when it is called for."""

from __future__ import annotations

import difflib
import importlib
import sys
import traceback
from typing import TYPE_CHECKING

import click

from chaos import __version__
from chaos.cli.layout import WholeSentences
from chaos.errors import ChaosError
from chaos.secrets import mask_output

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "run": "chaos.cli.run",
    "plan": "chaos.cli.plan",
    "iam-policy": "chaos.cli.iam_policy",
    "validate": "chaos.cli.validate",
    "list": "chaos.cli.list",
    "show": "chaos.cli.show",
    "schema": "chaos.cli.schema",
    "report": "chaos.cli.report",
    "evidence": "chaos.cli.evidence",
    "verify": "chaos.cli.verify",
    "history": "chaos.cli.history",
    "compare": "chaos.cli.compare",
    "stop": "chaos.cli.stop",
    "rollback": "chaos.cli.rollback",
    "unlock": "chaos.cli.unlock",
    "mark": "chaos.cli.mark",
    "dns": "chaos.cli.dns",
    "exec": "chaos.cli.exec",
    "proxy": "chaos.cli.proxy",
    "lab": "chaos.cli.lab",
    "doctor": "chaos.cli.doctor",
    "completion": "chaos.cli.completion",
}


class Commands(WholeSentences):
    """A group that knows its commands by name and imports each when it is needed."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names of the commands: to have their help too, click would import them all."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; but click has no hint for commands that are not imported yet."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"No such command {name!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
        return super().resolve_command(ctx, args)


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes: 0 held, 1 broken, 2 invalid input (nothing touched),
            3 unknown (no verdict can be given), 4 rollback incomplete.""",
)
@click.version_option(__version__, prog_name="chaos")
def group() -> None:
    """Break a system on AWS, measure its recovery, put everything back, get a verdict.

    \b
    Example:
      chaos run region-outage.yaml --speed 8
    """


def main() -> None:
    """The entry point: errors that are the user's to mend are one message, not a traceback.

    Whatever ends a command without a verdict must not look like one: 1 means `broken`.
    """
    mask_output()
    try:
        sys.exit(group.main(prog_name="chaos", standalone_mode=False))
    except ChaosError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(3)
    except Exception:  # noqa: BLE001  # a defect of ours: told in full
        traceback.print_exc()
        sys.exit(3)
