"""`chaos rollback --check`: what is open, and what a rollback would do; nothing is changed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.cli.say import say, say_json

if TYPE_CHECKING:
    from chaos.rollback.checking import Checked

INCOMPLETE = 4
WOULD = {
    "already": "is as before ({prior}); would be set to it again if that is not certain",
    "restore": "reads {found}, would be set to {prior}",
    "keep": "reads {found}; nothing brings it back",
    "conflict": "CHANGED BY SOMEBODY ELSE: reads {found}, was {prior}, the fault made it {value};"
    " would be left alone",
    "gone": "went with its environment",
    "unknown": "cannot be read: {error}",
}


def check(path: Path, profile: str | None, *, as_json: bool) -> int:
    """Tell of the run with that journal; returns the exit code: 0 nothing is open, else 4."""
    from chaos.history import load
    from chaos.journal import in_use
    from chaos.rollback.checking import check as look

    found, lost = asyncio.run(look(path, profile=profile)), load(path, salvage=True).lost
    left = [checked for checked in found if checked.would != "gone"]
    if as_json:
        told = [asdict(checked) for checked in found]
        say_json({"journal": path, "running": in_use(path), "open": told, "lost": lost})
    else:
        _tell(found, path, lost, running=in_use(path))
    return INCOMPLETE if left or lost else 0


def _tell(found: list[Checked], path: Path, lost: tuple[str, ...], *, running: bool) -> None:
    if running:
        say("the run still goes on; it puts back itself what it has pulled")
    for what in (*lost, *map(_line, found)):
        say(what)
    if not found:
        say("nothing else is open" if lost else "nothing is open")
    elif not running:
        say(f"nothing was changed; to put back: chaos rollback {path}")


def _line(checked: Checked) -> str:
    from chaos.history import lever_name, setting

    pull = checked.pull
    told = WOULD[checked.would].format(
        found=setting(checked.found),
        prior=setting(pull.prior),
        value=setting(pull.value),
        error=checked.error,
    )
    return f"{lever_name(pull.lever)}: {told}"
