"""Systems with planted defects: the verdict must be `held` for the sound, and say what is wrong.

Each is a lab of its own, carried out by the normal drill. A company's probes and faults can stand
in for those of the suite: a probe that calls a bad system good is found out here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chaos import history
from chaos.drill import Drill
from chaos.runs import Runs
from chaos.testing.planted_files import SYSTEMS, Replace, System, systems
from chaos.testing.promise import must
from chaos.verdict import judge_safely

__all__ = [
    "SPEED",
    "SYSTEMS",
    "Outcome",
    "Replace",
    "System",
    "carry_out",
    "check_planted",
    "systems",
]

# Times faster than the wall. What a system promises leaves room for the delays of a busy machine.
SPEED = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the tool said of a system; `wrong` says how it differs from what is due, if it does."""

    system: str
    value: str
    reason: str  # the first one
    wrong: str = ""


def carry_out(
    system: System,
    *,
    speed: float = SPEED,
    probes: Mapping[str, Replace] | None = None,
    faults: Mapping[str, Replace] | None = None,
    directory: Path | None = None,
) -> Outcome:
    """Drill one system in an embedded lab, and hold the verdict against the one that is due.

    `probes` (by role) and `faults` (by kind) turn fragments of the suite's experiment into others;
    the files and the journal are kept in `directory`, if one is given. Raises ChaosError when the
    drill cannot begin.
    """
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="chaos-planted-") as made:
            return carry_out(
                system, speed=speed, probes=probes, faults=faults, directory=Path(made)
            )
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    drill = Drill(system.write(directory, system.drill(probes, faults)), speed=speed)
    journal, _ = drill.run(Runs(directory), lambda _event: None)
    verdict = judge_safely(history.load(journal))
    reason = next(iter(verdict.reasons), "")
    wrong = _wrong(system, verdict.value, reason, shows=not probes)
    return Outcome(system=system.name, value=verdict.value, reason=reason, wrong=wrong)


def check_planted(
    system: System,
    *,
    probes: Mapping[str, Replace] | None = None,
    faults: Mapping[str, Replace] | None = None,
    speed: float = SPEED,
) -> None:
    """Drill one system with probes and faults of your own.

    Raises AssertionError when the verdict is not the one that is due, and ChaosError when the
    drill cannot begin.
    """
    found = carry_out(system, speed=speed, probes=probes, faults=faults)
    must(not found.wrong, found.wrong)


def _wrong(system: System, value: str, reason: str, *, shows: bool) -> str:
    expect = system.expect
    told = f"{system.name}: the verdict is {value} ({reason})"
    if value != expect.value:
        return f"{told}, and should be {expect.value}: {system.defect or 'the system is sound'}"
    for pattern in (expect.reason, expect.shows if shows else None):
        if pattern is not None and not pattern.search(reason):
            return f"{told}, for a reason that does not say {pattern.pattern!r}"
    return ""
