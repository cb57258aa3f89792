"""Printing that never changes how a command ends."""

from __future__ import annotations

import json
import os
import sys

import click


def say(text: str, *, to_stderr: bool = False) -> None:
    """Print a line; a reader that has gone (`| head`) is not missed.

    click would end the command with exit code 1 then, which here means `broken`.
    """
    stream = sys.stderr if to_stderr else sys.stdout
    try:
        click.echo(text, file=stream)
        stream.flush()
    except OSError:
        # Python's own advice: or the flush at its end fails once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say_json(document: object) -> None:
    """Print one JSON document, ASCII only; a path in it becomes text.

    Raises ValueError for a number that JSON does not have, such as infinity.
    """
    say(json.dumps(document, indent=2, allow_nan=False, default=str))
