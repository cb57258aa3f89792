"""`chaos completion`: the script by which a shell completes our commands."""

from __future__ import annotations

import click

from chaos.cli.say import say

VARIABLE = "_CHAOS_COMPLETE"  # by which the script asks; click derives it from the command's name
NAMES = ("chaos", "chaos-drill")


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete our commands.

    It completes commands and options, the names of experiments and kinds, and the ids of runs.

    \b
    Do this once, and open a new shell:
      bash  echo 'eval "$(chaos completion bash)"' >> ~/.bashrc
      zsh   echo 'eval "$(chaos completion zsh)"' >> ~/.zshrc     (below compinit)
      fish  chaos completion fish > ~/.config/fish/completions/chaos.fish

    \b
    Example:
      eval "$(chaos completion bash)"
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"there is no completion for {shell}")
    group = ctx.find_root().command
    for name in NAMES:
        say(found(group, {}, name, VARIABLE).source())
