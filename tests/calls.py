"""Commands called within this process, for what they print; nothing of a terminal is about."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from chaos.cli import group


def called(*args: str, **env: str) -> Result:
    """How the command ended; a ChaosError is its `exception`."""
    return CliRunner().invoke(group, args, env={"NO_COLOR": "1", **env}, standalone_mode=False)


def printed(*args: str, **env: str) -> str:
    """What the command printed on stdout; one that fails raises."""
    done = called(*args, **env)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def document(*args: str) -> Any:
    """The JSON that it printed, of which nothing else may be on stdout."""
    return json.loads(printed(*args, "--json"))
