"""Printing that never changes how a command ends."""

from __future__ import annotations

import os
import sys

import click


def say(text: str) -> None:
    """Print a line; a reader that has gone (`| head`) is not missed.

    click would end the command with exit code 1 then, which here means `broken`.
    """
    try:
        click.echo(text)
        sys.stdout.flush()
    except OSError:
        # Python's own advice: or the flush at its end fails once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
