"""Systems with planted defects, each drilled as often as is asked: no verdict may be false.

One after the other: what a drill measures is time, and another one beside it would take of it.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from chaos.errors import ChaosError
from chaos.testing import planted
from chaos.testing.planted import Outcome, System


@dataclass(slots=True)
class Tally:
    """What the tool said of each system."""

    runs: int = 0
    took_s: float = 0.0
    systems: dict[str, System] = field(default_factory=dict)
    outcomes: defaultdict[str, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)

    def add(self, system: System, outcome: Outcome, took_s: float) -> None:
        """One drill is over."""
        self.systems[system.name] = system
        self.outcomes[system.name].append(outcome)
        self.took_s += took_s
        self.wrong += [outcome.wrong] if outcome.wrong else []

    def shown(self) -> list[tuple[str, str]]:
        """The figures, for people."""
        kinds = Counter(system.expect.value for system in self.systems.values())
        told = ", ".join(f"{count} due to be {value}" for value, count in sorted(kinds.items()))
        drills = sum(map(len, self.outcomes.values()))
        mean = self.took_s / drills if drills else 0.0
        return [
            ("systems", f"{len(self.systems)}: {told}"),
            ("full runs", str(self.runs)),
            ("drills", f"{drills}, {mean:.1f} s each"),
            ("false verdicts", str(len(self.wrong))),
            *((f"`{name}`", _said(found)) for name, found in sorted(self.outcomes.items())),
        ]


def campaign(count: int, seed: int) -> Tally:
    """`count` full runs of all systems, each in an order of its own."""
    tally, order = Tally(), random.Random(seed)
    systems = planted.systems()
    for _ in range(count):
        for system in order.sample(systems, len(systems)):
            _drill(system, tally)
        tally.runs += 1
    return tally


def _drill(system: System, tally: Tally) -> None:
    begun = time.monotonic()
    try:
        outcome = planted.carry_out(system)
    except ChaosError as error:
        told = f"{system.name}: the drill could not begin: {error}"
        outcome = Outcome(system=system.name, value="none", reason=told, wrong=told)
    tally.add(system, outcome, time.monotonic() - begun)
    print(f"{'WRONG' if outcome.wrong else 'right'} {outcome.system}: {outcome.reason}", flush=True)


def _said(found: list[Outcome]) -> str:
    values = Counter(outcome.value for outcome in found)
    told = ", ".join(f"{value} {count} times" for value, count in sorted(values.items()))
    return f"{told}: {found[-1].reason}".replace("|", "\\|")
