"""What earlier runs and labs have left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chaos.doctor.finding import Asked, Finding
from chaos.environments.standing import StandingLabs
from chaos.errors import ChaosError
from chaos.history import load
from chaos.journal import in_use


def runs(asked: Asked) -> Iterator[Finding]:
    """Levers that a run has pulled and nobody has put back."""
    known = asked.runs.all()
    unclear = 0
    for run in known:
        for finding in _run(run, asked.runs.journal(run)):
            unclear += 1
            yield finding
    if not unclear:
        count = f"{len(known) or 'no'} run{'' if len(known) == 1 else 's'}"
        yield Finding("runs", "ok", f"{count} in {asked.runs.directory}, and no lever left open")


def _run(run: str, journal: Path) -> Iterator[Finding]:
    try:
        if in_use(journal):
            yield Finding("runs", "warning", f"{run} still goes on", "nothing, if you know of it")
            return
        history = load(journal, salvage=True)
        left = len(history.open_pulls) + len(history.lost)
    except ChaosError as error:
        yield Finding("runs", "warning", f"{run} cannot be read: {error}", "look at its journal")
        return
    if left:
        levers = "lever is" if left == 1 else "levers are"
        says = f"{run}: {left} {levers} not put back"
        yield Finding("runs", "warning", says, f"chaos rollback {journal}")


def labs(_: Asked) -> Iterator[Finding]:
    """Labs that stay, and entries of some that have ended."""
    try:
        standing = StandingLabs.of_user().all()
    except ChaosError as error:
        yield Finding("labs", "warning", str(error))
        return
    for lab in standing:
        if lab.alive:
            yield Finding("labs", "ok", f"{lab.name} is up", f"chaos lab down {lab.name}")
        else:
            says = f"{lab.name} has ended: {lab.ended or 'its keeper was killed'}"
            yield Finding("labs", "warning", says, "chaos lab status")
    if not standing:
        yield Finding("labs", "ok", "no lab stands")
